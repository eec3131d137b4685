"""`/tokens`: everybody's API tokens."""

from uuid import UUID

from fastapi import APIRouter, Request, Response

from fleetkeeper.console.panels import done, list_parameters, neighbour, search_of, show_page
from fleetkeeper.console.tokens import token_table
from fleetkeeper.database.request_session import Session
from fleetkeeper.identity.permissions import Permission
from fleetkeeper.identity.tokens import service
from fleetkeeper.identity.tokens.access import TokensRead, TokensWrite

router = APIRouter()

HOME = "/tokens"


@router.get("/tokens")
async def list_tokens(request: Request, actor: TokensRead, session: Session) -> Response:
    """Everybody's tokens."""
    page = await service.list_tokens(session, actor, list_parameters(request))
    table = token_table(
        page,
        HOME,
        with_user=True,
        may_revoke=actor.may(Permission.TOKENS_WRITE),
        neighbours=(neighbour(HOME, page.previous), neighbour(HOME, page.next)),
    )
    return show_page(actor, HOME, "Tokens", [table], search=search_of(request, "Token or user"))


@router.post("/tokens/{token_id}/revoke")
async def revoke_token(request: Request, token_id: UUID, actor: TokensWrite, session: Session) -> Response:
    """Revoke anybody's token."""
    await service.revoke_token(session, actor, token_id)
    return done(request, HOME)
