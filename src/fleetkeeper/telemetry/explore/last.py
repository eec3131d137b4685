"""The newest values of the whole fleet: a question that everybody asks first, answered from `latest`."""

from collections.abc import Sequence
from uuid import UUID

import numpy as np
from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.database.engine import driver_connection
from fleetkeeper.errors import FieldError, InvalidInputError
from fleetkeeper.identity.actor import Actor
from fleetkeeper.identity.permissions import Permission
from fleetkeeper.telemetry import catalogue
from fleetkeeper.telemetry.explore import queries
from fleetkeeper.telemetry.explore.schemas import LastAnswer, LastRow
from fleetkeeper.telemetry.host_mark import HOST_MARK
from fleetkeeper_protocol.metrics import format_channel, parse_channel

MAX_METRICS = 50
_FIRST = UUID(int=0)


async def last_of_all(
    session: AsyncSession, actor: Actor, metrics: Sequence[str], limit: int, after: str | None
) -> LastAnswer:
    """The newest values of some metrics of each device that the actor may see. Raises InvalidInputError."""
    channels = await _channels(session, metrics)
    scope = actor.scope(Permission.TELEMETRY_READ)
    rows = await queries.newest_values(
        await driver_connection(session),
        sorted(channels),
        None if scope.everywhere else sorted(scope.departments),
        _device(after),
        limit,
    )
    results = []
    for device_id, name, ts, numbers, values in rows:
        found = zip(
            np.frombuffer(numbers, ">i4").tolist(), np.frombuffer(values, ">f8").tolist(), strict=True
        )
        told = {channels[number].replace(HOST_MARK, name): value for number, value in found}
        results.append(LastRow(device_id, name, ts, told))
    return LastAnswer(results)


async def _channels(session: AsyncSession, metrics: Sequence[str]) -> dict[int, str]:
    """The wanted channels with their spelling."""
    if not 0 < len(metrics) <= MAX_METRICS:
        raise _wrong("metric", f"give 1 to {MAX_METRICS} metrics")
    try:
        wanted = [parse_channel(text) for text in metrics]
    except ValueError as error:
        raise _wrong("metric", str(error)) from None
    rows = await catalogue.channels_named(session, sorted({name for name, _ in wanted}))
    return {
        row.id: format_channel(row.metric, row.labels)
        for row in rows
        if any(name == row.metric and labels.items() <= row.labels.items() for name, labels in wanted)
    }


def _device(after: str | None) -> UUID:
    try:
        return UUID(after) if after else _FIRST
    except ValueError:
        raise _wrong("after", "is the UUID of a device") from None


def _wrong(name: str, message: str) -> InvalidInputError:
    return InvalidInputError("The question is wrong.", fields=[FieldError(name, message)])
