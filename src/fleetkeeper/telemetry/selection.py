"""Series of the whole fleet by their labels, as query languages select them, and their samples.

A series is a channel of a device. Its labels are those that the sender gave, `__name__` included; a channel that says
nothing of its origin, as an agent's, gets those of its device (`own_series`), and where it is asked for there is `up`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.config.service import read_config
from fleetkeeper.devices.presence import offline_after
from fleetkeeper.errors import FieldError, InvalidInputError
from fleetkeeper.identity.actor import Actor
from fleetkeeper.kit.clock import utc_now
from fleetkeeper.kit.turns import Turns
from fleetkeeper.telemetry import catalogue
from fleetkeeper.telemetry.candidates import find_candidates, names_in
from fleetkeeper.telemetry.catalogue import Between
from fleetkeeper.telemetry.matchers import Matcher
from fleetkeeper.telemetry.own_series import ALIVE, Known, Origin, up_samples
from fleetkeeper.telemetry.reading import read_wanted
from fleetkeeper.telemetry.resample import SECOND, Times, Values
from fleetkeeper.telemetry.stored import Wanted


@dataclass(frozen=True)
class FleetSeries:
    """A channel of a device with its labels, and where it stands in the layouts that have it."""

    device_id: UUID
    channel_id: int
    labels: Mapping[str, str]
    places: dict[int, int] = field(default_factory=dict, compare=False)
    # Whether it tells if the device reports, by the times of the channel.
    is_up: bool = False


async def find_series(
    session: AsyncSession,
    actor: Actor,
    matcher_sets: Sequence[Sequence[Matcher]],
    *,
    limit: int,
    devices: Sequence[UUID] | None = None,
    with_up: bool = False,
) -> list[FleetSeries]:
    """The series of devices that the actor may see which fulfil all matchers of one of the sets, device by device.

    `devices` are those that are looked at; all when None. `with_up` asks for agents' `up` too.

    Raises InvalidInputError when there are more than `limit`, and for a pattern that is none.
    """
    found = await _find(session, actor, matcher_sets, limit, devices, with_up=with_up)
    return [series for series, _ in found]


async def find_each(
    session: AsyncSession,
    actor: Actor,
    selections: Sequence[Sequence[Matcher]],
    *,
    limit: int,
    devices: Sequence[UUID] | None = None,
) -> list[list[FleetSeries]]:
    """The same for each selection by itself, agents' `up` included, at the cost of one; `limit` is each one's.

    What several select is the same object in each. Raises InvalidInputError as `find_series` does.
    """
    each: list[list[FleetSeries]] = [[] for _ in selections]
    found = await _find(session, actor, selections, limit * len(selections), devices, with_up=True)
    for series, selected in found:
        for number in selected:
            each[number].append(series)
    if any(len(some) > limit for some in each):
        raise _too_many(limit)
    return each


async def _find(
    session: AsyncSession,
    actor: Actor,
    selections: Sequence[Sequence[Matcher]],
    limit: int,
    devices: Sequence[UUID] | None,
    *,
    with_up: bool,
) -> list[tuple[FleetSeries, Sequence[int]]]:
    """Series, device by device, with the numbers of the selections that want them."""
    names = names_in(selections, with_up=with_up)
    channels, uses = await catalogue.channels_and_devices(session, actor, names, devices)
    candidates, by_layout = find_candidates(channels, selections, with_up=with_up)
    found: dict[UUID, dict[int, tuple[FleetSeries, Sequence[int]]]] = {}
    left = limit
    turns = Turns()
    for use in uses:
        await turns.give_way()
        present, device_id, layout_id = use.present, use.device_id, use.layout_id
        is_merged = use.known_as != device_id
        origin = Origin(use.known_as, use.name, use.device_type, use.department, is_agent=present is None)
        of_device = found.setdefault(device_id, {})
        for position, channel_id in by_layout.get(layout_id, ()):
            if present is not None and (channel_id < 0 or not present >> (position - 1) & 1):
                continue
            if is_merged and channel_id < 0:
                # Whether it reports is for the device to tell that it is part of.
                continue
            known = of_device.get(channel_id)
            if known is None:
                candidate = candidates[channel_id]
                labels = candidate.labels_of(use.host, origin)
                selected = candidate.selections_of(labels)
                if not selected:
                    continue
                if not left:
                    raise _too_many(limit)
                left -= 1
                series = FleetSeries(device_id, abs(channel_id), labels, is_up=channel_id < 0)
                known = of_device[channel_id] = series, selected
            known[0].places[layout_id] = position
    return [item for of_device in found.values() for item in of_device.values()]


async def read_series(
    session: AsyncSession, series: Sequence[FleetSeries], start_us: int, end_us: int, *, max_samples: int
) -> list[tuple[Times, Values]]:
    """The samples of each series in [start, end), oldest first. Raises InvalidInputError past `max_samples`."""
    told = [item for item in series if item.is_up]
    stored = [item for item in series if not item.is_up]
    wanted = [Wanted(item.device_id, item.channel_id, item.places) for item in stored]
    found = iter(await read_wanted(session, wanted, start_us, end_us, max_samples=max_samples))
    up = iter(await _read_up(session, told, start_us, end_us, max_samples) if told else ())
    return [next(up if item.is_up else found) for item in series]


async def _read_up(
    session: AsyncSession, series: Sequence[FleetSeries], start_us: int, end_us: int, max_samples: int
) -> list[tuple[Times, Values]]:
    """Whether devices reported: a device counts as down when its status would be offline."""
    silence = offline_after((await read_config(session)).sampling.interval_seconds, 0.0)
    silence_us = round(silence.total_seconds() * SECOND)
    now = utc_now()
    known = {
        row.id: Known.of(row.since, row.retired_at or now)
        for row in await catalogue.known_of(session, {item.device_id for item in series}, ALIVE)
    }
    wanted = [Wanted(item.device_id, item.channel_id, item.places) for item in series]
    frames = await read_wanted(
        session, wanted, max(0, start_us - silence_us), end_us, max_samples=max_samples
    )
    return [
        up_samples(times, known[item.device_id], start_us, end_us, silence_us)
        for item, (times, _) in zip(series, frames, strict=True)
    ]


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


def _too_many(limit: int) -> InvalidInputError:
    message = f"more than {limit} series; give more labels"
    return InvalidInputError("The selection is too wide.", fields=[FieldError("match[]", message)])
