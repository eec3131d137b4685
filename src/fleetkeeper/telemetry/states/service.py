"""Reading the states of a device."""

from collections.abc import Sequence
from datetime import datetime
from itertools import groupby
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.devices import service as devices
from fleetkeeper.errors import FieldError, InvalidInputError
from fleetkeeper.identity.actor import Actor
from fleetkeeper.identity.permissions import Permission
from fleetkeeper.telemetry.states import queries
from fleetkeeper.telemetry.states.schemas import StateSeries, StatesRead
from fleetkeeper_protocol.metrics import parse_channel

MAX_CHANGES = 10_000


async def states_of(
    session: AsyncSession,
    actor: Actor,
    device_id: UUID,
    metrics: Sequence[str],
    start: datetime,
    end: datetime,
) -> StatesRead:
    """What a device was from `start` to `end`, by channel: of some metrics, or of all.

    Raises NotFoundError, and InvalidInputError for a range that ends before it begins.
    """
    if end <= start:
        raise InvalidInputError("The range is wrong.", fields=[FieldError("to", "lies after `from`")])
    await devices.check_permission(session, actor, Permission.TELEMETRY_READ, device_id)
    rows = await queries.changes(session, device_id, metrics, start, end, MAX_CHANGES + 1)
    series = []
    for key, of_channel in groupby(rows[:MAX_CHANGES], key=lambda row: row.key):
        metric, labels = parse_channel(key)
        changes: list[tuple[float, str | bool]] = [
            (row.ts.timestamp(), row.value == "true" if row.is_boolean else row.value) for row in of_channel
        ]
        series.append(StateSeries(metric=metric, labels=labels, changes=changes))
    return StatesRead(device=device_id, states=series, is_complete=len(rows) <= MAX_CHANGES)
