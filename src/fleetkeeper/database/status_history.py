"""The one way to move a status: the machine's table is asked, and the move is kept with who made it and why."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import Index, String, delete, func, select, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from fleetkeeper.database.base import Base, Keyed
from fleetkeeper.kit.status import Machine

State = TypeVar("State", bound=StrEnum)
_WHO = text(
    "SELECT left(coalesce(who ->> 'name', ''), 255), (who ->> 'user')::uuid "
    "FROM (SELECT nullif(current_setting('fleetkeeper.audit', true), '')::jsonb AS who) AS present"
)


class StatusChange(Keyed, Base):
    """One move of one object."""

    __tablename__ = "status_history"
    __table_args__ = (
        Index("ix_status_history_record_id", "record_id", "changed_at", "id"),
        Index("ix_status_history_changed_at", "changed_at"),
    )

    resource_type: Mapped[str] = mapped_column(String(63))
    record_id: Mapped[UUID]
    old_status: Mapped[str] = mapped_column(String(30))
    new_status: Mapped[str] = mapped_column(String(30))
    changed_at: Mapped[datetime] = mapped_column(server_default=text("now()"))
    changed_by: Mapped[str] = mapped_column(String(255), server_default="")
    user_id: Mapped[UUID | None]
    reason: Mapped[str] = mapped_column(String(500), server_default="")


async def move(
    session: AsyncSession,
    machine: Machine[State],
    row: Any,
    wanted: State,
    *,
    reason: str = "",
    column: str = "status",
) -> None:
    """Move an object that is locked by the caller; `column` holds its status. Raises ConflictError."""
    present = type(wanted)(getattr(row, column))
    await note_move(session, machine, row, present, wanted, reason=reason)
    setattr(row, column, wanted)
    await session.flush()


async def note_move(
    session: AsyncSession,
    machine: Machine[State],
    row: Any,
    present: State,
    wanted: State,
    *,
    reason: str = "",
) -> None:
    """Check and keep a move of an object whose status follows from other columns. Raises ConflictError."""
    machine.check(present, wanted)
    who = (await session.execute(_WHO)).one()
    session.add(
        StatusChange(
            resource_type=row.__tablename__,
            record_id=row.id,
            old_status=present,
            new_status=wanted,
            changed_by=who[0],
            user_id=who[1],
            reason=reason[:500],
        )
    )
    await session.flush()


async def changes_of(session: AsyncSession, record_id: UUID) -> Sequence[StatusChange]:
    """The moves of an object that the caller may see, oldest first."""
    moves = select(StatusChange).where(StatusChange.record_id == record_id)
    return (await session.scalars(moves.order_by(StatusChange.changed_at, StatusChange.id).limit(500))).all()


async def forget_moves(session: AsyncSession, age: timedelta) -> None:
    """Remove moves that are older."""
    await session.execute(delete(StatusChange).where(StatusChange.changed_at < func.now() - age))
