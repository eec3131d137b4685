"""Asking for jobs, in the caller's transaction; looking at runs, and cancelling them."""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, select, text
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.database.status_history import move
from fleetkeeper.errors import InvalidInputError, NotFoundError
from fleetkeeper.jobs.declaring import JOBS
from fleetkeeper.jobs.models import JobRun
from fleetkeeper.jobs.schemas import JobRead, RunAsked, RunPage, RunRead
from fleetkeeper.jobs.status import RUNS, RunState
from fleetkeeper.kit.clock import utc_now
from fleetkeeper.kit.id_prefix import find_id
from fleetkeeper.kit.ids import uuid7
from fleetkeeper.kit.listing import Field, Listing

LISTING = Listing(
    fields={
        "job": Field(JobRun.job.expression, str),
        "key": Field(JobRun.key.expression, str),
        "state": Field(JobRun.state.expression, str, choices=tuple(RunState)),
        "requested_by": Field(JobRun.requested_by.expression, str),
        "requested_at": Field(JobRun.requested_at.expression, datetime),
    },
    search=(JobRun.job.expression, JobRun.requested_by.expression, JobRun.key.expression),
    key=JobRun.id.expression,
    default_ordering="-requested_at",
)


async def enqueue(
    session: AsyncSession, name: str, key: str = "", *, reason: str = "", **args: Any
) -> RunAsked:
    """Let a job run as soon as a worker can, for who acts in this transaction.

    What waits with the same key is not asked for twice.
    """
    asked = await session.execute(
        text(
            "INSERT INTO job_runs (id, job, key, args, requested_by, reason) "
            "SELECT :id, :job, :key, CAST(:args AS jsonb), "
            "CASE who ->> 'kind' WHEN 'job' THEN 'schedule' ELSE left(coalesce(who ->> 'name', ''), 255) END, "
            "coalesce(nullif(:reason, ''), left(who ->> 'reason', 500), '') "
            "FROM (SELECT nullif(current_setting('fleetkeeper.audit', true), '')::jsonb AS who) AS present "
            "ON CONFLICT (job, key) WHERE state = 'waiting' DO NOTHING RETURNING id"
        ),
        {
            "id": uuid7(),
            "job": name,
            "key": key,
            "args": json.dumps(args),
            "reason": reason[:500],
        },
    )
    run_id = asked.scalar_one_or_none()
    if run_id is None:
        waiting = select(JobRun.id).where(JobRun.job == name, JobRun.key == key, JobRun.state == "waiting")
        present = await session.scalar(waiting)
        if present is not None:
            return RunAsked(id=present, is_new=False)
        # It began in this moment, and what is asked for now comes after it.
        return await enqueue(session, name, key, reason=reason, **args)
    await session.execute(
        text(
            "INSERT INTO procrastinate_jobs (queue_name, task_name, queueing_lock, args) "
            "VALUES ('default', :task, :lock, jsonb_build_object('run_id', CAST(:run AS text))) "
            "ON CONFLICT (queueing_lock) WHERE status = 'todo' DO NOTHING"
        ),
        {"task": name, "lock": lock_of(name, key), "run": str(run_id)},
    )
    return RunAsked(id=run_id, is_new=True)


async def wake(session: AsyncSession, name: str) -> None:
    """Let a scheduled job look at once what there is to do, when this transaction is committed. Asked once for each.

    Unlike `enqueue` it waits for no other transaction that does the same, and keeps no run where the job is quiet.
    """
    await session.execute(
        text(
            "INSERT INTO procrastinate_jobs (queue_name, task_name, queueing_lock, args) "
            "SELECT 'default', task, task || ' ' || CAST(pg_current_xact_id() AS text), '{}' "
            "FROM (SELECT CAST(:task AS text) AS task) AS named "
            "ON CONFLICT (queueing_lock) WHERE status = 'todo' DO NOTHING"
        ),
        {"task": name},
    )


