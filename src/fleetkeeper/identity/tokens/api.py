"""`/api/v1/tokens`."""

from datetime import timedelta
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Request

from fleetkeeper.database.request_session import Session
from fleetkeeper.error_handlers import problem_responses
from fleetkeeper.identity.access import SignedIn
from fleetkeeper.identity.exporting import add_export
from fleetkeeper.identity.permissions import Permission
from fleetkeeper.identity.tokens import service
from fleetkeeper.identity.tokens.queries import LISTING as TOKENS_LISTING
from fleetkeeper.identity.tokens.schemas import (
    TokenCreate,
    TokenCreated,
    TokenPage,
    TokenRead,
    TokenRotate,
    TokenUpdate,
)
from fleetkeeper.kit.clock import utc_now
from fleetkeeper.kit.list_query import ListParameters, listed_by
from fleetkeeper.kit.pagination import with_links

router = APIRouter(prefix="/tokens", tags=["tokens"])
TokensQuery = Annotated[ListParameters, listed_by(TOKENS_LISTING)]


@router.get("", responses=problem_responses(401, 422))
async def list_tokens(request: Request, actor: SignedIn, session: Session, asked: TokensQuery) -> TokenPage:
    """List one's own tokens; with the permission tokens:read those of everybody."""
    page = await service.list_tokens(session, actor, asked)
    return with_links(page, request.url.path)


add_export(router, "tokens", Permission.TOKENS_READ, TokenRead, "api_tokens", service.list_tokens)


@router.post("", status_code=201, responses=problem_responses(400, 401, 403, 422))
async def create_token(wanted: TokenCreate, actor: SignedIn, session: Session) -> TokenCreated:
    """Make a token of one's own. Its secret is in this answer only."""
    return await service.create_own_token(session, actor, wanted, utc_now())


@router.get("/{token_id}", responses=problem_responses(401, 404, 422))
async def get_token(token_id: UUID, actor: SignedIn, session: Session) -> TokenRead:
    """Get one token, without its secret."""
    return await service.get_token(session, actor, token_id)


@router.patch("/{token_id}", responses=problem_responses(400, 401, 403, 404, 422))
async def update_token(token_id: UUID, changes: TokenUpdate, actor: SignedIn, session: Session) -> TokenRead:
    """Change the name and the limits of one's own token."""
    return await service.update_token(session, actor, token_id, changes, utc_now())


@router.post("/{token_id}/rotate", responses=problem_responses(400, 401, 403, 404, 422))
async def rotate_token(
    token_id: UUID, wanted: TokenRotate, actor: SignedIn, session: Session
) -> TokenCreated:
    """Give one's own token a new secret; the old one works a while longer."""
    overlap = timedelta(seconds=wanted.overlap_seconds)
    return await service.rotate_token(session, actor, token_id, overlap, utc_now())


@router.delete("/{token_id}", status_code=204, responses=problem_responses(401, 403, 404, 422))
async def revoke_token(token_id: UUID, actor: SignedIn, session: Session) -> None:
    """Revoke a token."""
    await service.revoke_token(session, actor, token_id)
