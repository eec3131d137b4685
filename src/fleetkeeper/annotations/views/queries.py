"""The SQL of saved views."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.annotations.models import SavedView
from fleetkeeper.identity.actor import Actor
from fleetkeeper.identity.models import User
from fleetkeeper.kit.listing import Field, Listing

LISTING = Listing(
    fields={
        "id": Field(SavedView.id.expression, UUID, sortable=False),
        "path": Field(SavedView.path.expression, str),
        "name": Field(SavedView.name.expression, str),
        "is_shared": Field(SavedView.is_shared.expression, bool),
        "created_at": Field(SavedView.created_at.expression, datetime),
        "updated_at": Field(SavedView.updated_at.expression, datetime),
    },
    search=(SavedView.name.expression,),
    key=SavedView.id.expression,
    default_ordering="name",
)


def visible_to(actor: Actor) -> Select[*tuple[Any, ...]]:
    """One's own views and those that are shared, each with its owner's name."""
    statement = select(SavedView, User.username).join(User, User.id == SavedView.owner_id)
    return statement.where(or_(SavedView.is_shared, SavedView.owner_id == actor.user_id))


async def clear_default(session: AsyncSession, owner_id: UUID, path: str) -> None:
    """Let a list begin with no view of its own for somebody; two who choose one at once wait for each other."""
    await session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(f"{owner_id} {path}", 0))))
    statement = update(SavedView).where(
        SavedView.owner_id == owner_id, SavedView.path == path, SavedView.is_default
    )
    await session.execute(statement.values(is_default=False))
