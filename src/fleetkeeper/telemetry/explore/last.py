"""The newest values of the whole fleet: a question that everybody asks first, answered from `latest`."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple
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
from fleetkeeper.telemetry.host_mark import marked_labels, with_host
from fleetkeeper_protocol.metrics import format_channel, parse_channel

MAX_METRICS = 50
# Devices that are looked through at once for those whose labels fit.
_PAGE = 1000
_Wanted = Sequence[tuple[str, dict[str, str]]]
_FIRST = UUID(int=0)


async def last_of_all(
    session: AsyncSession, actor: Actor, metrics: Sequence[str], limit: int, after: str | None
) -> LastAnswer:
    """The newest values of some metrics of each device that the actor may see. Raises InvalidInputError."""
    wanted = _wanted(metrics)
    channels = await _channels(session, wanted)
    scope = actor.scope(Permission.TELEMETRY_READ)
    connection = await driver_connection(session)
    results: list[LastRow] = []
    last, is_over = _device(after), False
    page = max(limit, _PAGE) if any(one.depends_on_device for one in channels.values()) else limit
    while not is_over and len(results) < limit:
        rows = await queries.newest_values(
            connection,
            sorted(channels),
            None if scope.everywhere else sorted(scope.departments),
            last,
            page,
        )
        # A device may have none of the channels under its own name; then the page is filled with others.
        results += [row for row in (_row(found, channels, wanted) for found in rows) if row.values]
        is_over = len(rows) < page
        last = rows[-1][0] if rows else last
    return LastAnswer(results[:limit])


def _row(found: queries.Newest, channels: Mapping[int, "_Channel"], wanted: _Wanted) -> LastRow:
    device_id, name, host, ts, numbers, values = found
    told: dict[str, float | None] = {}
    for number, value in zip(
        np.frombuffer(numbers, ">i4").tolist(), np.frombuffer(values, ">f8").tolist(), strict=True
    ):
        channel = channels[number]
        if not channel.depends_on_device:
            told[channel.key] = value
        elif _is_wanted(channel.metric, labels := with_host(channel.labels, host), wanted):
            told[format_channel(channel.metric, dict(labels))] = value
    return LastRow(device_id, name, ts, told)


class _Channel(NamedTuple):
    metric: str
    labels: dict[str, str]
    key: str
    depends_on_device: bool


def _wanted(metrics: Sequence[str]) -> _Wanted:
    if not 0 < len(metrics) <= MAX_METRICS:
        raise _wrong("metric", f"give 1 to {MAX_METRICS} metrics")
    try:
        return [parse_channel(text) for text in metrics]
    except ValueError as error:
        raise _wrong("metric", str(error)) from None


async def _channels(session: AsyncSession, wanted: _Wanted) -> dict[int, _Channel]:
    """The channels that are wanted, of some device at least as far as their own labels tell."""
    rows = await catalogue.channels_named(session, sorted({name for name, _ in wanted}))
    channels = {}
    for row in rows:
        marked = marked_labels(row.labels)
        own = {name: value for name, value in row.labels.items() if name not in marked}
        asked = [
            (name, {label: value for label, value in labels.items() if label not in marked})
            for name, labels in wanted
        ]
        if _is_wanted(row.metric, own, asked):
            key = "" if marked else format_channel(row.metric, row.labels)
            channels[row.id] = _Channel(row.metric, row.labels, key, bool(marked))
    return channels


def _is_wanted(metric: str, labels: Mapping[str, str], wanted: _Wanted) -> bool:
    return any(name == metric and asked.items() <= labels.items() for name, asked in wanted)


def _device(after: str | None) -> UUID:
    try:
        return UUID(after) if after else _FIRST
    except ValueError:
        raise _wrong("after", "is the UUID of a device") from None


def _wrong(name: str, message: str) -> InvalidInputError:
    return InvalidInputError("The query is wrong.", fields=[FieldError(name, message)])
