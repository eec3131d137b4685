"""Reads samples into numpy arrays, from all tiers, of one device or many: few statements whatever is asked."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

import numpy as np
from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.database.engine import driver_connection, let_go, settings_of
from fleetkeeper.errors import FieldError, InvalidInputError
from fleetkeeper.telemetry import catalogue, queries
from fleetkeeper.telemetry.archive.queries import LivePart, live_parts
from fleetkeeper.telemetry.archive.reading import Unreadable, read_archived
from fleetkeeper.telemetry.chunks.blocks import Block
from fleetkeeper.telemetry.chunks.codec import is_missing
from fleetkeeper.telemetry.host_mark import marked_labels, with_host
from fleetkeeper.telemetry.resample import Times, Values
from fleetkeeper.telemetry.stored import TooManySamplesError, Wanted, read_stored


@dataclass(frozen=True)
class Channel:
    """A channel of one device: what it measures, and its position in each layout that the device has used."""

    channel_id: int
    metric: str
    labels: dict[str, str]
    unit: str
    kind: str
    group: str
    description: str
    places: dict[int, int]
    # Those that have it: itself, and devices that were merged into it.
    devices: tuple[UUID, ...]

    @classmethod
    def from_row(cls, row: Any, host: str = "") -> "Channel":
        """From a row of `channels_of_device`, with the name that stands in the place of the mark in labels."""
        places = {int(layout): int(position) for layout, position in row[7].items()}
        return cls(
            row[0], row[1], dict(with_host(row[2], host)), row[3], row[4], row[5], row[6], places, (*row[8],)
        )


async def channels_of(
    session: AsyncSession, device_id: UUID, metrics: Sequence[str] | None = None
) -> list[Channel]:
    """A device's channels, of some metrics or of all, with labels as they go out."""
    rows = await queries.channels_of_device(session, device_id, metrics)
    host = ""
    if any(marked_labels(row.labels) for row in rows):
        host = (await catalogue.hosts_of(session, [device_id])).get(device_id, "")
    return [Channel.from_row(row, host) for row in rows]


async def read_samples(
    session: AsyncSession,
    channels: Sequence[Channel],
    start: datetime,
    end: datetime,
    *,
    max_samples: int,
) -> list[tuple[Times, Values]]:
    """Samples of each channel of a device in [start, end), oldest first, missing ones left out.

    Raises InvalidInputError when there are more than `max_samples`.
    """
    wanted = [
        Wanted(one, channel.channel_id, channel.places) for channel in channels for one in channel.devices
    ]
    found = iter(
        await read_wanted(session, wanted, _microseconds(start), _microseconds(end), max_samples=max_samples)
    )
    return [_as_one([next(found) for _ in channel.devices]) for channel in channels]


def _as_one(parts: Sequence[tuple[Times, Values]]) -> tuple[Times, Values]:
    """Samples of one channel of several devices in the order of time; of one moment the first one's."""
    if len(parts) == 1:
        return parts[0]
    times, first = np.unique(np.concatenate([one[0] for one in parts]), return_index=True)
    return times, np.concatenate([one[1] for one in parts])[first]


async def read_wanted(
    session: AsyncSession, wanted: Sequence[Wanted], start_us: int, end_us: int, *, max_samples: int
) -> list[tuple[Times, Values]]:
    """Samples of channels of many devices in [start, end), in the order of `wanted`; otherwise as `read_samples`."""
    blocks = await read_blocks(session, wanted, start_us, end_us, max_samples=max_samples)
    return [series_of(blocks.get(item.device_id, ()), item.channel_id, start_us, end_us) for item in wanted]


async def read_blocks(
    session: AsyncSession,
    wanted: Sequence[Wanted],
    start_us: int,
    end_us: int,
    *,
    max_samples: int,
    gaps: Sequence[tuple[int, int]] = (),
) -> dict[UUID, list[Block]]:
    """Blocks, by device, that hold the samples of channels in [start, end), and maybe some outside of it.

    Of two samples of one moment the earlier block's counts. What lies in the `gaps` (first moment, moment after) may
    be left out. What of the archive cannot be read is left out, and is told by `warnings_of`.

    Raises InvalidInputError when there are more than `max_samples`.
    """
    if not wanted:
        return {}
    connection = await driver_connection(session)
    try:
        stored = await read_stored(connection, wanted, start_us, end_us, gaps=gaps, max_samples=max_samples)
    except TooManySamplesError:
        raise _too_many(max_samples) from None
    if not stored.has_archive:
        return stored.blocks
    # What is archived meanwhile is met twice, and never missed.
    unreadable: list[Unreadable] = session.info.setdefault("unreadable", [])
    archived = await read_archived(
        partial(_find_parts, session),
        settings_of(session),
        sorted({item.device_id for item in wanted}),
        sorted({item.channel_id for item in wanted}),
        start_us,
        end_us,
        unreadable=unreadable,
    )
    if sum(block.samples for blocks in archived.values() for block in blocks) > max_samples:
        raise _too_many(max_samples)
    return {
        device_id: [*archived.get(device_id, ()), *stored.blocks.get(device_id, ())]
        for device_id in {**archived, **stored.blocks}
    }


async def _find_parts(
    session: AsyncSession, device_ids: Sequence[UUID], first_day: int, next_day: int
) -> Sequence[LivePart]:
    parts = await live_parts(await driver_connection(session), device_ids, first_day, next_day)
    await let_go(session)
    return parts


def warnings_of(session: AsyncSession) -> list[str]:
    """What could not be read in a session, in sentences for people."""
    found: list[Unreadable] = session.info.get("unreadable", [])
    return list(dict.fromkeys(problem.message for problem in found))


def series_of(blocks: Sequence[Block], channel_id: int, start_us: int, end_us: int) -> tuple[Times, Values]:
    """A channel's samples in [start, end), in the order of time; of one moment the earlier block's."""
    kept = []
    for block in blocks:
        column = block.columns.get(channel_id)
        if column is None:
            continue
        low, high = np.searchsorted(block.times, (start_us, end_us))
        times, values = block.times[low:high], column[low:high]
        present = ~is_missing(values)
        kept.append((times, values) if present.all() else (times[present], values[present]))
    if not kept:
        return np.empty(0, np.int64), np.empty(0)
    if len(kept) == 1:
        return kept[0]
    times = np.concatenate([part[0] for part in kept])
    values = np.concatenate([part[1] for part in kept])
    if len(times) > 1 and (np.diff(times) <= 0).any():
        # `unique` names the first of equals.
        times, order = np.unique(times, return_index=True)
        values = values[order]
    return times, values


def _too_many(max_samples: int) -> InvalidInputError:
    message = f"more than {max_samples} samples; ask for less time or fewer metrics"
    return InvalidInputError("The range holds too many samples.", fields=[FieldError("from", message)])


def _microseconds(moment: datetime) -> int:
    return round(moment.timestamp() * 1_000_000)
