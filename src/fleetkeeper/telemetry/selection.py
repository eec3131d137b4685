"""Series of the whole fleet by their labels, as query languages select them, and their samples.

A series is a channel of a device. Its labels are those that the sender gave, `__name__` included; a channel that says
nothing of its origin, as an agent's, gets `instance`, the device's name, and `device_id`.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.errors import FieldError, InvalidInputError
from fleetkeeper.identity.actor import Actor
from fleetkeeper.kit.turns import Turns
from fleetkeeper.telemetry import catalogue
from fleetkeeper.telemetry.catalogue import Between, NamedChannel
from fleetkeeper.telemetry.host_mark import marked_labels, with_host
from fleetkeeper.telemetry.matchers import Matcher
from fleetkeeper.telemetry.reading import read_wanted
from fleetkeeper.telemetry.resample import Times, Values
from fleetkeeper.telemetry.stored import Wanted

NAME = "__name__"
INSTANCE = "instance"
DEVICE = "device_id"
# A pattern that is a list of names.
_ALTERNATIVES = re.compile(r"[\w:]+(?:\|[\w:]+)*", re.ASCII)


@dataclass(frozen=True)
class FleetSeries:
    """A channel of a device with its labels, and where it stands in the layouts that have it."""

    device_id: UUID
    channel_id: int
    labels: Mapping[str, str]
    places: dict[int, int] = field(default_factory=dict, compare=False)


# Selections that want a channel, by number, each with the conditions that its device has yet to fulfil.
_Conditions = Sequence[tuple[int, Sequence[Matcher]]]


@dataclass(frozen=True)
class _Candidate:
    """A channel that some selections want. `wanted_by` says by which, where that does not depend on the device."""

    channel_id: int
    labels: Mapping[str, str]
    marked: tuple[str, ...]
    conditions: _Conditions
    wanted_by: Sequence[int] | None

    @property
    def depends_on_device(self) -> bool:
        """Whether no selection wants it on any device."""
        return all(matchers for _, matchers in self.conditions)

    def selections_of(self, labels: Mapping[str, str]) -> Sequence[int]:
        """The selections that want it on a device where it has these labels."""
        if self.wanted_by is not None:
            return self.wanted_by
        return [number for number, matchers in self.conditions if _fulfils(labels, matchers)]

    def labels_of(self, host: str, name: str, device_id: UUID) -> Mapping[str, str]:
        if self.marked:
            return with_host(self.labels, host)
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
    found = await _find(session, actor, matcher_sets, limit, devices)
    return [series for series, _ in found]


async def find_each(
    session: AsyncSession,
    actor: Actor,
    selections: Sequence[Sequence[Matcher]],
    *,
    limit: int,
    devices: Sequence[UUID] | None = None,
) -> list[list[FleetSeries]]:
    """The same for each selection by itself, at the cost of one; `limit` is each one's.

    What several select is the same object in each. Raises InvalidInputError as `find_series` does.
    """
    each: list[list[FleetSeries]] = [[] for _ in selections]
    for series, selected in await _find(session, actor, selections, limit * len(selections), devices):
        for number in selected:
            each[number].append(series)
    if any(len(found) > limit for found in each):
        raise _too_many(limit)
    return each


async def _find(
    session: AsyncSession,
    actor: Actor,
    selections: Sequence[Sequence[Matcher]],
    limit: int,
    devices: Sequence[UUID] | None,
) -> list[tuple[FleetSeries, Sequence[int]]]:
    """Series, device by device, with the numbers of the selections that want them."""
    channels, uses = await catalogue.channels_and_devices(session, actor, _names(selections), devices)
    candidates, by_layout = _candidates(channels, selections)
    found: dict[UUID, dict[int, tuple[FleetSeries, Sequence[int]]]] = {}
    left = limit
    turns = Turns()
    for layout_id, name, device_id, host, present in uses:
        await turns.give_way()
        of_device = found.setdefault(device_id, {})
        for position, channel_id in by_layout.get(layout_id, ()):
            if present is not None and not present >> (position - 1) & 1:
                continue
            known = of_device.get(channel_id)
            if known is None:
                candidate = candidates[channel_id]
                labels = candidate.labels_of(host, name, device_id)
                selected = candidate.selections_of(labels)
                if not selected:
                    continue
                if not left:
                    raise _too_many(limit)
                left -= 1
                known = of_device[channel_id] = FleetSeries(device_id, channel_id, labels), selected
            known[0].places[layout_id] = position
    return [item for of_device in found.values() for item in of_device.values()]


async def read_series(
    session: AsyncSession, series: Sequence[FleetSeries], start_us: int, end_us: int, *, max_samples: int
) -> list[tuple[Times, Values]]:
    """The samples of each series in [start, end), oldest first. Raises InvalidInputError past `max_samples`."""
    wanted = [Wanted(item.device_id, item.channel_id, item.places) for item in series]
    return await read_wanted(session, wanted, start_us, end_us, max_samples=max_samples)


async def with_samples(
    session: AsyncSession, series: Sequence[FleetSeries], between: Between | None
) -> list[FleetSeries]:
    """Those that have samples in that time, all when it is None, as far as is known without reading samples.

    A frame counts for all channels of its layout that the device has, and a chunk, of at most a day, from the first to
    the last moment of the channels that share its times; an archived day counts as a whole. So a series may be there
    that has no sample in the range, and none is missing that has.
    """
    if between is None or not series:
        return list(series)
    layouts = {(item.device_id, layout): None for item in series for layout in item.places}
    hot = await catalogue.pairs_with_frames(session, list(layouts), between)
    has_frames = [any((item.device_id, layout) in hot for layout in item.places) for item in series]
    rest = [
        (item.device_id, item.channel_id)
        for item, is_hot in zip(series, has_frames, strict=True)
        if not is_hot
    ]
    stored = await catalogue.pairs_stored(session, rest, between) if rest else set()
    return [
        item
        for item, is_hot in zip(series, has_frames, strict=True)
        if is_hot or (item.device_id, item.channel_id) in stored
    ]


async def label_names(
    session: AsyncSession,
    actor: Actor,
    matcher_sets: Sequence[Sequence[Matcher]],
    *,
    limit: int,
    between: Between | None = None,
) -> list[str]:
    """The names of all labels of the selected series, in order; narrowed as `with_samples` does."""
    names: set[str] = set()
    for labels in await _label_sets(session, actor, matcher_sets, (INSTANCE, DEVICE), limit, between):
        names.update(labels)
        if INSTANCE not in labels:
            names.update((INSTANCE, DEVICE))
    return sorted(names)


async def label_values(
    session: AsyncSession,
    actor: Actor,
    name: str,
    matcher_sets: Sequence[Sequence[Matcher]],
    *,
    limit: int,
    between: Between | None = None,
) -> list[str]:
    """The values that a label has in the selected series, in order; narrowed as `with_samples` does."""
    if name in {INSTANCE, DEVICE}:
        series = await find_series(session, actor, matcher_sets, limit=limit)
        series = await with_samples(session, series, between)
        return sorted({item.labels[name] for item in series if name in item.labels})
    found = await _label_sets(session, actor, matcher_sets, (name,), limit, between)
    return sorted({labels[name] for labels in found if name in labels})


async def _label_sets(
    session: AsyncSession,
    actor: Actor,
    matcher_sets: Sequence[Sequence[Matcher]],
    asked: Iterable[str],
    limit: int,
    between: Between | None,
) -> list[Mapping[str, str]]:
    """Labels of the selected series; without those of the device where nothing that is asked depends on it."""
    channels = await catalogue.channels_named(session, _names(matcher_sets))
    candidates, by_layout = _candidates(channels, matcher_sets)
    by_device = any(
        candidate.depends_on_device or not {*candidate.marked}.isdisjoint({*asked} - {INSTANCE, DEVICE})
        for candidate in candidates.values()
    )
    if by_device:
        series = await find_series(session, actor, matcher_sets, limit=limit)
        return [item.labels for item in await with_samples(session, series, between)]
    seen: set[int] = set()
    for row in await catalogue.layouts_in_use(session, actor, sorted(by_layout), between):
        seen.update(
            channel_id
            for position, channel_id in by_layout[row.layout_id]
            if row.is_whole or row.present >> (position - 1) & 1
        )
    if between is not None:
        rest = candidates.keys() - seen
        seen |= await catalogue.channels_stored(session, actor, sorted(rest), between) if rest else set()
    return [candidates[channel_id].labels for channel_id in seen]


def _candidates(
    channels: Iterable[NamedChannel], matcher_sets: Sequence[Sequence[Matcher]]
) -> tuple[dict[int, _Candidate], dict[int, list[tuple[int, int]]]]:
    """Channels that may be meant, and their places (position, channel) by layout."""
    candidates: dict[int, _Candidate] = {}
    by_layout: dict[int, list[tuple[int, int]]] = {}
    for channel in channels:
        labels = {**channel.labels, NAME: channel.metric}
        marked = marked_labels(channel.labels)
        conditions = _conditions(labels, marked, matcher_sets)
        if not conditions:
            continue
        is_settled = not any(matchers for _, matchers in conditions)
        wanted_by = [number for number, _ in conditions] if is_settled else None
        candidates[channel.id] = _Candidate(channel.id, labels, marked, conditions, wanted_by)
        for layout, position in zip(channel.layouts, channel.positions, strict=True):
            by_layout.setdefault(layout, []).append((position, channel.id))
    return candidates, by_layout


def _names(matcher_sets: Sequence[Sequence[Matcher]]) -> list[str] | None:
    """The metrics that may be meant, when each selection names some."""
    names: list[str] = []
    for matchers in matcher_sets:
        given = [item.value for item in matchers if item.name == NAME and _is_plain(item)]
        if not given:
            return None
        names += given[0].split("|")
    return names


def _is_plain(matcher: Matcher) -> bool:
    """Whether it wants one of some values that it names."""
    return matcher.op == "=" or (matcher.op == "=~" and _ALTERNATIVES.fullmatch(matcher.value) is not None)


def _conditions(
    labels: Mapping[str, str], marked: Sequence[str], matcher_sets: Sequence[Sequence[Matcher]]
) -> _Conditions:
    """What a device still has to fulfil, for each selection that the channel's own labels fulfil."""
    by_device = {*marked} if marked or INSTANCE in labels else {INSTANCE, DEVICE}
    return [
        (number, [item for item in matchers if item.name in by_device])
        for number, matchers in enumerate(matcher_sets)
        if _fulfils(labels, [item for item in matchers if item.name not in by_device])
    ]


def _fulfils(labels: Mapping[str, str], matchers: Sequence[Matcher]) -> bool:
    return all(item.matches(labels.get(item.name, "")) for item in matchers)


def _too_many(limit: int) -> InvalidInputError:
    message = f"more than {limit} series; give more labels"
    return InvalidInputError("The selection is too wide.", fields=[FieldError("match[]", message)])
