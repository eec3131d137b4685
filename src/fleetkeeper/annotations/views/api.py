"""`/api/v1/saved-views`."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Request

from fleetkeeper.annotations.views import service
from fleetkeeper.annotations.views.queries import LISTING as SAVED_VIEWS_LISTING
from fleetkeeper.annotations.views.schemas import (
    SavedViewCreate,
    SavedViewPage,
    SavedViewRead,
    SavedViewUpdate,
)
from fleetkeeper.database.request_session import Session
from fleetkeeper.error_handlers import problem_responses
from fleetkeeper.identity.access import SignedIn
from fleetkeeper.kit.list_query import ListParameters, listed_by
from fleetkeeper.kit.pagination import with_links

router = APIRouter(prefix="/saved-views", tags=["saved views"])
SavedViewsQuery = Annotated[ListParameters, listed_by(SAVED_VIEWS_LISTING)]


@router.get("", responses=problem_responses(401, 422))
async def list_views(
    request: Request, actor: SignedIn, session: Session, asked: SavedViewsQuery
) -> SavedViewPage:
    """List your saved views and the shared ones; `path=/devices` are those of one list."""
    return with_links(await service.list_views(session, actor, asked), request.url.path)


@router.post("", status_code=201, responses=problem_responses(400, 401, 403, 409, 422))
async def create_view(wanted: SavedViewCreate, actor: SignedIn, session: Session) -> SavedViewRead:
    """Save a view of a list."""
    return await service.create_view(session, actor, wanted)


@router.get("/{view_id}", responses=problem_responses(401, 404, 422))
async def get_view(view_id: UUID, actor: SignedIn, session: Session) -> SavedViewRead:
    """Get one saved view."""
    return await service.get_view(session, actor, view_id)


@router.patch("/{view_id}", responses=problem_responses(400, 401, 403, 404, 409, 422))
async def update_view(
    view_id: UUID, changes: SavedViewUpdate, actor: SignedIn, session: Session
) -> SavedViewRead:
    """Change a saved view of yours."""
    return await service.update_view(session, actor, view_id, changes)


@router.delete("/{view_id}", status_code=204, responses=problem_responses(401, 403, 404, 422))
async def delete_view(view_id: UUID, actor: SignedIn, session: Session) -> None:
    """Delete a saved view: yours, or a shared one with the permission `views:share`."""
    await service.delete_view(session, actor, view_id)