def lock_of(name: str, key: str) -> str:
    """What keeps the queue from having the same work twice. A scheduled job's is its name."""
    return f"{name} {key}" if key else name


async def cancel(session: AsyncSession, run_id: UUID) -> RunRead:
    """Let a run not begin, or ask it to stop at its next step. Raises NotFoundError, ConflictError."""
    run = await session.get(JobRun, run_id, with_for_update=True)
    if run is None:
        raise NotFoundError("There is no such run.")
    RUNS.check(RunState(run.state), RunState.CANCELLED)
    run.cancel_requested_at = utc_now()
    if run.state == RunState.WAITING:
        run.finished_at = run.cancel_requested_at
        await move(session, RUNS, run, RunState.CANCELLED, column="state")
        job = JOBS.get(run.job)
        if job is not None and job.on_cancel is not None:
            await job.on_cancel(session, run.key)
    await session.flush()
    return _read(run)


async def list_runs(session: AsyncSession, parameters: Sequence[tuple[str, str]]) -> RunPage:
    """One page of runs, newest first."""
    page = await LISTING.page(session, select(JobRun), parameters)
    results = [_read(row[0]) for row in page.rows]
    return RunPage(count=page.count, next=page.next, previous=page.previous, results=results)


async def get_run(session: AsyncSession, run_id: UUID) -> RunRead:
    """One run. Raises NotFoundError."""
    run = await session.get(JobRun, run_id)
    if run is None:
        raise NotFoundError("There is no such run.")
    return _read(run)


async def newest_run(session: AsyncSession, name: str) -> RunRead | None:
    """A job's newest run."""
    newest = select(JobRun).where(JobRun.job == name).order_by(JobRun.requested_at.desc(), JobRun.id.desc())
    run = await session.scalar(newest.limit(1))
    return None if run is None else _read(run)


async def find_run(session: AsyncSession, beginning: str) -> UUID:
    """A run by its ID, or by a beginning that no other has. Raises NotFoundError, InvalidInputError."""
    return await find_id(session, select(JobRun.id), JobRun.id.expression, beginning, "run")


async def list_jobs(session: AsyncSession) -> list[JobRead]:
    """All declared jobs by their titles, each with its newest run."""
    newest = select(JobRun).ext(distinct_on(JobRun.job)).order_by(JobRun.job, JobRun.requested_at.desc())
    runs = {run.job: _read(run) for run in (await session.scalars(newest)).all()}
    waiting = select(JobRun.job, func.count()).where(JobRun.state == "waiting").group_by(JobRun.job)
    counts = {name: int(count) for name, count in (await session.execute(waiting)).all()}
    return [
        JobRead(
            name=job.name,
            title=job.title,
            cron=job.cron,
            manual_run=job.manual_run,
            waiting=counts.get(job.name, 0),
            last_run=runs.get(job.name),
        )
        for job in sorted(JOBS.values(), key=lambda one: one.title)
    ]


async def count_runs(session: AsyncSession) -> dict[str, int]:
    """How many runs there are in each state."""
    rows = await session.execute(select(JobRun.state, func.count()).group_by(JobRun.state))
    found: dict[str, int] = {str(state): number for state, number in rows}
    return {str(state): found.get(state, 0) for state in RunState}


async def ask_for(session: AsyncSession, name: str, reason: str = "") -> RunAsked:
    """Let a job run that people may ask for. Raises NotFoundError, InvalidInputError."""
    job = JOBS.get(name)
    if job is None:
        raise NotFoundError("There is no such job.")
    if not job.manual_run:
        raise InvalidInputError(f"“{job.title}” runs by itself and cannot be started by hand.")
    return await enqueue(session, name, reason=reason)


def _read(run: JobRun) -> RunRead:
    job = JOBS.get(run.job)
    found = RunRead.model_validate(run)
    return found.model_copy(update={"title": job.title if job else run.job})
