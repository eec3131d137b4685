"""Fills groups by steps from the tiers that answer each device's part of a range."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby, pairwise
from typing import Any
from uuid import UUID

import numpy as np
from psycopg import AsyncConnection
from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.database.engine import driver_connection
from fleetkeeper.kit.turns import Turns, aside
from fleetkeeper.telemetry.chunks.blocks import DAY, Block
from fleetkeeper.telemetry.explore import queries
from fleetkeeper.telemetry.explore.across import PERCENTILE
from fleetkeeper.telemetry.explore.cells import NEEDS, Cells
from fleetkeeper.telemetry.explore.counting import add_counters
from fleetkeeper.telemetry.explore.cover import Part, Ranges, cover, read_together
from fleetkeeper.telemetry.explore.groups import Grouping, Places
from fleetkeeper.telemetry.explore.percentiles import ExactCells, SampleCells, SketchCells
from fleetkeeper.telemetry.explore.rates import LOOKBACK_US, RATES, RateCells
from fleetkeeper.telemetry.explore.rolled import PercentilesUnknownError, add_rollups, add_sketches
from fleetkeeper.telemetry.explore.schemas import PlanPart
from fleetkeeper.telemetry.explore.steps import Steps
from fleetkeeper.telemetry.reading import read_blocks, series_of
from fleetkeeper.telemetry.resample import SECOND, Values
from fleetkeeper.telemetry.rollups.periods import HOUR, Tier
from fleetkeeper.telemetry.rollups.quantiles import COLUMNS
from fleetkeeper.telemetry.rollups.queries import counters_among
from fleetkeeper.telemetry.selection import FleetSeries
from fleetkeeper.telemetry.stored import Wanted

# Series whose samples are in memory at once.
_SERIES_AT_ONCE = 500

_Filled = Cells | ExactCells | SampleCells | SketchCells | RateCells


@dataclass(frozen=True)
class Question:
    """What is asked of the series: aggregates or a quantile, in steps, of a range (microseconds).

    Aggregates of `NEEDS` may be asked together, and those of `RATES`; of `fill`, any, percentiles such as p95 too.

    `shares` are percentiles that are asked together with aggregates of `NEEDS`: each step is a bucket of rollups, each
    group a series, and rollups have them.
    """

    aggregates: tuple[str, ...]
    quantile: float | None
    steps: Steps
    start_us: int
    end_us: int
    max_samples: int
    shares: tuple[float, ...] = ()

    @property
    def tiers(self) -> tuple[Tier, ...]:
        """Which tiers know what is asked, widest first; of increases, those of counters are known."""
        if self.shares:
            return () if self.steps.bucket is None else (self.steps.bucket,)
        if self.quantile is not None:
            return tuple(tier for tier in self.steps.tiers if tier is not Tier.HOUR)
        return self.steps.tiers if self.is_of_buckets else self.steps.tiers[-1:]

    @property
    def is_of_increases(self) -> bool:
        """Whether it is answered by what was counted from sample to sample."""
        return bool(self.aggregates) and self.quantile is None and RATES.issuperset(self.aggregates)

    @property
    def is_of_buckets(self) -> bool:
        """Whether counts, sums and such answer it."""
        return NEEDS.keys() >= set(self.aggregates)

    @property
    def needs(self) -> tuple[str, ...]:
        """What has to be known of a bucket, if buckets answer it."""
        return tuple(
            dict.fromkeys(("counts", *(column for name in self.aggregates for column in NEEDS[name])))
        )

    def empty(self, groups: int, place_of: Sequence[int]) -> _Filled:
        """Where the answer is put together; `place_of` are the groups of the series."""
        if self.quantile is not None:
            return (SketchCells if self.tiers else SampleCells)(groups, self.steps.edges)
        if self.shares:
            return ExactCells(groups, self.steps.edges, self.needs, self.shares)
        if self.is_of_buckets:
            return Cells(groups, self.steps.edges, self.needs)
        return RateCells(groups, place_of, self.steps.edges, self.start_us)

    def answers(self, filled: _Filled) -> list[Values]:
        """The answers as (groups, steps), NaN where nothing is: one for each aggregate and share."""
        if isinstance(filled, ExactCells):
            buckets = [filled.cells.aggregate(name) for name in self.aggregates]
            return buckets + [filled.quantile(share) for share in self.shares]
        if isinstance(filled, Cells):
            return [filled.aggregate(name) for name in self.aggregates]
        if isinstance(filled, RateCells):
            return [filled.answer(name) for name in self.aggregates]
        return [filled.quantile(self.quantile or 0.0)]


async def fill(
    session: AsyncSession, question: Question, series: Sequence[FleetSeries], grouping: Grouping
) -> tuple[list[Values], list[PlanPart]]:
    """The answers as (groups, steps), one for each aggregate, and how they were found.

    Raises InvalidInputError for too many samples.
    """
    is_one_each = len(grouping.groups) == len(series)
    found: dict[str, Values] = {}
    told: list[PlanPart] = []
    waiting = list(_apart(question, question.aggregates, is_one_each=is_one_each))
    while waiting:
        names, asked = waiting.pop(0)
        try:
            answers, parts = await _fill_one(session, asked, series, grouping)
        except PercentilesUnknownError:
            waiting += _apart(question, names, is_one_each=False)
            continue
        found.update(zip(names, answers, strict=True))
        told += [part for part in parts if part not in told]
    return [found[name] for name in question.aggregates], told


def _apart(
    question: Question, names: Sequence[str], *, is_one_each: bool
) -> Iterator[tuple[list[str], Question]]:
    """What is answered from the same cells, each with the names of its answers."""
    shares = {name: float(match[1]) / 100 for name in names if (match := PERCENTILE.fullmatch(name))}
    kept = is_one_each and question.steps.bucket is not None
    exact = {name: share for name, share in shares.items() if kept and share in COLUMNS}
    buckets = [name for name in names if name in NEEDS]
    rates = [name for name in names if name in RATES]
    if buckets or exact:
        asked = replace(question, aggregates=tuple(buckets), shares=tuple(exact.values()))
        yield [*buckets, *exact], asked
    if rates:
        yield rates, replace(question, aggregates=tuple(rates))
    for name, share in shares.items():
        if name not in exact:
            yield [name], replace(question, aggregates=(name,), quantile=share)


async def _fill_one(
    session: AsyncSession, question: Question, series: Sequence[FleetSeries], grouping: Grouping
) -> tuple[list[Values], list[PlanPart]]:
    filled = question.empty(len(grouping.groups), grouping.place_of)
    # Increases are counted by series, and put into groups in the end.
    place_of = range(len(series)) if question.is_of_increases else grouping.place_of
    parts = await fill_cells(session, filled, question, series, place_of)
    return await aside(len(series), lambda: question.answers(filled)), _told(parts)


async def fill_cells(
    session: AsyncSession,
    filled: _Filled,
    question: Question,
    series: Sequence[FleetSeries],
    place_of: Sequence[int],
) -> dict[Part, list[UUID]]:
    """Fill what a question made empty; returns which part of the range was read from where, for which devices.

    `place_of` are the groups of the series. Raises InvalidInputError for too many samples.
    """
    connection = await driver_connection(session)
    places: Places = {}
    of_device: dict[UUID, list[tuple[FleetSeries, int]]] = {}
    paired = zip(series, place_of, strict=True)
    for device_id, pairs in groupby(paired, key=lambda pair: pair[0].device_id):
        own = of_device.setdefault(device_id, [])
        own += pairs
        places.setdefault(device_id, {}).update((item.channel_id, place) for item, place in own)
    tiers = question.tiers
    if question.is_of_increases:
        channels = {item.channel_id for item in series}
        tiers = tiers if await counters_among(connection, channels) == channels else ()
    parts = await _parts(connection, question, tiers, sorted(of_device))
    left = question.max_samples
    in_order = "last" in question.aggregates or question.is_of_increases
    # What is last depends on the order of time, and what increases; all else may be read in any order.
    for reading, devices in read_together(parts, in_order=in_order):
        # Reading samples may have let go of the one before.
        connection = await driver_connection(session)
        if isinstance(reading, Ranges):
            wanted = [pair for device_id in devices for pair in of_device[device_id]]
            left -= await _add_samples(session, filled, reading, wanted, left)
        elif isinstance(filled, RateCells):
            # Some were rolled up before counters were counted.
            unknown = await add_counters(connection, filled, reading, devices, places)
            wanted = [pair for device_id in unknown for pair in of_device[device_id]]
            whole = Ranges(((reading.start_us, reading.end_us),))
            left -= await _add_samples(session, filled, whole, wanted, left)
        elif isinstance(filled, Cells | ExactCells):
            await add_rollups(connection, filled, reading, question.needs, devices, places)
        elif isinstance(filled, SketchCells):
            await add_sketches(connection, filled, reading, devices, places)
    return parts


async def _parts(
    connection: AsyncConnection[Any], question: Question, tiers: tuple[Tier, ...], devices: Sequence[UUID]
) -> dict[Part, list[UUID]]:
    """The parts of the range that are read alike, and for which devices."""
    start_us, end_us = question.start_us, question.end_us
    if question.is_of_increases:
        # An increase is counted from the sample before. An hour that is rolled up is read sooner than five minutes.
        start_us -= HOUR if tiers and start_us % HOUR == 0 else LOOKBACK_US
    if not tiers:
        return {Part(None, start_us, end_us): list(devices)} if devices else {}
    hot = await queries.oldest_hot(connection, devices, start_us, end_us)
    changed = await queries.changed_days(connection, devices, start_us // DAY, -(-end_us // DAY))
    alike: dict[tuple[int, tuple[int, ...]], list[UUID]] = {}
    for device_id in devices:
        sealed_us = hot.get(device_id, end_us) // HOUR * HOUR if device_id in hot else end_us
        alike.setdefault((sealed_us, changed.get(device_id, ())), []).append(device_id)
    parts: dict[Part, list[UUID]] = {}
    for (sealed_us, days), members in alike.items():
        for part in cover(start_us, end_us, tiers, sealed_us, days):
            parts.setdefault(part, []).extend(members)
    return parts


async def _add_samples(
    session: AsyncSession,
    filled: _Filled,
    ranges: Ranges,
    pairs: Sequence[tuple[FleetSeries, int]],
    max_samples: int,
) -> int:
    """Add samples; returns how many were read."""
    read, turns = 0, Turns()
    for low in range(0, len(pairs), _SERIES_AT_ONCE):
        some = pairs[low : low + _SERIES_AT_ONCE]
        wanted = [Wanted(item.device_id, item.channel_id, item.places) for item, _ in some]
        found = await read_blocks(
            session, wanted, ranges.start_us, ranges.end_us, gaps=ranges.gaps, max_samples=max_samples - read
        )
        for device_id, of_device in groupby(some, key=lambda pair: pair[0].device_id):
            await turns.give_way()
            wishes = [(item.channel_id, place) for item, place in of_device]
            read += _add_blocks(filled, ranges, found.get(device_id, []), wishes)
    return read


def _add_blocks(
    filled: _Filled, ranges: Ranges, blocks: Sequence[Block], wishes: Sequence[tuple[int, int]]
) -> int:
    """Add a device's samples, given as (channel, group) with the blocks that hold them; returns how many they were."""
    read = 0
    if isinstance(filled, Cells) and all(a.times[-1] < b.times[0] for a, b in pairwise(blocks)):
        for block in blocks:
            own = [(channel, place) for channel, place in wishes if channel in block.columns]
            for start_us, end_us in ranges.inside if own else ():
                low, high = np.searchsorted(block.times, (start_us, end_us)).tolist()
                if low < high:
                    matrix = np.array([block.columns[channel][low:high] for channel, _ in own])
                    filled.add_matrix([place for _, place in own], block.times[low:high], matrix)
                    read += matrix.size
        return read
    for channel, place in wishes:
        for start_us, end_us in ranges.inside:
            times, values = series_of(blocks, channel, start_us, end_us)
            filled.add_samples(place, times, values)
            read += len(times)
    return read


def _told(parts: Mapping[Part, Sequence[UUID]]) -> list[PlanPart]:
    told: Counter[tuple[str, float, float]] = Counter()
    for part, devices in parts.items():
        source = "samples" if part.tier is None else part.tier.name.lower()
        told[source, part.start_us / SECOND, part.end_us / SECOND] += len(devices)
    return [PlanPart(*key, count) for key, count in sorted(told.items(), key=lambda item: item[0][1:])]
