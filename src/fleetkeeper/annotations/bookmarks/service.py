"""Listing, adding and removing one's own bookmarks."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, select
from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.annotations.bookmarks.schemas import BookmarkCreate, BookmarkPage, BookmarkRead
from fleetkeeper.annotations.models import Bookmark
from fleetkeeper.database.constraints import told_by_name
from fleetkeeper.errors import ConflictError, ForbiddenError, NotFoundError
from fleetkeeper.identity.actor import Actor
from fleetkeeper.identity.authority import check_acts_for_account
from fleetkeeper.kit.listing import Field, Listing, count_rows

MOST = 200
LISTING = Listing(
    fields={
        "title": Field(Bookmark.title.expression, str),
        "path": Field(Bookmark.path.expression, str),
        "created_at": Field(Bookmark.created_at.expression, datetime),
    },
    search=(Bookmark.title.expression, Bookmark.path.expression),
    key=Bookmark.id.expression,
    default_ordering="title",
)


async def list_bookmarks(
    session: AsyncSession, actor: Actor, parameters: Sequence[tuple[str, str]]
) -> BookmarkPage:
    """One page of the actor's bookmarks."""
    return await LISTING.read(
        session, _own(actor), parameters, BookmarkPage, lambda row: BookmarkRead.model_validate(row[0])
    )


async def create_bookmark(session: AsyncSession, actor: Actor, wanted: BookmarkCreate) -> BookmarkRead:
    """Mark a page. Raises ConflictError for one that is marked, ForbiddenError."""
    check_acts_for_account(actor)
    if actor.user_id is None:
        raise ForbiddenError("Only a user can have bookmarks.")
    if await count_rows(session, Bookmark, Bookmark.owner_id == actor.user_id) >= MOST:
        raise ConflictError(f"You have {MOST} bookmarks, the most that one user can have; remove some first.")
    bookmark = Bookmark(owner_id=actor.user_id, **wanted.model_dump())
    async with told_by_name(session):
        session.add(bookmark)
    await session.refresh(bookmark)
    return BookmarkRead.model_validate(bookmark)


async def delete_bookmark(session: AsyncSession, actor: Actor, bookmark_id: UUID) -> None:
    """Remove a bookmark. Raises NotFoundError for another's, ForbiddenError."""
    check_acts_for_account(actor)
    found = await session.scalar(_own(actor).where(Bookmark.id == bookmark_id))
    if found is None:
        raise NotFoundError("There is no such bookmark.")
    await session.delete(found)
    await session.flush()


def _own(actor: Actor) -> Select[Any]:
    return select(Bookmark).where(Bookmark.owner_id == actor.user_id)
