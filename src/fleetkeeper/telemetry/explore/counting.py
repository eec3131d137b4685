"""Reads what counters counted from the hours that are rolled up."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

import numpy as np
from psycopg import AsyncConnection

from fleetkeeper.kit.turns import aside
from fleetkeeper.telemetry.chunks.blocks import DAY
from fleetkeeper.telemetry.chunks.codec import unpack
from fleetkeeper.telemetry.explore import queries
from fleetkeeper.telemetry.explore.cover import Part
from fleetkeeper.telemetry.explore.groups import Places
from fleetkeeper.telemetry.explore.rates import CountedBuckets, RateCells
from fleetkeeper.telemetry.rollups.counters import unpack_counters
from fleetkeeper.telemetry.rollups.periods import HOUR, Tier

_COLUMNS = ("counts", "lasts", "counters")
_NOTHING = (np.empty((0, 24)),) * 6


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
    unknown = await aside(len(rows), lambda: _add_hours(cells, part, rows, places))
    return [device_id for device_id in devices if device_id in unknown]


def _add_hours(cells: RateCells, part: Part, rows: Sequence[Sequence[Any]], places: Places) -> set[UUID]:
    """Add rows of hours; returns the devices of which nothing is added."""
    found = [(row[0], _hours(row, places[row[0]])) for row in rows]
    unknown = {device_id for device_id, hours in found if hours is None}
    known = [hours for device_id, hours in found if hours and device_id not in unknown]
    if any(series for series, *_ in known):
        series = np.array([number for hours in known for number in hours[0]], np.int64)
        midnights = np.array([hours[1] * DAY for hours in known for _ in hours[0]], np.int64)
        counts, lasts, firsts, excesses, first_times, last_times = (
            np.concatenate(column) for column in zip(*(hours[2:] for hours in known), strict=True)
        )
        starts = midnights[:, np.newaxis] + np.arange(counts.shape[1], dtype=np.int64) * HOUR
        some = (counts > 0) & (starts >= part.start_us) & (starts < part.end_us)
        with np.errstate(invalid="ignore"):
            increases = lasts - firsts + excesses
        cells.add_buckets(
            CountedBuckets(
                np.broadcast_to(series[:, np.newaxis], some.shape)[some],
                (starts + first_times)[some],
                (starts + last_times)[some],
                firsts[some],
                lasts[some],
                increases[some],
            )
        )
    return unknown


def _hours(row: Sequence[Any], numbers: Mapping[int, int]) -> tuple[Any, ...] | None:
    """The series that a row of a device has, its day, and their columns; None where it does not know one of them."""
    _, day, channel_ids, *packed = row
    positions = [place for place, channel in enumerate(channel_ids) if channel in numbers]
    counters = None if packed[2] is None else unpack_counters(bytes(packed[2]))
    own = [channel_ids[place] for place in positions]
    if counters is None:
        return None if own else ([], day, *_NOTHING)
    held = {channel: place for place, channel in enumerate(counters.channel_ids.tolist())}
    if not held.keys() >= set(own):
        return None
    counts, lasts = (unpack(blob).reshape(len(channel_ids), -1)[positions] for blob in packed[:2])
    counted = [held[channel] for channel in own]
    columns = counters.firsts, counters.excesses, counters.first_times, counters.last_times
    return [numbers[channel] for channel in own], day, counts, lasts, *(column[counted] for column in columns)
