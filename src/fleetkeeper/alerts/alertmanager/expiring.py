"""Ends alerts that came by the API and that nobody has posted again."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.alerts.alertmanager import queries
from fleetkeeper.alerts.log.writing import close_alerts
from fleetkeeper.alerts.models import AlertInstance
from fleetkeeper.alerts.status import Resolution


async def expire(session: AsyncSession, now: datetime) -> int:
    """End what has expired; returns how many alerts that were."""
    return await end(session, await queries.expired(session, now), now, Resolution.EXPIRED)


async def end(
    session: AsyncSession, instances: Sequence[AlertInstance], now: datetime, why: Resolution
) -> int:
    """Resolve alerts that came by the API, and forget them."""
    keys = [(one.alert_id, one.triggered_at) for one in instances if one.alert_id and one.triggered_at]
    # Alerts are locked before what rules see, as everywhere.
    count = await close_alerts(session, [(key, None) for key in keys], now, why)
    await queries.forget(session, [one.fingerprint for one in instances])
    return count
