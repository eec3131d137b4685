"""What the product measures of itself as telemetry, each minute, so that charts and alert rules can look at it.

`fleetkeeper_*` belong to a device of the product's own, which those see who see the whole fleet. `clock_skew_seconds`
belongs to each device whose clock differs by a second or more; where the series ends, the clock is right again.
"""

import time
from datetime import datetime
from typing import Any
from uuid import UUID

import numpy as np
import structlog
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.audit.chain import sealing_state
from fleetkeeper.database.context import product_context
from fleetkeeper.database.engine import Database
from fleetkeeper.devices.product_devices import product_device
from fleetkeeper.errors import FleetkeeperError
from fleetkeeper.kit.clock import utc_now
from fleetkeeper.settings import Settings
from fleetkeeper.telemetry.product_samples import ProductSamples
from fleetkeeper.telemetry.resample import SECOND
from fleetkeeper.telemetry.samples import SampleSeries
from fleetkeeper_protocol.metrics import format_channel

log = structlog.get_logger(__name__)

EVERY_SECONDS = 60.0
CONTEXT = product_context("job", "operations.measure_itself")
SOURCE = ("fleetkeeper", "itself")
# Work that must succeed again and again: what it holds up when it does not is telemetry, the archive or the audit log.
WATCHED_TASKS = ("telemetry.seal", "telemetry.retain", "audit.seal", "audit.archive")
LEAST_SKEW_SECONDS = 1.0
MOST_SKEWED = 1000
TOKEN_DAYS = 30
MOST_TOKENS = 500


async def measure_itself(database: Database, settings: Settings, samples: ProductSamples) -> None:
    """Measure and store, unless another worker is at it; what goes wrong is logged, and the next minute tries again."""
    try:
        async with database.session(CONTEXT) as session:
            is_first = "SELECT pg_try_advisory_xact_lock(hashtextextended('operations.measure_itself', 0))"
            if not await session.scalar(text(is_first)):
                return
            now = utc_now()
            found = [*await _of_product(session, settings, now), *await _of_clocks(session)]
        moment = np.array([int(time.time()) * SECOND], np.int64)
        await samples.store(
            [SampleSeries(device.bytes, key, moment, np.array([value])) for device, key, value in found]
        )
    except (SQLAlchemyError, OSError, FleetkeeperError) as error:
        log.warning("the product did not measure itself", reason=str(error).splitlines()[0])


async def _of_product(
    session: AsyncSession, settings: Settings, now: datetime
) -> list[tuple[UUID, str, float]]:
    device = await product_device(session, SOURCE, "Fleetkeeper", now)
    state = await sealing_state(session, settings, now)
    waits = (now - state.oldest_unsealed_at).total_seconds() if state.oldest_unsealed_at else 0.0
    values = {
        "fleetkeeper_audit_sealing_stopped": float(state.status == "stopped"),
        "fleetkeeper_audit_oldest_unsealed_seconds": max(waits, 0.0),
    }
    newest = await session.scalar(text('SELECT max("timestamp") FROM audit_log'))
    if newest is not None:
        values["fleetkeeper_audit_newest_entry_seconds"] = (now - newest).total_seconds()
    for row in await _successes(session):
        key = format_channel("fleetkeeper_job_success_age_seconds", {"task": row.task_name})
        values[key] = max((now - row.at).total_seconds(), 0.0)
    for row in await _expiring_tokens(session):
        key = format_channel("fleetkeeper_token_expires_seconds", {"token": row.name, "user": row.username})
        values[key] = (row.expires_at - now).total_seconds()
    return [(device, key, value) for key, value in values.items()]


async def _successes(session: AsyncSession) -> Any:
    """When each of the watched tasks succeeded last, as far as that is still kept."""
    return await session.execute(
        text(
            "SELECT j.task_name, max(e.at) AS at FROM procrastinate_jobs j "
            "JOIN procrastinate_events e ON e.job_id = j.id AND e.type = 'succeeded' "
            "WHERE j.status = 'succeeded' AND j.task_name = ANY(CAST(:tasks AS text[])) GROUP BY j.task_name"
        ),
        {"tasks": list(WATCHED_TASKS)},
    )


async def _expiring_tokens(session: AsyncSession) -> Any:
    """API tokens that expire soon, the next one first."""
    return await session.execute(
        text(
            "SELECT t.name, u.username, min(t.expires_at) AS expires_at "
            "FROM api_tokens t JOIN users u ON u.id = t.user_id "
            "WHERE u.enabled AND t.expires_at BETWEEN now() AND now() + make_interval(days => :days) "
            "GROUP BY t.name, u.username ORDER BY 3 LIMIT :most"
        ),
        {"days": TOKEN_DAYS, "most": MOST_TOKENS},
    )


async def _of_clocks(session: AsyncSession) -> list[tuple[UUID, str, float]]:
    rows = await session.execute(
        text(
            "SELECT v.device_id, abs(v.clock_skew_seconds) AS skew FROM device_vitals v "
            "JOIN devices d ON d.id = v.device_id AND d.status = 'online' "
            "WHERE abs(v.clock_skew_seconds) >= :least ORDER BY 2 DESC LIMIT :most"
        ),
        {"least": LEAST_SKEW_SECONDS, "most": MOST_SKEWED},
    )
    return [(row.device_id, "clock_skew_seconds", float(row.skew)) for row in rows]
