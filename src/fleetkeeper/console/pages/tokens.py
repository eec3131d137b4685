"""`/tokens`: everybody's API tokens."""

from functools import partial
from uuid import UUID

from fastapi import APIRouter, Request, Response

from fleetkeeper.console.lists.answering import show_list
from fleetkeeper.console.navigation import Place, declare
from fleetkeeper.console.panels import done
from fleetkeeper.console.tokens import HOME, token_list
from fleetkeeper.database.request_session import Session
from fleetkeeper.identity.permissions import Permission
from fleetkeeper.identity.tokens import service
from fleetkeeper.identity.tokens.access import TokensRead, TokensWrite

router = APIRouter()
declare(
    Place(
        "/tokens",
        "Tokens",
        "key",
        Permission.TOKENS_READ,
        group="Access",
        order=60,
        key="t",
        words="api keys",
    )
)


@router.get("/tokens")
async def list_tokens(request: Request, actor: TokensRead, session: Session) -> Response:
    """Everybody's tokens."""
    page = token_list(may_revoke=actor.may(Permission.TOKENS_WRITE))
    return await show_list(request, session, actor, page, partial(service.list_tokens, session, actor))


@router.post("/tokens/{token_id}/revoke")
async def revoke_token(request: Request, token_id: UUID, actor: TokensWrite, session: Session) -> Response:
    """Revoke anybody's token."""
    await service.revoke_token(session, actor, token_id)
    return done(request, HOME)
