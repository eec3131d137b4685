# ruff: noqa: S608 - the pieces of statements are constants of this file
"""The hours that SQL reads: what is stored of a day of `rollups`, spread out for the few channels of document 002."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import numpy as np
from psycopg import AsyncConnection

from fleetkeeper.telemetry.rollups.packing import Packed, unpack, unpack_quantiles
from fleetkeeper.telemetry.rollups.quantiles import SHARES

# The share of samples below the percentile that is spread out.
_SHARE = 0.95
# The columns' prefix by channel.
_PREFIXES = {"cpu_usage_percent": "cpu", "memory_usage_percent": "ram"}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_HOURS = 24
_NAMES = tuple(
    f"{prefix}_{what}" for prefix in _PREFIXES.values() for what in ("samples", "avg", "max", "p95")
)
# Rollups of before they had percentiles stay without when the raw samples are gone: those that are known here stay too.
_SET = ", ".join(
    f"{name} = CASE WHEN excluded.{name[:3]}_samples > 0 THEN coalesce(excluded.{name}, h.{name}) END"
    if name.endswith("p95")
    else f"{name} = excluded.{name}"
    for name in _NAMES
)


async def channels_of_hours(connection: AsyncConnection[Any]) -> dict[int, str]:
    """The channels that are spread out, each with its columns' prefix."""
    cursor = await connection.execute("SELECT id, key FROM channels WHERE key = ANY(%s)", (list(_PREFIXES),))
    return {row[0]: _PREFIXES[row[1]] for row in await cursor.fetchall()}


async def spread(
    connection: AsyncConnection[Any],
    device_id: UUID,
    day: int,
    row: Packed | None,
) -> None:
    """Make a device's day in `hourly_statistics` say what the day's row of `rollups` says; None takes it away.

    Hours that stay the same are not written.
    """
    columns = {} if row is None else _columns(row, await channels_of_hours(connection))
    counted = [columns[f"{prefix}_samples"] for prefix in _PREFIXES.values() if columns]
    hours = np.flatnonzero(np.sum(counted, axis=0)).tolist() if counted else []
    midnight = _EPOCH + timedelta(days=day)
    moments = [midnight + timedelta(hours=hour) for hour in hours]
    await connection.execute(
        "DELETE FROM hourly_statistics WHERE device_id = %s AND hour >= %s AND hour < %s AND hour <> ALL(%s)",
        (device_id, midnight, midnight + timedelta(days=1), moments),
    )
    if hours:
        await connection.execute(
            f"""
            INSERT INTO hourly_statistics AS h (device_id, hour, {", ".join(_NAMES)})
            SELECT %s, n.* FROM unnest(%s::timestamptz[], {", ".join(map(_array, _NAMES))}) AS n
            ON CONFLICT (device_id, hour) DO UPDATE SET {_SET}
            WHERE ({", ".join(f"h.{name}" for name in _NAMES)})
               IS DISTINCT FROM ({", ".join(f"excluded.{name}" for name in _NAMES)})
            """,
            (device_id, moments, *([_plain(columns[name][hour]) for hour in hours] for name in _NAMES)),
        )


def _array(name: str) -> str:
    return "%s::int[]" if name.endswith("samples") else "%s::float8[]"


def _plain(value: Any) -> float | None:
    number = value.item()
    return None if number != number else number  # noqa: PLR0124 - a NaN


def _columns(row: Packed, prefixes: Mapping[int, str]) -> dict[str, np.ndarray]:
    statistics = unpack(row)
    quantiles = unpack_quantiles(row)
    columns: dict[str, np.ndarray] = {
        name: np.zeros(_HOURS, np.int64) if name.endswith("samples") else np.full(_HOURS, np.nan)
        for name in _NAMES
    }
    for place, channel in enumerate(row.channel_ids):
        prefix = prefixes.get(channel)
        if prefix is None:
            continue
        counts = statistics.counts[place]
        columns[f"{prefix}_samples"] = counts
        with np.errstate(divide="ignore", invalid="ignore"):
            columns[f"{prefix}_avg"] = statistics.sums[place] / counts
        columns[f"{prefix}_max"] = statistics.maxs[place]
        if quantiles is not None:
            columns[f"{prefix}_p95"] = quantiles[SHARES.index(_SHARE), place]
    return columns
