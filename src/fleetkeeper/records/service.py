"""The usual service of a kind of object: list, get, create, change, delete, and moves of its status.

Its model has `id`, `department_id` and `version`. What belongs to no department is for those who have the permission
everywhere.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Generic, TypeVar
from uuid import UUID

from pydantic import BaseModel
from sqlalchemy import Select, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.approvals.asking import ask_if_needed
from fleetkeeper.approvals.schemas import ApprovalRead
from fleetkeeper.approvals.service import withdraw
from fleetkeeper.database.constraints import told_by_name
from fleetkeeper.database.status_history import move as move_status
from fleetkeeper.errors import ForbiddenError, NotFoundError
from fleetkeeper.identity.actor import Actor
from fleetkeeper.identity.authority import check_move
from fleetkeeper.identity.permissions import Permission
from fleetkeeper.kit.etags import check_version
from fleetkeeper.kit.listing import Listing
from fleetkeeper.kit.pagination import PageOf
from fleetkeeper.kit.status import Machine
from fleetkeeper.records.approving import ApprovedMove

Write = TypeVar("Write", bound=BaseModel)
Read = TypeVar("Read", bound=BaseModel)
# Looks at the present row, none for a new object, and at what is wanted. Raises ConflictError, InvalidInputError.
Check = Callable[[Any, Any], None]


def _anything(present: Any, wanted: Any) -> None:
    del present, wanted


@dataclass(frozen=True)
class Records(Generic[Write, Read]):
    """One kind of object; a room keeps it as a value and calls its methods."""

    model: type[Any]
    listing: Listing
    write_as: type[Write]
    read_as: type[Read]
    page_as: type[PageOf[Read]]
    # What people call one of them, and several.
    noun: tuple[str, str]
    # The page of one, with `{}` in the place of its ID.
    page: str
    read: Permission
    write: Permission
    # The column that people know it by.
    label: str = "name"
    machine: Machine[Any] | None = None
    approved: Mapping[StrEnum, ApprovedMove] = field(default_factory=dict)
    check: Check = _anything
    # Whether what belongs to no department is seen by everybody who sees any: it concerns them, too.
    is_shared: bool = False
    # What is stored of what is wanted.
    values: Callable[[Any], dict[str, Any]] = BaseModel.model_dump

    def __post_init__(self) -> None:
        """Declare what may need approval."""
        for state, one in self.approved.items():
            one.declare(state, self.locked, self._move)

    @property
    def table(self) -> str:
        """The name of its table, which the audit log and annotations know it by."""
        name: str = self.model.__table__.name
        return name

    def visible_to(self, actor: Actor) -> Select[Any]:
        """What an actor may see: the one place that decides it."""
        scope = actor.scope(self.read)
        if scope.everywhere:
            return select(self.model)
        own = self.model.department_id.in_(sorted(scope.departments))
        if self.is_shared and scope:
            own = or_(own, self.model.department_id.is_(None))
        return select(self.model).where(own)

    def writable_to(self, actor: Actor) -> Select[Any]:
        """What an actor may change."""
        scope = actor.scope(self.write)
        everything = select(self.model)
        if scope.everywhere:
            return everything
        return everything.where(self.model.department_id.in_(sorted(scope.departments)))

    async def list(
        self,
        session: AsyncSession,
        actor: Actor,
        parameters: Sequence[tuple[str, str]],
        *,
        is_counted: bool = True,
    ) -> PageOf[Read]:
        """One page of what the actor may see. Raises InvalidInputError."""
        return await self.listing.read(
            session,
            self.visible_to(actor),
            parameters,
            self.page_as,
            lambda row: self.read_as.model_validate(row[0]),
            is_counted=is_counted,
        )

    async def get(self, session: AsyncSession, actor: Actor, key: UUID) -> Read:
        """One of them. Raises NotFoundError."""
        return self.read_as.model_validate(await self._find(session, actor, key))

    async def create(self, session: AsyncSession, actor: Actor, wanted: Write) -> Read:
        """Make one. Raises ForbiddenError, ConflictError for a name that is taken, InvalidInputError."""
        row = self.model(**self.values(wanted))
        self._check_may_write(actor, row.department_id)
        self.check(None, wanted)
        return await self._insert(session, row)

    async def change(
        self,
        session: AsyncSession,
        actor: Actor,
        key: UUID,
        wanted: Write,
        expected_version: int | None = None,
    ) -> Read:
        """Change one. Raises as making one does, NotFoundError, and PreconditionError for a lost update."""
        row = await self.locked(session, actor, key)
        values = self.values(wanted)
        place = values.get("department_id", row.department_id)
        self._check_may_write(actor, place)
        if place != row.department_id:
            check_move(actor, row.department_id, place)
        check_version(self.noun[0], row.version, expected_version)
        self.check(row, wanted)
        if all(getattr(row, name) == value for name, value in values.items()):
            return self.read_as.model_validate(row)
        await self._set(session, row, values)
        await self._withdraw(session, row, "was changed")
        return await self._read_anew(session, row)

    async def delete(self, session: AsyncSession, actor: Actor, key: UUID) -> None:
        """Delete one. Raises NotFoundError, ForbiddenError, ConflictError for one that others refer to."""
        row = await self.locked(session, actor, key)
        await self._withdraw(session, row, "was deleted")
        async with told_by_name(session):
            await session.delete(row)

    async def move(
        self, session: AsyncSession, actor: Actor, key: UUID, wanted: StrEnum, reason: str
    ) -> Read | ApprovalRead:
        """Move its status, or ask for approval where a rule wants that.

        Raises NotFoundError, ForbiddenError, and ConflictError for a move that is not allowed or nobody could approve.
        """
        row = await self.locked(session, actor, key)
        if self.machine is None:
            raise NotFoundError(f"A {self.noun[0]} has no status.")
        self.machine.check(type(wanted)(row.status), wanted)
        if wanted in self.approved:
            action = self.approved[wanted].action(row, self.page, getattr(row, self.label), reason)
            held = await ask_if_needed(session, actor, action)
            if held is not None:
                return held
        return await self._move(session, row, wanted, reason)

    async def locked(self, session: AsyncSession, actor: Actor, key: UUID) -> Any:
        """The row, locked, for an act of the room. Raises NotFoundError, ForbiddenError."""
        if self.is_shared:
            # The database locks nothing for whoever may only read it, as if it were not there.
            self._check_may_write(actor, (await self._find(session, actor, key)).department_id)
        row = await self._find(session, actor, key, is_locked=True)
        self._check_may_write(actor, row.department_id)
        return row

    async def _insert(self, session: AsyncSession, row: Any) -> Read:
        async with told_by_name(session):
            session.add(row)
        return await self._read_anew(session, row)

    async def _move(self, session: AsyncSession, row: Any, wanted: StrEnum, reason: str) -> Read:
        row.version += 1
        if self.machine is not None:
            await move_status(session, self.machine, row, wanted, reason=reason)
        await self._withdraw(session, row, "has another status")
        return await self._read_anew(session, row)

    async def _withdraw(self, session: AsyncSession, row: Any, what: str) -> None:
        if self.approved:
            await withdraw(session, self.table, str(row.id), f"The {self.noun[0]} {what}.")

    async def _set(self, session: AsyncSession, row: Any, values: Mapping[str, Any]) -> None:
        """Give a row its values, as its next version."""
        async with told_by_name(session):
            for name, value in values.items():
                setattr(row, name, value)
            row.version += 1

    async def _read_anew(self, session: AsyncSession, row: Any) -> Read:
        await session.refresh(row)
        return self.read_as.model_validate(row)

    async def _find(self, session: AsyncSession, actor: Actor, key: UUID, *, is_locked: bool = False) -> Any:
        visible = self.visible_to(actor).where(self.model.id == key)
        if is_locked:
            # What was read before somebody else's change is not what is there.
            visible = visible.with_for_update().execution_options(populate_existing=True)
        row = await session.scalar(visible)
        if row is None:
            raise NotFoundError(f"There is no such {self.noun[0]}.")
        return row

    def _check_may_write(self, actor: Actor, department_id: UUID | None) -> None:
        if not actor.may_in(self.write, department_id):
            where = "everywhere" if department_id is None else "in its department"
            raise ForbiddenError(f"This needs the permission {self.write} {where}.")
