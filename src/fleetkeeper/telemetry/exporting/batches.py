"""Samples as Arrow batches: device after device, range after range, so that any amount fits in little memory."""

from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.telemetry.candidates import NAME
from fleetkeeper.telemetry.chunks.blocks import DAY
from fleetkeeper.telemetry.resample import Times, Values
from fleetkeeper.telemetry.selection import FleetSeries, read_series

SCHEMA = pa.schema(
    [
        pa.field("device_id", pa.string(), nullable=False),
        pa.field("device", pa.string(), nullable=False),
        pa.field("metric", pa.string(), nullable=False),
        pa.field("labels", pa.string(), nullable=False),
        pa.field("ts", pa.timestamp("us", tz="UTC"), nullable=False),
        pa.field("value", pa.float64(), nullable=False),
    ]
)
# Days that are read at once: fewer when they hold much, more when they hold little.
_LONGEST_DAYS = 64
_MANY_SAMPLES = 1_000_000
_FEW_SAMPLES = 100_000
_MOST_SAMPLES = 200_000_000


@dataclass(frozen=True)
class Piece:
    """A batch, and which part of the work is done with it (0 to 1)."""

    batch: pa.RecordBatch | None
    done: float


async def sample_batches(
    sessions: Any,
    series: Sequence[FleetSeries],
    names: dict[Any, str],
    start_us: int,
    end_us: int,
) -> AsyncIterator[Piece]:
    """The samples of the series in [start, end), sorted by device, and in it by ranges of whole days and channels.

    `sessions` opens a session for each batch: nothing is held open while the reader is slow. `names` are the devices'.
    """
    ordered = sorted(series, key=lambda item: (item.device_id, item.channel_id))
    devices = [list(group) for _, group in groupby(ordered, key=lambda item: item.device_id)]
    span = max(end_us - start_us, 1)
    for number, own in enumerate(devices):
        place, days = start_us, 1
        while place < end_us:
            after = min((place // DAY + days) * DAY, end_us)
            opened: AbstractAsyncContextManager[AsyncSession] = sessions()
            async with opened as session:
                found = await read_series(session, own, place, after, max_samples=_MOST_SAMPLES)
            total = sum(len(times) for times, _ in found)
            place = after
            done = (number + (place - start_us) / span) / len(devices)
            yield Piece(_batch(own, found, names[own[0].device_id]) if total else None, done)
            if total > _MANY_SAMPLES:
                days = max(days // 2, 1)
            elif total < _FEW_SAMPLES:
                days = min(days * 2, _LONGEST_DAYS)


def _batch(series: Sequence[FleetSeries], found: Sequence[tuple[Times, Values]], name: str) -> pa.RecordBatch:
    counts = [len(times) for times, _ in found]
    device = str(series[0].device_id)
    labels = [
        msgspec.json.encode(
            {key: value for key, value in item.labels.items() if key != NAME}, order="sorted"
        ).decode()
        for item in series
    ]
    return pa.RecordBatch.from_arrays(
        [
            _repeated([device] * len(series), counts),
            _repeated([name] * len(series), counts),
            _repeated([item.labels[NAME] for item in series], counts),
            _repeated(labels, counts),
            pa.array(np.concatenate([times for times, _ in found]), pa.int64()).cast(SCHEMA.field("ts").type),
            pa.array(np.concatenate([values for _, values in found]), pa.float64()),
        ],
        schema=SCHEMA,
    )


def _repeated(texts: Sequence[str], counts: Sequence[int]) -> pa.Array:
    return pa.array(texts, pa.string()).take(pa.array(np.repeat(np.arange(len(texts)), counts)))
