"""What can be annotated. Rooms above say what there is; who may see and change it may do so with what is added."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, null
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
    # Whose it is; None for a kind that belongs to no department.
    department: ColumnElement[UUID] | ColumnElement[UUID | None] | None = None


@dataclass(frozen=True)
class Found:
    """An object as far as this room knows it."""

    kind: Annotated
    id: UUID
    label: str
    department_id: UUID | None = None

    @property
    def href(self) -> str:
        """Its page."""
        return self.kind.href.format(self.id)


KINDS: dict[str, Annotated] = {}


def declare_annotated(kind: Annotated) -> None:
    """Let objects of a kind be annotated. Raises ValueError for a table that is declared."""
    if kind.table in KINDS:
        raise ValueError(f"{kind.table} is declared twice")
    KINDS[kind.table] = kind


async def check_visible(session: AsyncSession, actor: Actor, object_type: str, object_id: UUID) -> Found:
    """The object. Raises NotFoundError for one that the actor may not see, or of an unknown kind."""
    kind = KINDS.get(object_type)
    found = None if kind is None else await _find(session, kind, kind.visible(actor), object_id)
    if found is None:
        raise NotFoundError("There is no such object.")
    return found


async def check_writable(session: AsyncSession, actor: Actor, object_type: str, object_id: UUID) -> Found:
    """The object. Raises as `check_visible` does, and ForbiddenError for one that the actor may only see."""
    await check_visible(session, actor, object_type, object_id)
    kind = KINDS[object_type]
    found = await _find(session, kind, kind.writable(actor), object_id)
    if found is None:
        raise ForbiddenError(f"You may not change this {kind.title}.")
    return found


async def find_with_rights(
    session: AsyncSession, actor: Actor, object_type: str, object_id: UUID
) -> tuple[Found, bool] | None:
    """The object, and whether the actor may change it; None where they may not see what is added to it."""
    kind = KINDS.get(object_type)
    if kind is None:
        return None
    department = null() if kind.department is None else kind.department
    may_write = kind.key.in_(kind.writable(actor).with_only_columns(kind.key))
    asked = kind.visible(actor).with_only_columns(
        kind.label, department, may_write, maintain_column_froms=True
    )
    row = (await session.execute(asked.where(kind.key == object_id))).one_or_none()
    return None if row is None else (Found(kind, object_id, row[0], row[1]), row[2])


async def _find(session: AsyncSession, kind: Annotated, among: Select[Any], object_id: UUID) -> Found | None:
    department = null() if kind.department is None else kind.department
    asked = among.with_only_columns(kind.label, department, maintain_column_froms=True)
    row = (await session.execute(asked.where(kind.key == object_id))).one_or_none()
    return None if row is None else Found(kind, object_id, row[0], row[1])
