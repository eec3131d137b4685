"""Saving, changing and deleting views of lists."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.annotations.models import SavedView
from fleetkeeper.annotations.views import queries
from fleetkeeper.annotations.views.schemas import (
    SavedViewCreate,
    SavedViewPage,
    SavedViewRead,
    SavedViewUpdate,
)
from fleetkeeper.database.constraints import told_by_name
from fleetkeeper.errors import ConflictError, ForbiddenError, NotFoundError
from fleetkeeper.identity.actor import Actor
from fleetkeeper.identity.authority import check_acts_for_account
from fleetkeeper.identity.permissions import Permission
from fleetkeeper.kit.listing import count_rows

MOST = 200


async def list_views(
    session: AsyncSession, actor: Actor, parameters: Sequence[tuple[str, str]]
) -> SavedViewPage:
    """One page of the actor's own views and the shared ones."""
    visible = queries.visible_to(actor)
    return await queries.LISTING.read(
        session, visible, parameters, SavedViewPage, lambda row: _read(row, actor)
    )


async def get_view(session: AsyncSession, actor: Actor, view_id: UUID) -> SavedViewRead:
    """One view. Raises NotFoundError for another's that is not shared."""
    return _read(await _find(session, actor, view_id), actor)


async def default_query(session: AsyncSession, actor: Actor, path: str) -> str:
    """The query string that a list begins with for the actor; empty where it begins with all."""
    statement = select(SavedView.query).where(
        SavedView.owner_id == actor.user_id, SavedView.path == path, SavedView.is_default
    )
    return await session.scalar(statement) or ""


async def create_view(session: AsyncSession, actor: Actor, wanted: SavedViewCreate) -> SavedViewRead:
    """Save a view. Raises ConflictError for a name that the actor has for this list, ForbiddenError."""
    check_acts_for_account(actor)
    if actor.user_id is None:
        raise ForbiddenError("Only a user can save views.")
    if wanted.is_shared:
        _check_may_share(actor)
    if await count_rows(session, SavedView, SavedView.owner_id == actor.user_id) >= MOST:
        raise ConflictError(
            f"You have {MOST} saved views, the most that one user can have; delete some first."
        )
    if wanted.is_default:
        await queries.clear_default(session, actor.user_id, wanted.path)
    view = SavedView(owner_id=actor.user_id, **wanted.model_dump())
    async with told_by_name(session):
        session.add(view)
    return await get_view(session, actor, view.id)


async def update_view(
    session: AsyncSession, actor: Actor, view_id: UUID, changes: SavedViewUpdate
) -> SavedViewRead:
    """Change one's own view. Raises NotFoundError, ForbiddenError, ConflictError."""
    view: SavedView = (await _find(session, actor, view_id))[0]
    if view.owner_id != actor.user_id:
        raise ForbiddenError("Only its owner can change a saved view.")
    check_acts_for_account(actor)
    if changes.is_shared:
        _check_may_share(actor)
    if changes.is_default and not view.is_default:
        await queries.clear_default(session, view.owner_id, view.path)
    async with told_by_name(session):
        for name, value in changes.model_dump(exclude_unset=True).items():
            setattr(view, name, value)
    await session.refresh(view)
    return await get_view(session, actor, view_id)


async def delete_view(session: AsyncSession, actor: Actor, view_id: UUID) -> None:
    """Delete one's own view, or a shared one of somebody else. Raises NotFoundError, ForbiddenError."""
    view: SavedView = (await _find(session, actor, view_id))[0]
    if view.owner_id == actor.user_id:
        check_acts_for_account(actor)
    else:
        _check_may_share(actor)
    await session.delete(view)
    await session.flush()


def _check_may_share(actor: Actor) -> None:
    if not actor.may(Permission.VIEWS_SHARE):
        raise ForbiddenError(f"Shared views need the permission {Permission.VIEWS_SHARE}.")


async def _find(session: AsyncSession, actor: Actor, view_id: UUID) -> Any:
    row = (await session.execute(queries.visible_to(actor).where(SavedView.id == view_id))).one_or_none()
    if row is None:
        raise NotFoundError("There is no such saved view.")
    return row


def _read(row: Any, actor: Actor) -> SavedViewRead:
    view, owner = row[0], row[1]
    return SavedViewRead(
        id=view.id,
        path=view.path,
        name=view.name,
        query=view.query,
        is_shared=view.is_shared,
        is_default=view.is_default and view.owner_id == actor.user_id,
        owner=owner,
        is_own=view.owner_id == actor.user_id,
        created_at=view.created_at,
        updated_at=view.updated_at,
    )
