"""Series as bytes and back, by pcodec. Pure.

Times are microseconds since 1970 (int64, ascending), values float64 with one NaN that means "no value here".
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pcodec import ChunkConfig, DeltaSpec, standalone

from fleetkeeper.telemetry.resample import Times, Values

# A NaN whose payload says "no value here"; a NaN that was measured has another.
MISSING_BITS = 0x7FF8_0000_F1EE_7000
MISSING: float = float(np.array([MISSING_BITS], np.uint64).view(np.float64)[0])
# Level 8 is where more effort stops to pay: on real gauges it saves 5 % against level 4, and level 12 nothing more.
_LEVEL = 8
_SEARCHED = ChunkConfig(compression_level=_LEVEL)
_DIRECT = ChunkConfig(compression_level=_LEVEL, delta_spec=DeltaSpec.no_op())
_DIFFERENCES = ChunkConfig(compression_level=_LEVEL, delta_spec=DeltaSpec.try_consecutive(1))
_SECOND_DIFFERENCES = ChunkConfig(compression_level=_LEVEL, delta_spec=DeltaSpec.try_consecutive(2))
# So many places of a series tell what it is made of.
_SAMPLED = 128
# Differences that spread over less than half of what the numbers do are the better thing to keep; and where they spread
# over more than what the numbers do, the numbers are.
_CLOSER, _WIDER = 0.5, 1.2


@dataclass(frozen=True)
class Summary:
    """What is known of a chunk without decoding it. All but `samples` are None when it holds no number."""

    samples: int
    min: float | None
    max: float | None
    sum: float | None
    first: float | None
    last: float | None


def is_missing(values: Values) -> NDArray[np.bool_]:
    """Where there is no value. A NaN that was measured is one."""
    bits: Any = values.view(np.uint64)
    return bits == MISSING_BITS  # type: ignore[no-any-return]


def missing(count: int) -> Values:
    """A series of that length without any value."""
    return np.full(count, MISSING_BITS, np.uint64).view(np.float64)


def summaries_of(series: NDArray[np.float64]) -> list[Summary]:
    """Statistics of each row's numbers; NaN counts for nothing."""
    length = series.shape[1]
    with np.errstate(over="ignore", invalid="ignore"):
        totals = series.sum(axis=1)
    told = zip(
        series,
        series.min(axis=1).tolist(),
        series.max(axis=1).tolist(),
        totals.tolist(),
        series[:, 0].tolist(),
        series[:, -1].tolist(),
        strict=True,
    )
    return [
        Summary(length, low, high, total, first, last) if math.isfinite(total) else _summary_with_gaps(values)
        for values, low, high, total, first, last in told
    ]


def _summary_with_gaps(values: Values) -> Summary:
    numbers = values[~np.isnan(values)]
    if not len(numbers):
        return Summary(0, None, None, None, None, None)
    with np.errstate(over="ignore", invalid="ignore"):
        total = float(numbers.sum())
    return Summary(
        len(numbers), float(numbers.min()), float(numbers.max()), total, float(numbers[0]), float(numbers[-1])
    )


def encode_times(times: Times) -> bytes:
    """A time axis as bytes."""
    return _compressed(times, _configs_for(times[None])[0])


def decode_times(blob: bytes | memoryview) -> Times:
    """The time axis again."""
    times: Times = unpack(blob)
    return times


def encode_series(series: NDArray[np.float64]) -> list[bytes | None]:
    """Each row as bytes; None for one that repeats one number, which its summary holds already."""
    bits: Any = series.view(np.uint64)
    steady = (bits[:, 0] == bits[:, -1]) & ~np.isnan(series[:, 0])
    return [
        None if is_steady and (own == own[0]).all() else _compressed(values, config)
        for values, own, is_steady, config in zip(series, bits, steady, _configs_for(series), strict=True)
    ]


def _configs_for(series: NDArray[Any]) -> list[Any]:
    """How each row is best told: its numbers, their differences, or the differences of these.

    The codec would find out by trying, which takes up to twice as long as compressing.
    """
    step = series.shape[1] // _SAMPLED
    if not step:
        return [_SEARCHED] * len(series)
    first, second, third = series[:, :-2:step], series[:, 1:-1:step], series[:, 2::step]
    with np.errstate(over="ignore", invalid="ignore"):
        differences = second - first
        ordered = np.sort(np.stack([first, differences, third - second - differences]))
        # Without the twentieth at either end, where counters begin again; NaN comes last, and compares to nothing.
        edge = ordered.shape[2] // 20
        spreads = (ordered[:, :, -1 - edge] - ordered[:, :, edge]).T.tolist()
    return [_config_for(*spread) for spread in spreads]


def _config_for(direct: float, once: float, twice: float) -> Any:
    if once <= _CLOSER * direct:
        return _SECOND_DIFFERENCES if twice < _CLOSER * once else _DIFFERENCES
    return _DIRECT if once > _WIDER * direct else _SEARCHED


def _compressed(array: NDArray[Any], config: Any) -> bytes:
    packed: bytes = standalone.simple_compress(np.ascontiguousarray(array), config)
    return packed


def pack(array: NDArray[Any]) -> bytes:
    """A flat array of numbers as bytes."""
    return _compressed(array, _SEARCHED)


def unpack(packed: bytes | memoryview) -> Any:
    """The flat array again."""
    return standalone.simple_decompress(bytes(packed))


def unpack_rows(
    packed: Sequence[bytes], dtype: type[np.generic], width: int, positions: Sequence[int]
) -> NDArray[Any]:
    """Many arrays of one shape (series, `width`) again, each the series at `positions`: (arrays, positions, width)."""
    chosen: list[int] | slice = list(positions)
    if len(positions) == positions[-1] - positions[0] + 1:
        chosen = slice(positions[0], positions[-1] + 1)
    length = len(unpack(packed[0]))
    scratch = np.empty(length, dtype)
    shaped = scratch.reshape(-1, width)
    found = np.empty((len(packed), len(positions), width), dtype)
    before = b""
    for place, blob in enumerate(packed):
        # Neighbors are often the same: all samples were there.
        if blob != before:
            standalone.simple_decompress_into(blob, scratch)
            before = blob
        found[place] = shaped[chosen]
    return found


def decode_values(blob: bytes | memoryview | None, count: int, first: float | None) -> Values:
    """The series again, bit by bit; `count` is the length of its time axis, `first` is from its summary."""
    if blob is None:
        return np.full(count, np.nan if first is None else first)
    values: Values = unpack(blob)
    return values
