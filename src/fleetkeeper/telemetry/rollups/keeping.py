"""Rollup rows whose channels go or stay one by one. Pure."""

from collections.abc import Collection

import numpy as np

from fleetkeeper.telemetry.resample import Values
from fleetkeeper.telemetry.rollups.counters import (
    Counters,
    chosen_counters,
    joined_counters,
    unpack_counters,
)
from fleetkeeper.telemetry.rollups.packing import Packed, pack, unpack, unpack_quantiles, unpack_sketches
from fleetkeeper.telemetry.rollups.quantiles import joined_quantiles
from fleetkeeper.telemetry.rollups.sketches import Sketch
from fleetkeeper.telemetry.rollups.statistics import NAMES, Statistics


def united(*parts: tuple[Packed | None, Collection[int]]) -> Packed | None:
    """One row out of several of the same period, of each the channels named; None when nothing is left.

    No channel may be taken from two of them.
    """
    taken: list[tuple[Statistics, list[Sketch] | None]] = []
    counters: list[Counters] = []
    quantiles: list[tuple[Values | None, int]] = []
    for row, channels in parts:
        if row is None:
            continue
        places = [place for place, channel in enumerate(row.channel_ids) if channel in channels]
        if not places:
            continue
        statistics = unpack(row)
        arrays = (getattr(statistics, name)[places] for name in ("counts", *NAMES))
        sketches = None
        if row.sketches is not None:
            every = unpack_sketches(row.sketches)
            sketches = [every[place] for place in places]
        if row.counters is not None and (own := chosen_counters(unpack_counters(row.counters), channels)):
            counters.append(own)
        known = unpack_quantiles(row)
        quantiles.append((None if known is None else known[:, places], len(places)))
        taken.append((Statistics(statistics.channel_ids[places], *arrays), sketches))
    if not taken:
        return None
    order = np.argsort(np.concatenate([statistics.channel_ids for statistics, _ in taken]))
    columns = (
        np.concatenate([getattr(statistics, name) for statistics, _ in taken])[order]
        for name in ("channel_ids", "counts", *NAMES)
    )
    flat = [sketch for _, sketches in taken for sketch in sketches or []]
    sketches = [flat[place] for place in order.tolist()] if flat else None
    side_by_side = joined_quantiles(quantiles)
    percentiles = None if side_by_side is None else side_by_side[:, order]
    return pack(Statistics(*columns), sketches, joined_counters(counters), percentiles)


def without(row: Packed, channels: Collection[int]) -> Packed | None:
    """A row without some channels; None when no other is left."""
    return united((row, set(row.channel_ids) - set(channels)))
