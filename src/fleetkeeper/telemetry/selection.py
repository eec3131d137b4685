"""Series of the whole fleet by their labels, as query languages select them, and their samples.

A series is a channel of a device. Its labels are those that the sender gave, `__name__` included; a channel that says
nothing of its origin, as an agent's, gets `instance`, the device's name, and `device_id`.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Literal
from uuid import UUID

import re2
from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.errors import FieldError, InvalidInputError
from fleetkeeper.identity.actor import Actor
from fleetkeeper.telemetry import catalogue
from fleetkeeper.telemetry.host_mark import HOST_MARK
from fleetkeeper.telemetry.reading import read_wanted
from fleetkeeper.telemetry.resample import Times, Values
from fleetkeeper.telemetry.stored import Wanted

NAME = "__name__"
INSTANCE = "instance"
DEVICE = "device_id"


@dataclass(frozen=True)
class Matcher:
    """A condition on a label. Patterns are RE2's and match the whole value; an absent label is empty."""

    name: str
    op: Literal["=", "!=", "=~", "!~"]
    value: str

    def matches(self, value: str) -> bool:
        """Whether a label's value fulfils it. Raises InvalidInputError for a pattern that is none."""
        if self.op == "=":
            return value == self.value
        if self.op == "!=":
            return value != self.value
        return (_pattern(self.value).fullmatch(value) is not None) is (self.op == "=~")


@dataclass(frozen=True)
class FleetSeries:
    """A channel of a device with its labels, and where it stands in the layouts that have it."""

    device_id: UUID
    channel_id: int
    labels: Mapping[str, str]
    places: dict[int, int] = field(default_factory=dict, compare=False)


@dataclass(frozen=True)
class _Candidate:
    """A channel, and the conditions that its device must fulfil: one of these lists. None is any device."""

    channel_id: int
    labels: Mapping[str, str]
    marked: tuple[str, ...]
    open_conditions: list[list[Matcher]]

    def labels_of(self, host: str, name: str, device_id: UUID) -> Mapping[str, str]:
        if self.marked:
            return {**self.labels, **{key: self.labels[key].replace(HOST_MARK, host) for key in self.marked}}
        if INSTANCE in self.labels:
            return self.labels
        return {**self.labels, INSTANCE: name, DEVICE: str(device_id)}


async def find_series(
    session: AsyncSession,
    actor: Actor,
    matcher_sets: Sequence[Sequence[Matcher]],
    *,
    limit: int,
    devices: Sequence[UUID] | None = None,
) -> list[FleetSeries]:
    """The series of devices that the actor may see which fulfil all matchers of one of the sets, device by device.

    `devices` are those that are looked at; all when None.

    Raises InvalidInputError when there are more than `limit`, and for a pattern that is none.
    """
    candidates, by_layout = await _candidates(session, matcher_sets)
    found: dict[UUID, dict[int, FleetSeries]] = {}
    left = limit
    for row in await catalogue.devices_with(session, actor, sorted(by_layout), devices):
        device_id = row.device_id
        of_device = found.setdefault(device_id, {})
        for position, channel_id in by_layout[row.layout_id]:
            if row.present is not None and not row.present >> (position - 1) & 1:
                continue
            series = of_device.get(channel_id)
            if series is None:
                candidate = candidates[channel_id]
                labels = candidate.labels_of(row.host, row.name, device_id)
                if candidate.open_conditions and not _fulfils(labels, candidate.open_conditions):
                    continue
                if not left:
                    raise _too_many(limit)
                left -= 1
                series = of_device[channel_id] = FleetSeries(device_id, channel_id, labels)
            series.places[row.layout_id] = position
    return [series for of_device in found.values() for series in of_device.values()]


async def read_series(
    session: AsyncSession, series: Sequence[FleetSeries], start_us: int, end_us: int, *, max_samples: int
) -> list[tuple[Times, Values]]:
    """The samples of each series in [start, end), oldest first. Raises InvalidInputError past `max_samples`."""
    wanted = [Wanted(item.device_id, item.channel_id, item.places) for item in series]
    return await read_wanted(session, wanted, start_us, end_us, max_samples=max_samples)


async def label_names(
    session: AsyncSession, actor: Actor, matcher_sets: Sequence[Sequence[Matcher]], *, limit: int
) -> list[str]:
    """The names of all labels of the selected series, in order."""
    names: set[str] = set()
    for labels in await _label_sets(session, actor, matcher_sets, (INSTANCE, DEVICE), limit):
        names.update(labels)
        if INSTANCE not in labels:
            names.update((INSTANCE, DEVICE))
    return sorted(names)


