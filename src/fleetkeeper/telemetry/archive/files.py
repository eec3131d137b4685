"""Archive files: Parquet, one row per sample, sorted by device, channel and time. Blocking; no database here.

Measured on 10-second series of a day, in bytes per sample, each with zstd at level 15: values take 0.51 (whole numbers
of TSBS) and 1.20 (gauges and counters) by BYTE_STREAM_SPLIT, 0.60 and 2.11 by a dictionary, 0.60 and 1.48 plain. Times
take 0.002 by DELTA_BINARY_PACKED; where agents' clocks tremble, 0.64 that way and 0.30 by BYTE_STREAM_SPLIT. All other
columns together take 0.01.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any
from uuid import UUID

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from fleetkeeper.telemetry.archive.store import Draft
from fleetkeeper.telemetry.resample import Times, Values

# A row group ends where so many rows are reached; reading one channel reads no more than that.
ROWS_PER_GROUP = 131_072
# The next device begins a row group of its own when this one has so many rows.
ROWS_PER_SMALL_GROUP = 32_768
_TEXTS = ("device_id", "channel", "metric", "labels")
_ENCODED = ["device_id", "channel_id", "channel", "metric", "labels"]
# With this share of different distances, times are not regular.
_TREMBLING = 0.1
_TIME = pa.timestamp("us", tz="UTC")
SCHEMA = pa.schema(
    [
        pa.field("device_id", pa.string(), nullable=False),
        pa.field("channel_id", pa.int32(), nullable=False),
        pa.field("channel", pa.string(), nullable=False),
        pa.field("metric", pa.string(), nullable=False),
        pa.field("labels", pa.string(), nullable=False),
        pa.field("ts", _TIME, nullable=False),
        pa.field("value", pa.float64(), nullable=False),
    ]
)
_WRITTEN = pa.schema(
    [
        pa.field(one.name, pa.dictionary(pa.int32(), pa.string()), nullable=False)
        if one.name in _TEXTS
        else one
        for one in SCHEMA
    ]
)


class DamagedError(Exception):
    """A file is not what was written; the message says how."""


@dataclass(frozen=True)
class ChannelName:
    """What a channel is called in files."""

    key: str
    metric: str
    labels: Mapping[str, str]
    group: str = ""


@dataclass
class Part:
    """Where the rows of one device are."""

    device_id: UUID
    first_row: int
    rows: int
    first_group: int
    last_group: int
    # Rows by metric group.
    metric_groups: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Segment:
    """Samples of one channel of one device, in the order of time."""

    device_id: UUID
    channel_id: int
    times: Times
    values: Values


@dataclass
class FileWriter:
    """Takes segments in the order of device, channel and time, and holds one row group in memory."""

    draft: Draft
    names: Mapping[int, ChannelName]
    parts: list[Part] = field(default_factory=list)
    channel_ids: set[int] = field(default_factory=set)
    rows: int = 0
    _group: int = 0
    _pending: list[Segment] = field(default_factory=list)
    _pending_rows: int = 0
    _writer: Any = None

    def add(self, segment: Segment) -> None:
        """Add samples; a long series goes over several row groups."""
        if not len(segment.times):
            return
        is_new = not self.parts or self.parts[-1].device_id != segment.device_id
        if is_new:
            if self._pending_rows >= ROWS_PER_SMALL_GROUP:
                self._flush()
            self.parts.append(Part(segment.device_id, self.rows, 0, self._group, self._group))
        self.channel_ids.add(segment.channel_id)
        groups, group = self.parts[-1].metric_groups, self._name(segment.channel_id).group
        groups[group] = groups.get(group, 0) + len(segment.times)
        place = 0
        while place < len(segment.times):
            if self._pending_rows >= ROWS_PER_GROUP:
                self._flush()
            room = ROWS_PER_GROUP - self._pending_rows
            piece = Segment(
                segment.device_id,
                segment.channel_id,
                segment.times[place : place + room],
                segment.values[place : place + room],
            )
            count = len(piece.times)
            self._pending.append(piece)
            self._pending_rows += count
            self.rows += count
            self.parts[-1].rows += count
            self.parts[-1].last_group = self._group
            place += count

    def close(self) -> None:
        """Write what is left, and the footer."""
        self._flush()
        if self._writer is not None:
            self._writer.close()

    def _flush(self) -> None:
        if not self._pending:
            return
        if self._writer is None:
            self._writer = _writer(self.draft, self._pending)
        self._writer.write_table(self._table(), row_group_size=ROWS_PER_GROUP)
        self._group += 1
        self._pending, self._pending_rows = [], 0

    def _table(self) -> pa.Table:
        counts = [len(piece.times) for piece in self._pending]
        names = [self._name(piece.channel_id) for piece in self._pending]
        columns: dict[str, Any] = {
            "device_id": _repeated([str(piece.device_id) for piece in self._pending], counts),
            "channel_id": pa.array(
                np.repeat(np.array([p.channel_id for p in self._pending], np.int32), counts)
            ),
            "channel": _repeated([name.key for name in names], counts),
            "metric": _repeated([name.metric for name in names], counts),
            "labels": _repeated([_json(name.labels) for name in names], counts),
            "ts": pa.array(np.concatenate([piece.times for piece in self._pending])).cast(_TIME),
            "value": pa.array(np.concatenate([piece.values for piece in self._pending])),
        }
        return pa.table(columns, schema=_WRITTEN)

    def _name(self, channel_id: int) -> ChannelName:
        return self.names.get(channel_id) or ChannelName(f"channel {channel_id}", f"channel {channel_id}", {})


def _repeated(texts: list[str], counts: list[int]) -> pa.DictionaryArray:
    known = {text: number for number, text in enumerate(dict.fromkeys(texts))}
    places = np.repeat(np.array([known[text] for text in texts], np.int32), counts)
    return pa.DictionaryArray.from_arrays(places, list(known))


def _json(labels: Mapping[str, str]) -> str:
    return msgspec.json.encode(dict(labels), order="sorted").decode()


def _writer(draft: Draft, first: list[Segment]) -> pq.ParquetWriter:
    widest = max(first, key=lambda piece: len(piece.times))
    distances = np.diff(widest.times)
    trembles = len(np.unique(distances)) > _TREMBLING * max(len(distances), 20)
    return pq.ParquetWriter(
        pa.PythonFile(draft, mode="w"),
        _WRITTEN,
        compression="zstd",
        compression_level={
            "ts": 15 if trembles else 3,
            "value": 15,
            **dict.fromkeys(_ENCODED, 3),
        },
        use_dictionary=_ENCODED,
        column_encoding={
            "ts": "BYTE_STREAM_SPLIT" if trembles else "DELTA_BINARY_PACKED",
            "value": "BYTE_STREAM_SPLIT",
        },
        # One page a column and row group: channels that share their times are found alike only within a page.
        data_page_size=16 * 1024 * 1024,
        max_rows_per_page=ROWS_PER_GROUP,
        write_statistics=["device_id", "channel_id", "ts"],
        store_schema=False,
    )


def open_parquet(source: Any, rows: int, metadata: Any = None) -> pq.ParquetFile:
    """An archive file. Raises DamagedError when it is none, or has not that many rows."""
    try:
        file = pq.ParquetFile(source, metadata=metadata, pre_buffer=False)
    except (OSError, pa.ArrowException) as error:
        raise DamagedError(_reason(error)) from None
    if file.metadata.num_rows != rows or file.schema_arrow.names != SCHEMA.names:
        raise DamagedError("it is another file than was written")
    return file


def read_part(file: pq.ParquetFile, part: Part, channel_ids: frozenset[int] | None) -> list[Segment]:
    """The samples of one device: of these channels, or of all. Raises DamagedError."""
    return _united(list(iterate_part(file, part, channel_ids)))


def iterate_part(
    file: pq.ParquetFile, part: Part, channel_ids: frozenset[int] | None = None
) -> Iterator[Segment]:
    """The same row group by row group, so that a channel may come in several pieces."""
    first_row = part.first_row - _rows_before(file, part.first_group)
    seen = 0
    for group in range(part.first_group, part.last_group + 1):
        about = file.metadata.row_group(group)
        low = max(first_row - seen, 0)
        high = min(first_row + part.rows - seen, about.num_rows)
        seen += about.num_rows
        if high > low and _may_hold(about, channel_ids):
            yield from _segments(file, group, part.device_id, (low, high), channel_ids)


def _rows_before(file: pq.ParquetFile, group: int) -> int:
    return sum(file.metadata.row_group(number).num_rows for number in range(group))


def _may_hold(about: Any, channel_ids: frozenset[int] | None) -> bool:
    if channel_ids is None:
        return True
    told = about.column(1).statistics
    if told is None or not told.has_min_max:
        return True
    return any(told.min <= channel <= told.max for channel in channel_ids)


def _segments(
    file: pq.ParquetFile,
    group: int,
    device_id: UUID,
    span: tuple[int, int],
    channel_ids: frozenset[int] | None,
) -> Iterator[Segment]:
    low, high = span
    try:
        channels = file.read_row_group(group, columns=["channel_id"])["channel_id"].to_numpy()[low:high]
        edges = [0, *(np.flatnonzero(np.diff(channels)) + 1).tolist(), len(channels)]
        wanted = [
            (start, end)
            for start, end in pairwise(edges)
            if channel_ids is None or int(channels[start]) in channel_ids
        ]
        if not wanted:
            return
        table = file.read_row_group(group, columns=["ts", "value"])
    except (OSError, pa.ArrowException) as error:
        raise DamagedError(_reason(error)) from None
    times = table["ts"].combine_chunks().cast(pa.int64()).to_numpy()
    values = table["value"].to_numpy()
    for start, end in wanted:
        yield Segment(
            device_id, int(channels[start]), times[low + start : low + end], values[low + start : low + end]
        )


def _united(segments: list[Segment]) -> list[Segment]:
    """A channel that was cut by the end of a row group in one piece again."""
    united: list[Segment] = []
    for segment in segments:
        if united and united[-1].channel_id == segment.channel_id:
            last = united.pop()
            segment = Segment(  # noqa: PLW2901 - the same series, longer
                segment.device_id,
                segment.channel_id,
                np.concatenate([last.times, segment.times]),
                np.concatenate([last.values, segment.values]),
            )
        united.append(segment)
    return united


def _reason(error: BaseException) -> str:
    return ((str(error).splitlines() or [""])[0] or "it is damaged")[:200].rstrip(".")
