"""`/api/v1/bookmarks`."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Request

from fleetkeeper.annotations.bookmarks import service
from fleetkeeper.annotations.bookmarks.schemas import BookmarkCreate, BookmarkPage, BookmarkRead
from fleetkeeper.annotations.bookmarks.service import LISTING as BOOKMARKS_LISTING
from fleetkeeper.database.request_session import Session
from fleetkeeper.error_handlers import problem_responses
from fleetkeeper.identity.access import SignedIn
from fleetkeeper.kit.list_query import ListParameters, listed_by
from fleetkeeper.kit.pagination import with_links

router = APIRouter(prefix="/bookmarks", tags=["bookmarks"])
BookmarksQuery = Annotated[ListParameters, listed_by(BOOKMARKS_LISTING)]


@router.get("", responses=problem_responses(401, 422))
async def list_bookmarks(
    request: Request, actor: SignedIn, session: Session, asked: BookmarksQuery
) -> BookmarkPage:
    """List your bookmarks."""
    return with_links(await service.list_bookmarks(session, actor, asked), request.url.path)


@router.post("", status_code=201, responses=problem_responses(400, 401, 403, 409, 422))
async def create_bookmark(wanted: BookmarkCreate, actor: SignedIn, session: Session) -> BookmarkRead:
    """Bookmark a page of the console."""
    return await service.create_bookmark(session, actor, wanted)


@router.delete("/{bookmark_id}", status_code=204, responses=problem_responses(401, 403, 404, 422))
async def delete_bookmark(bookmark_id: UUID, actor: SignedIn, session: Session) -> None:
    """Remove one of your bookmarks."""
    await service.delete_bookmark(session, actor, bookmark_id)
