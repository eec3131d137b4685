"""Reading the states of a device."""

from collections.abc import Sequence
from datetime import datetime
from itertools import groupby
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.devices import service as devices
from fleetkeeper.errors import FieldError, InvalidInputError
from fleetkeeper.identity.actor import Actor
from fleetkeeper.identity.permissions import Permission
from fleetkeeper.telemetry.states import queries
from fleetkeeper.telemetry.states.schemas import StateSeries, StatesRead
from fleetkeeper_protocol.metrics import is_metric_name, parse_channel

MAX_CHANGES = 10_000
_Change = tuple[float, str | bool]


async def states_of(
    session: AsyncSession,
    actor: Actor,
    device_id: UUID,
    metrics: Sequence[str],
    start: datetime,
    end: datetime,
) -> StatesRead:
    """What a device was from `start` to `end`, by channel: of some metrics, or of all.

    Raises NotFoundError, and InvalidInputError for a range that ends before it begins or a name that none can have.
    """
    if not all(map(is_metric_name, metrics)):
        raise InvalidInputError(
            "The state is wrong.",
            fields=[FieldError("metric", "is the name of a state, such as system_reboot_required")],
        )
    if end <= start:
        raise InvalidInputError("The range is wrong.", fields=[FieldError("to", "Must be later than `from`")])
    await devices.check_permission(session, actor, Permission.TELEMETRY_READ, device_id)
    rows = await queries.changes(session, device_id, metrics, start, end, MAX_CHANGES + 1)
    return StatesRead(
        device=device_id, states=_series(rows[:MAX_CHANGES]), is_complete=len(rows) <= MAX_CHANGES
    )


async def newest_states(
    session: AsyncSession, actor: Actor, device_id: UUID, start: datetime, end: datetime, limit: int
) -> list[StateSeries]:
    """What each state of a device is at `end`, with its last changes since `start`: `limit` at most.

    Raises NotFoundError.
    """
    await devices.check_permission(session, actor, Permission.TELEMETRY_READ, device_id)
    found = _series(await queries.newest_changes(session, device_id, end, limit))
    return [one.model_copy(update={"changes": _since(start.timestamp(), one.changes)}) for one in found]


def _since(start: float, changes: Sequence[_Change]) -> list[_Change]:
    """The changes after a moment (epoch seconds), and the one before them, which is what it was then."""
    before = sum(ts <= start for ts, _ in changes)
    return list(changes[max(0, before - 1) :])


def _series(rows: Sequence[Any]) -> list[StateSeries]:
    series = []
    for key, of_channel in groupby(rows, key=lambda row: row.key):
        metric, labels = parse_channel(key)
        changes: list[_Change] = [
            (row.ts.timestamp(), row.value == "true" if row.is_boolean else row.value) for row in of_channel
        ]
        series.append(StateSeries(metric=metric, labels=labels, changes=changes))
    return series
