"""The hourly measurement."""

from collections.abc import Awaitable, Callable
from datetime import datetime

import structlog

from fleetkeeper.database.context import TransactionContext, product_context
from fleetkeeper.database.engine import Database
from fleetkeeper.kit.clock import utc_now
from fleetkeeper.telemetry.space import counting

log = structlog.get_logger(__name__)

MEASURE_TASK = "telemetry.measure_space"
STEPS = (*counting.TIERS, "channels")
Progress = Callable[[str], Awaitable[None]]


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
