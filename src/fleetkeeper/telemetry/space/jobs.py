"""The hourly measurement."""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

import structlog

from fleetkeeper.database.context import TransactionContext, product_context
from fleetkeeper.database.engine import Database
from fleetkeeper.jobs.declaring import job
from fleetkeeper.jobs.run import Run
from fleetkeeper.jobs.service import enqueue
from fleetkeeper.kit.clock import utc_now
from fleetkeeper.telemetry.space import counting, queries

log = structlog.get_logger(__name__)

MEASURE_TASK = "telemetry.measure_space"
# In which minute of each hour.
MEASURE_MINUTE = 19
STEPS = (*counting.TIERS, "channels")
Progress = Callable[[str], Awaitable[None]]


def next_measurement(now: datetime) -> datetime:
    """When the worker measures next by itself."""
    at = now.replace(minute=MEASURE_MINUTE, second=0, microsecond=0)
    return at if at > now else at + timedelta(hours=1)


async def measure_first(database: Database) -> bool:
    """Ask for a measurement if samples have arrived and the totals have none yet; returns whether that was so."""
    async with database.session(product_context("job", MEASURE_TASK)) as session:
        totals = await queries.newest_totals(session)
        newest = max((row.measured_at for row in totals), default=None)
        if any(row.samples for row in totals) or not await queries.accepted_since(session, newest):
            return False
        await enqueue(session, MEASURE_TASK)
        return True


async def measure_space(
    database: Database,
    *,
    context: TransactionContext | None = None,
    progress: Progress | None = None,
) -> datetime:
    """Count every tier, each in a transaction of its own; returns the measurement's moment."""
    context = context or product_context("job", MEASURE_TASK)
    at = utc_now()
    for step in STEPS:
        async with database.session(context) as session:
            if step in counting.TIERS:
                await counting.measure_tier(session, step, at)
            else:
                await counting.count_channels(session)
                await counting.forget_old(session, at)
        if progress is not None:
            await progress(step)
    return at


@job(MEASURE_TASK, "Measure storage", cron=f"{MEASURE_MINUTE} * * * *", manual_run=True)
async def measure_by_schedule(run: Run) -> None:
    """Count what each tier holds."""

    async def tell(step: str) -> None:
        await run.tell(step, STEPS.index(step) + 1, len(STEPS))

    run.outcome["measured_at"] = (await measure_space(run.database, progress=tell)).isoformat()


# A new installation need not wait for its first hour to be over.
@job("telemetry.measure_first", "Measure storage for the first time", cron="* * * * *", is_quiet=True)
async def measure_first_by_schedule(run: Run) -> None:
    """Ask for a measurement as soon as there is something to measure."""
    await measure_first(run.database)
