"""Runs with their history: asked for or by schedule, one at a time, picked up again after a crash."""

import json
import time
from collections.abc import Sequence
from typing import Any
from uuid import UUID

import psycopg
import structlog
from sqlalchemy.exc import SQLAlchemyError

from fleetkeeper.audit.recorder import record_event
from fleetkeeper.database.context import TransactionContext, product_context
from fleetkeeper.database.engine import Database
from fleetkeeper.jobs.declaring import job
from fleetkeeper.jobs.run import Run as JobRun
from fleetkeeper.jobs.run import RunCancelledError
from fleetkeeper.kit.ids import uuid7
from fleetkeeper.settings import Settings
from fleetkeeper.telemetry.archive import deletion, keeping_queries, service
from fleetkeeper.telemetry.archive.jobs import Progress, Run, apply_policies, archive_lock
from fleetkeeper.telemetry.archive.policies import KEEP_ALL, Policy
from fleetkeeper.telemetry.archive.queries import Connection
from fleetkeeper.telemetry.chunks.jobs import sealing_connection
from fleetkeeper.telemetry.rollups.jobs import refresh_rollups

log = structlog.get_logger(__name__)

RETAIN_TASK = "telemetry.retain"
_TELL_EVERY_SECONDS = 1.0


async def retain(
    database: Database,
    settings: Settings,
    *,
    context: TransactionContext | None = None,
    requested_by: str = "",
    now: float | None = None,
    progress: Progress | None = None,
) -> UUID | None:
    """Delete what was asked to go, then apply the policies; returns the run's id.

    None when another process is at it; what was asked for is done by that one then.
    """
    run_id: UUID | None = None
    async with archive_lock(database.url) as is_ours:
        if not is_ours:
            return None
        async with sealing_connection(database.url) as connection:
            await connection.execute(
                "UPDATE archive_runs SET state = 'failed', finished_at = now(), errors = %s WHERE state = 'running'",
                (json.dumps(["It was interrupted; the next run goes on where it was."]),),
            )
            while True:
                waiting = await _begin(connection, requested_by, is_first=run_id is None)
                if not waiting:
                    return run_id
                run_id = waiting[-1]
                await _run_once(connection, database, settings, waiting, context, now, progress)


async def delete_requested(database: Database, settings: Settings) -> int | None:
    """Carry out the deletions that were asked for; None when another process is at the archive.

    Rollups that a deletion leaves to be made anew are made. Files that no longer count are removed.
    """
    async with archive_lock(database.url) as is_ours:
        if not is_ours:
            return None
        # Files that were rewritten hold what was deleted: they go within the hour, and not at night only.
        async with sealing_connection(database.url) as connection:
            _, problems = await service.remove_leftovers(connection, settings)
        for problem in problems:
            log.warning("the archive", problem=problem)
        done = await deletion.carry_out(database, settings)
    if done:
        await refresh_rollups(database.url, settings)
    return done


async def _run_once(
    connection: Connection,
    database: Database,
    settings: Settings,
    run_ids: Sequence[UUID],
    context: TransactionContext | None,
    now: float | None,
    progress: Progress | None,
) -> None:
    steps: dict[str, int] = {}
    told_at = 0.0

    async def tell(step: str, done: int) -> None:
        nonlocal told_at
        steps[step] = steps.get(step, 0) + done
        if progress is not None:
            await progress(step, done)
        if time.monotonic() - told_at > _TELL_EVERY_SECONDS:
            told_at = time.monotonic()
            await _store(connection, run_ids, "running", {"steps": steps}, [])

    try:
        await refresh_rollups(database.url, settings)
        if await deletion.carry_out(database, settings):
            await refresh_rollups(database.url, settings)
        run = await apply_policies(database.url, settings, now=now, progress=tell)
        await deletion.carry_out(database, settings)
        policies = await keeping_queries.read_policies(connection)
    except RunCancelledError:
        await _store(
            connection, run_ids, "failed", {"steps": steps}, ["It was cancelled; the next run goes on."]
        )
        raise
    except (psycopg.Error, SQLAlchemyError, OSError) as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0][:300]
        log.exception("the policies could not be applied")
        await _store(connection, run_ids, "failed", {"steps": steps}, [reason])
        raise
    outcome = outcome_of(run, policies)
    await _store(connection, run_ids, "failed" if run.errors else "done", outcome, run.errors)
    if run.told or run.dropped_months or run.errors:
        async with database.session(context or product_context("job", RETAIN_TASK)) as session:
            details = outcome | {"errors": run.errors[:10]}
            await record_event(
                session, "telemetry.retention", "archive_runs", str(run_ids[-1]), details=details
            )


async def _begin(connection: Connection, requested_by: str, *, is_first: bool) -> list[UUID]:
    """The runs that wait, which begin now; one of our own where none does and this is the first look."""
    cursor = await connection.execute(
        "UPDATE archive_runs SET state = 'running', started_at = now() WHERE state = 'waiting' RETURNING id"
    )
    found = [row[0] for row in await cursor.fetchall()]
    if not found and is_first:
        found = [uuid7()]
        await connection.execute(
            "INSERT INTO archive_runs (id, state, requested_by, started_at) VALUES (%s, 'running', %s, now())",
            (found[0], requested_by),
        )
    return sorted(found)


async def _store(
    connection: Connection,
    run_ids: Sequence[UUID],
    state: str,
    outcome: dict[str, Any],
    errors: Sequence[str],
) -> None:
    await connection.execute(
        "UPDATE archive_runs SET state = %s, outcome = %s, errors = %s, "
        "finished_at = CASE WHEN %s = 'running' THEN NULL ELSE now() END WHERE id = ANY(%s)",
        (state, json.dumps(outcome), json.dumps(list(errors)), state, list(run_ids)),
    )


def outcome_of(run: Run, policies: Sequence[Policy]) -> dict[str, Any]:
    """A run as JSON: what each policy moved or removed, by tier."""
    by_id = {policy.id: policy for policy in policies}
    return {
        "lines": [
            {
                "policy_id": policy_id or None,
                "policy": by_id.get(policy_id, KEEP_ALL).title,
                "action": action,
                "tier": tier,
                "devices": len(one.devices),
                "pieces": one.pieces,
                "samples": one.samples,
                "size_bytes": one.size_bytes,
            }
            for (policy_id, action, tier), one in sorted(run.told.items())
        ],
        "dropped_months": run.dropped_months,
        "dropped_bytes": run.dropped_bytes,
        "written_bytes": run.written_bytes,
        "removed_files": run.removed_files,
        "united_files": run.united_files,
    }


@job(RETAIN_TASK, "Apply retention policies", cron="37 2 * * *")
async def retain_by_schedule(run: JobRun) -> None:
    """Move what is old into files, and delete what is past its time."""
    steps: dict[str, int] = {}

    async def tell(step: str, done: int) -> None:
        steps[step] = steps.get(step, 0) + done
        await run.tell(step, steps[step])

    await retain(run.database, run.settings, requested_by=run.requested_by, progress=tell)


# Devices that were deleted are looked for each hour, in case that their own job got lost.
@job(deletion.DELETE_TASK, "Delete telemetry", cron="29 * * * *", is_quiet=True)
async def delete_by_schedule(run: JobRun) -> None:
    """Carry out the deletions that were asked for."""
    run.outcome["deletions"] = await delete_requested(run.database, run.settings) or 0