async def label_values(
    session: AsyncSession, actor: Actor, name: str, matcher_sets: Sequence[Sequence[Matcher]], *, limit: int
) -> list[str]:
    """The values that a label has in the selected series, in order."""
    if name in {INSTANCE, DEVICE}:
        series = await find_series(session, actor, matcher_sets, limit=limit)
        return sorted({item.labels[name] for item in series if name in item.labels})
    found = await _label_sets(session, actor, matcher_sets, (name,), limit)
    return sorted({labels[name] for labels in found if name in labels})


async def _label_sets(
    session: AsyncSession,
    actor: Actor,
    matcher_sets: Sequence[Sequence[Matcher]],
    asked: Iterable[str],
    limit: int,
) -> list[Mapping[str, str]]:
    """Labels of the selected series; without those of the device where nothing that is asked depends on it."""
    candidates, by_layout = await _candidates(session, matcher_sets)
    by_device = any(
        candidate.open_conditions or not {*candidate.marked}.isdisjoint({*asked} - {INSTANCE, DEVICE})
        for candidate in candidates.values()
    )
    if by_device:
        return [item.labels for item in await find_series(session, actor, matcher_sets, limit=limit)]
    seen: set[int] = set()
    for row in await catalogue.layouts_in_use(session, actor, sorted(by_layout)):
        seen.update(
            channel_id
            for position, channel_id in by_layout[row.layout_id]
            if row.is_whole or row.present >> (position - 1) & 1
        )
    return [candidates[channel_id].labels for channel_id in seen]


async def _candidates(
    session: AsyncSession, matcher_sets: Sequence[Sequence[Matcher]]
) -> tuple[dict[int, _Candidate], dict[int, list[tuple[int, int]]]]:
    """Channels that may be meant, and their places (position, channel) by layout."""
    candidates: dict[int, _Candidate] = {}
    by_layout: dict[int, list[tuple[int, int]]] = {}
    for row in await catalogue.channels_named(session, _names(matcher_sets)):
        labels = {**row.labels, NAME: row.metric}
        marked = tuple(key for key, value in row.labels.items() if HOST_MARK in value)
        open_conditions = _open_conditions(labels, marked, matcher_sets)
        if open_conditions is None:
            continue
        needed = open_conditions if all(open_conditions) else []
        candidates[row.id] = _Candidate(row.id, labels, marked, needed)
        for layout, position in row.places.items():
            by_layout.setdefault(int(layout), []).append((position, row.id))
    return candidates, by_layout


def _names(matcher_sets: Sequence[Sequence[Matcher]]) -> list[str] | None:
    """The metrics that are meant, when each selection names one."""
    names = []
    for matchers in matcher_sets:
        given = [item.value for item in matchers if item.name == NAME and item.op == "="]
        if not given:
            return None
        names.append(given[0])
    return names


def _open_conditions(
    labels: Mapping[str, str], marked: Sequence[str], matcher_sets: Sequence[Sequence[Matcher]]
) -> list[list[Matcher]] | None:
    """What a device still has to fulfil, for each selection that the channel's own labels fulfil; None for none."""
    by_device = {*marked} if marked or INSTANCE in labels else {INSTANCE, DEVICE}
    left = [
        [item for item in matchers if item.name in by_device]
        for matchers in matcher_sets
        if all(item.matches(labels.get(item.name, "")) for item in matchers if item.name not in by_device)
    ]
    return left or None


def _fulfils(labels: Mapping[str, str], conditions: Sequence[Sequence[Matcher]]) -> bool:
    return any(all(item.matches(labels.get(item.name, "")) for item in matchers) for matchers in conditions)


@lru_cache(maxsize=1000)
def _pattern(text: str) -> Any:
    options = re2.Options()
    options.log_errors = False
    try:
        return re2.compile(text, options)
    except re2.error as error:
        message = error.args[0].decode() if error.args and isinstance(error.args[0], bytes) else str(error)
        raise InvalidInputError(
            "The pattern is wrong.", fields=[FieldError("match[]", f"{text[:80]}: {message}")]
        ) from None


def _too_many(limit: int) -> InvalidInputError:
    message = f"more than {limit} series; give more labels"
    return InvalidInputError("The selection is too wide.", fields=[FieldError("match[]", message)])
