"""Tables of this room; the queue's own belong to procrastinate."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from fleetkeeper.database.base import Base, Keyed
from fleetkeeper.jobs.status import RunState


class JobRun(Keyed, Base):
    """One carrying out of a job: asked for, scheduled, or both."""

    __tablename__ = "job_runs"
    __table_args__ = (
        Index("ix_job_runs_requested_at", "requested_at", "id"),
        Index("ix_job_runs_job", "job", "requested_at"),
        Index("ix_job_runs_queue_job_id", "queue_job_id"),
        # What waits already need not wait twice.
        Index("uq_job_runs_job_key", "job", "key", unique=True, postgresql_where=text("state = 'waiting'")),
    )

    job: Mapped[str] = mapped_column(String(80))
    # Tells apart what one job does: for which device, which source.
    key: Mapped[str] = mapped_column(String(200), server_default="")
    args: Mapped[dict[str, Any]] = mapped_column(server_default="{}")
    state: Mapped[str] = mapped_column(String(10), server_default=RunState.WAITING)
    phase: Mapped[str] = mapped_column(String(80), server_default="")
    done: Mapped[int] = mapped_column(BigInteger, server_default="0")
    total: Mapped[int | None] = mapped_column(BigInteger)
    outcome: Mapped[dict[str, Any]] = mapped_column(server_default="{}")
    error: Mapped[str] = mapped_column(String(500), server_default="")
    requested_by: Mapped[str] = mapped_column(String(255), server_default="")
    reason: Mapped[str] = mapped_column(String(500), server_default="")
    requested_at: Mapped[datetime] = mapped_column(server_default=text("now()"))
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    cancel_requested_at: Mapped[datetime | None]
    attempts: Mapped[int] = mapped_column(server_default="0")
    queue_job_id: Mapped[int | None] = mapped_column(BigInteger)
