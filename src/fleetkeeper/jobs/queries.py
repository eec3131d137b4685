"""SQL of runs, in transactions of their own: what a run tells must not wait for its work to be committed."""

import json
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.kit.ids import uuid7

_OWN = """
    UPDATE job_runs SET state = 'running', started_at = now(), attempts = attempts + 1, queue_job_id = :queue_job,
        phase = '', done = 0, total = NULL, error = ''
    WHERE id = (
        SELECT id FROM job_runs
        WHERE (id = :run OR (job = :job AND key = :key AND state = 'waiting' AND CAST(:run AS uuid) IS NULL)
               OR queue_job_id = :queue_job)
          AND state IN ('waiting', 'running')
        ORDER BY id = :run DESC NULLS LAST, queue_job_id = :queue_job DESC NULLS LAST LIMIT 1 FOR UPDATE
    )
    RETURNING id, args, requested_by
"""


async def begin(
    session: AsyncSession, job: str, run_id: UUID | None, queue_job_id: int | None
) -> tuple[UUID, dict[str, Any], str] | None:
    """Let a run begin: the one that is named, that the same entry of the queue had, or that waits without a key."""
    parameters = {"run": run_id, "job": job, "key": "", "queue_job": queue_job_id}
    row = (await session.execute(text(_OWN), parameters)).one_or_none()
    return None if row is None else (row.id, row.args, row.requested_by)


async def begin_scheduled(session: AsyncSession, job: str, queue_job_id: int | None) -> UUID:
    """A run that nobody asked for."""
    run_id = uuid7()
    await session.execute(
        text(
            "INSERT INTO job_runs (id, job, state, requested_by, started_at, attempts, queue_job_id) "
            "VALUES (:id, :job, 'running', 'schedule', now(), 1, :queue_job)"
        ),
        {"id": run_id, "job": job, "queue_job": queue_job_id},
    )
    return run_id


async def tell(session: AsyncSession, run_id: UUID, phase: str, done: int, total: int | None) -> bool:
    """Keep how far a run is; returns whether it was asked to stop."""
    statement = text(
        "UPDATE job_runs SET phase = :phase, done = :done, total = :total WHERE id = :id "
        "RETURNING cancel_requested_at IS NOT NULL"
    )
    parameters = {"id": run_id, "phase": phase[:80], "done": done, "total": total}
    return bool(await session.scalar(statement, parameters))


async def end(
    session: AsyncSession, run_id: UUID, state: str, outcome: dict[str, Any], error: str = ""
) -> None:
    """Keep how a run ended, or that it waits to be tried again."""
    await session.execute(
        text(
            "UPDATE job_runs SET state = CAST(:state AS text), outcome = CAST(:outcome AS jsonb), error = :error, "
            "finished_at = CASE WHEN CAST(:state AS text) = 'waiting' THEN NULL ELSE now() END WHERE id = :id"
        ),
        {"id": run_id, "state": state, "outcome": json.dumps(outcome), "error": error[:500]},
    )


async def waits_already(session: AsyncSession, run_id: UUID) -> bool:
    """Whether another run of the same job and key waits."""
    statement = text(
        "SELECT EXISTS (SELECT FROM job_runs other JOIN job_runs own USING (job, key) "
        "WHERE own.id = :id AND other.id <> own.id AND other.state = 'waiting')"
    )
    return bool(await session.scalar(statement, {"id": run_id}))


async def fail_of_queue_job(session: AsyncSession, queue_job_id: int, error: str) -> list[tuple[UUID, str]]:
    """End the run of an entry of the queue that will not be tried again; returns its id and its job."""
    rows = await session.execute(
        text(
            "UPDATE job_runs SET state = 'failed', error = :error, finished_at = now() "
            "WHERE queue_job_id = :id AND state IN ('waiting', 'running') RETURNING id, job"
        ),
        {"id": queue_job_id, "error": error},
    )
    return [(row.id, row.job) for row in rows]


async def forget_old(session: AsyncSession, days: int) -> None:
    """Remove runs that ended so long ago."""
    await session.execute(
        text("DELETE FROM job_runs WHERE finished_at < now() - make_interval(days => :days)"), {"days": days}
    )
