"""Reads what counters counted from the hours that are rolled up."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import numpy as np
from psycopg import AsyncConnection

from fleetkeeper.telemetry.chunks.blocks import DAY
from fleetkeeper.telemetry.chunks.codec import unpack
from fleetkeeper.telemetry.explore import queries
from fleetkeeper.telemetry.explore.cover import Part
from fleetkeeper.telemetry.explore.groups import Places
from fleetkeeper.telemetry.explore.rates import CountedBuckets, RateCells
from fleetkeeper.telemetry.rollups.counters import unpack_counters
from fleetkeeper.telemetry.rollups.periods import HOUR, Tier

_COLUMNS = ("counts", "lasts", "counters")


async def add_counters(
    connection: AsyncConnection[Any],
    cells: RateCells,
    part: Part,
    devices: Sequence[UUID],
    places: Places,
) -> list[UUID]:
    """Add a part's hours; returns the devices of which nothing is added, as some hours do not say what was counted.

    `places` are the numbers of the series.
    """
    wanted = {channel for device_id in devices for channel in places[device_id]}
    rows = await queries.rollup_rows(
        connection, devices, Tier.HOUR, part.start_us // DAY, -(-part.end_us // DAY), _COLUMNS, wanted
    )
    found: dict[UUID, list[CountedBuckets]] = {}
    unknown: set[UUID] = set()
    for device_id, day, channel_ids, *packed in rows:
        own = [channel for channel in channel_ids if channel in places[device_id]]
        if not own:
            continue
        buckets = _buckets(part, day, channel_ids, packed, {c: places[device_id][c] for c in own})
        if buckets is None:
            unknown.add(device_id)
        else:
            found.setdefault(device_id, []).append(buckets)
    known = [item for device_id, items in found.items() if device_id not in unknown for item in items]
    if known:
        names = CountedBuckets.__dataclass_fields__
        cells.add_buckets(
            CountedBuckets(*(np.concatenate([getattr(item, name) for item in known]) for name in names))
        )
    return [device_id for device_id in devices if device_id in unknown]


def _buckets(
    part: Part, day: int, channel_ids: Sequence[int], packed: Sequence[Any], series_of: dict[int, int]
) -> CountedBuckets | None:
    """The hours of a row inside a part, of some channels; None where the row does not know them."""
    counters = None if packed[2] is None else unpack_counters(bytes(packed[2]))
    if counters is None or not series_of.keys() <= set(counters.channel_ids.tolist()):
        return None
    counts, lasts = (unpack(blob).reshape(len(channel_ids), -1) for blob in packed[:2])
    rows = [place for place, channel in enumerate(channel_ids) if channel in series_of]
    own = np.searchsorted(counters.channel_ids, [channel_ids[place] for place in rows])
    hours = day * DAY + np.arange(counts.shape[1], dtype=np.int64) * HOUR
    some = (counts[rows] > 0) & ((hours >= part.start_us) & (hours < part.end_us))
    starts = np.broadcast_to(hours, some.shape)[some]
    series = np.array([series_of[channel_ids[place]] for place in rows])
    firsts, newest = counters.firsts[own][some], lasts[rows][some]
    with np.errstate(invalid="ignore"):
        increases = newest - firsts + counters.excesses[own][some]
    return CountedBuckets(
        np.broadcast_to(series[:, np.newaxis], some.shape)[some],
        starts + counters.first_times[own][some],
        starts + counters.last_times[own][some],
        firsts,
        newest,
        increases,
    )
