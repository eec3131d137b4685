"""What can be annotated. Rooms above say what there is; who may see and change it may do so with what is added."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select
from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.errors import ForbiddenError, NotFoundError
from fleetkeeper.identity.actor import Actor

Visible = Callable[[Actor], Select[Any]]


@dataclass(frozen=True)
class Annotated:
    """One kind of object, by the name of its table. `visible` and `writable` are those of an actor."""

    table: str
    # What people call one of them.
    title: str
    # Its page, with `{}` in the place of its ID.
    href: str
    key: ColumnElement[UUID]
    label: ColumnElement[str]
    visible: Visible
    writable: Visible


KINDS: dict[str, Annotated] = {}


def declare_annotated(kind: Annotated) -> None:
    """Let objects of a kind be annotated. Raises ValueError for a table that is declared."""
    if kind.table in KINDS:
        raise ValueError(f"{kind.table} is declared twice")
    KINDS[kind.table] = kind


async def check_visible(session: AsyncSession, actor: Actor, object_type: str, object_id: UUID) -> str:
    """The object's name. Raises NotFoundError for one that the actor may not see, or of an unknown kind."""
    kind = KINDS.get(object_type)
    label = None if kind is None else await _label(session, kind, kind.visible(actor), object_id)
    if label is None:
        raise NotFoundError("There is no such object.")
    return label


async def check_writable(session: AsyncSession, actor: Actor, object_type: str, object_id: UUID) -> str:
    """The object's name. Raises as `check_visible` does, and ForbiddenError for one that the actor may only see."""
    await check_visible(session, actor, object_type, object_id)
    kind = KINDS[object_type]
    label = await _label(session, kind, kind.writable(actor), object_id)
    if label is None:
        raise ForbiddenError(f"You may not change this {kind.title}.")
    return label


async def _label(session: AsyncSession, kind: Annotated, among: Select[Any], object_id: UUID) -> str | None:
    found = among.with_only_columns(kind.label, maintain_column_froms=True).where(kind.key == object_id)
    label: str | None = await session.scalar(found)
    return label
