"""Applying the policies and carrying out deletions as jobs: one at a time, gone on with after a crash."""

import asyncio
from collections.abc import Sequence
from typing import Any, NamedTuple

import structlog

from fleetkeeper.audit.recorder import record_event
from fleetkeeper.database.context import product_context
from fleetkeeper.database.engine import Database
from fleetkeeper.jobs.declaring import job
from fleetkeeper.jobs.run import Run as JobRun
from fleetkeeper.jobs.run import RunFailedError
from fleetkeeper.settings import Settings
from fleetkeeper.telemetry.archive import deletion, keeping_queries, service
from fleetkeeper.telemetry.archive.jobs import Progress, Run, apply_policies, archive_lock
from fleetkeeper.telemetry.archive.policies import KEEP_ALL, Policy
from fleetkeeper.telemetry.chunks.jobs import sealing_connection
from fleetkeeper.telemetry.rollups.jobs import refresh_rollups

log = structlog.get_logger(__name__)

RETAIN_TASK = "telemetry.retain"
# Whoever else is at the archive is waited for, an hour at most.
_LOOK_SECONDS, _MOST_LOOKS = 5.0, 720
_ERRORS_TOLD = 10


class Retained(NamedTuple):
    """What a run of the policies did, and what it could not do."""

    outcome: dict[str, Any]
    errors: list[str]

    @property
    def is_worth_telling(self) -> bool:
        """Whether anything changed or failed."""
        return bool(self.outcome["lines"] or self.outcome["dropped_months"] or self.errors)


async def retain(
    database: Database, settings: Settings, *, now: float | None = None, progress: Progress | None = None
) -> Retained | None:
    """Delete what was asked to go, then apply the policies. None while another process is at the archive."""
    async with archive_lock(database.url) as is_ours:
        if not is_ours:
            return None
        await refresh_rollups(database.url, settings)
        if await deletion.carry_out(database, settings):
            await refresh_rollups(database.url, settings)
        run = await apply_policies(database.url, settings, now=now, progress=progress)
        await deletion.carry_out(database, settings)
        async with sealing_connection(database.url) as connection:
            policies = await keeping_queries.read_policies(connection)
    return Retained(outcome_of(run, policies), run.errors)


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


@job(RETAIN_TASK, "Apply retention policies", cron="37 2 * * *", manual_run=True)
async def retain_by_schedule(run: JobRun) -> None:
    """Move what is old into files, and delete what is past its time."""
    steps: dict[str, int] = {}

    async def tell(step: str, done: int) -> None:
        steps[step] = steps.get(step, 0) + done
        await run.tell(step, steps[step])

    found = await _in_turn(run, tell)
    run.outcome |= found.outcome | {"errors": found.errors}
    if found.is_worth_telling:
        async with run.database.session(product_context("job", RETAIN_TASK)) as session:
            details = found.outcome | {"errors": found.errors[:_ERRORS_TOLD]}
            await record_event(session, "telemetry.retention", "job_runs", str(run.id), details=details)
    if found.errors:
        raise RunFailedError(found.errors[0])


async def _in_turn(run: JobRun, progress: Progress) -> Retained:
    """Raises RunFailedError where somebody else is at the archive for too long."""
    for _ in range(_MOST_LOOKS):
        found = await retain(run.database, run.settings, progress=progress)
        if found is not None:
            return found
        await run.tell("Waiting for other work on the archive")
        await asyncio.sleep(_LOOK_SECONDS)
    raise RunFailedError("Another archive job is still running; the next run continues.")


# Devices that were deleted are looked for each hour, in case that their own job got lost.
@job(deletion.DELETE_TASK, "Delete telemetry", cron="29 * * * *", is_quiet=True, on_cancel=deletion.cancel)
async def delete_by_schedule(run: JobRun) -> None:
    """Carry out the deletions that were asked for."""
    run.outcome["deletions"] = await delete_requested(run.database, run.settings) or 0
