"""Archive files: Parquet, one row per sample, sorted by device, channel and time. Blocking; no database here.

Measured on 10-second series of a day, in bytes per sample, each with zstd at level 15: values take 0.51 (whole numbers
of TSBS) and 1.20 (gauges and counters) by BYTE_STREAM_SPLIT, 0.60 and 2.11 by a dictionary, 0.60 and 1.48 plain. Times
take 0.002 by DELTA_BINARY_PACKED; where agents' clocks tremble, 0.64 that way and 0.30 by BYTE_STREAM_SPLIT. All other
columns together take 0.01.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import accumulate, pairwise
from typing import Any
from uuid import UUID

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from fleetkeeper.telemetry.archive.store import Draft
from fleetkeeper.telemetry.host_mark import HOST_MARK, key_with_host, with_host
from fleetkeeper.telemetry.resample import Times, Values

# A row group ends where so many rows are reached; reading one channel reads no more than that.
ROWS_PER_GROUP = 131_072
# The next device begins a row group of its own when this one has so many rows.
ROWS_PER_SMALL_GROUP = 32_768
# And the next channel when it has so many, where times are regular: that takes up to 7 % more space, and reading one
# channel a third of the time. Times that tremble take their space once a group, and would take it more often.
ROWS_PER_CHANNEL_GROUP = 16_384
# Reading takes so many rows in one go.
_ROWS_AT_ONCE = 1_000_000
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


@dataclass(frozen=True)
class FileNames:
    """What channels are called, and devices where a channel's labels have a device's own name."""

    channels: Mapping[int, ChannelName]
    hosts: Mapping[UUID, str]

    def of(self, device_id: UUID, channel_id: int) -> ChannelName:
        """A channel of a device, as it is written for every reader."""
        name = self.channels.get(channel_id)
        if name is None:
            return ChannelName(f"channel {channel_id}", f"channel {channel_id}", {})
        if HOST_MARK not in name.key:
            return name
        host = self.hosts.get(device_id, "")
        return replace(name, key=key_with_host(name.key, host), labels=with_host(name.labels, host))


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
    names: FileNames
    parts: list[Part] = field(default_factory=list)
    channel_ids: set[int] = field(default_factory=set)
    rows: int = 0
    _group: int = 0
    _pending: list[Segment] = field(default_factory=list)
    _pending_rows: int = 0
    _writer: Any = None
    _trembles: bool | None = None

    def add(self, segment: Segment) -> None:
        """Add samples; a long series goes over several row groups."""
        if not len(segment.times):
            return
        is_new = not self.parts or self.parts[-1].device_id != segment.device_id
        if self._pending and (is_new or self._pending[-1].channel_id != segment.channel_id):
            self._end_channel(is_new)
        if is_new:
            self.parts.append(Part(segment.device_id, self.rows, 0, self._group, self._group))
        self.channel_ids.add(segment.channel_id)
        groups, group = (
            self.parts[-1].metric_groups,
            self.names.of(segment.device_id, segment.channel_id).group,
        )
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

    def _end_channel(self, is_last: bool) -> None:
        """End the row group between two channels, or after the last one of a device, where that is worth it."""
        if self._pending_rows < ROWS_PER_CHANNEL_GROUP:
            return
        if self._trembles is None:
            self._trembles = _trembles(self._pending)
        if not self._trembles or (is_last and self._pending_rows >= ROWS_PER_SMALL_GROUP):
            self._flush()

    def close(self) -> None:
        """Write what is left, and the footer."""
        self._flush()
        if self._writer is not None:
            self._writer.close()

    def _flush(self) -> None:
        if not self._pending:
            return
        if self._writer is None:
            if self._trembles is None:
                self._trembles = _trembles(self._pending)
            self._writer = _writer(self.draft, self._trembles)
        self._writer.write_table(self._table(), row_group_size=ROWS_PER_GROUP)
        self._group += 1
        self._pending, self._pending_rows = [], 0

    def _table(self) -> pa.Table:
        counts = [len(piece.times) for piece in self._pending]
        names = [self.names.of(piece.device_id, piece.channel_id) for piece in self._pending]
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


def _repeated(texts: list[str], counts: list[int]) -> pa.DictionaryArray:
    known = {text: number for number, text in enumerate(dict.fromkeys(texts))}
    places = np.repeat(np.array([known[text] for text in texts], np.int32), counts)
    return pa.DictionaryArray.from_arrays(places, list(known))


def _json(labels: Mapping[str, str]) -> str:
    return msgspec.json.encode(dict(labels), order="sorted").decode()


def _trembles(pieces: list[Segment]) -> bool:
    widest = max(pieces, key=lambda piece: len(piece.times))
    distances = np.diff(widest.times)
    return len(np.unique(distances)) > _TREMBLING * max(len(distances), 20)


def _writer(draft: Draft, trembles: bool) -> pq.ParquetWriter:
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
        # Of a mapped file each octet is at hand; from elsewhere what lies together is better fetched together.
        is_mapped = isinstance(source, pa.MemoryMappedFile)
        file = pq.ParquetFile(source, metadata=metadata, pre_buffer=not is_mapped)
    except (OSError, pa.ArrowException) as error:
        raise DamagedError(_reason(error)) from None
    if file.metadata.num_rows != rows or file.schema_arrow.names != SCHEMA.names:
        raise DamagedError("it is another file than was written")
    return file


def read_parts(
    file: pq.ParquetFile, parts: Sequence[Part], channel_ids: frozenset[int] | None
) -> list[Segment]:
    """The samples of devices, in the order of their parts: of these channels, or of all. Raises DamagedError."""
    segments: list[Segment] = []
    some: list[_Piece] = []
    rows = 0
    for piece in _pieces(file, parts, channel_ids):
        if rows >= _ROWS_AT_ONCE:
            segments += _cut(file, some, channel_ids)
            some, rows = [], 0
        some.append(piece)
        rows += piece.rows
    if some:
        segments += _cut(file, some, channel_ids)
    return _united(segments)


def iterate_part(file: pq.ParquetFile, part: Part) -> Iterator[Segment]:
    """All samples of a device, row group by row group, so that a channel may come in several pieces."""
    for piece in _pieces(file, [part], None):
        yield from _cut(file, [piece], None)


@dataclass(frozen=True)
class _Piece:
    """The rows of a device in one row group, which has that many."""

    device_id: UUID
    group: int
    rows: int
    low: int
    high: int


def _pieces(
    file: pq.ParquetFile, parts: Sequence[Part], channel_ids: frozenset[int] | None
) -> Iterator[_Piece]:
    groups = [file.metadata.row_group(number) for number in range(file.metadata.num_row_groups)]
    starts = [0, *accumulate(group.num_rows for group in groups)]
    for part in parts:
        for number in range(part.first_group, part.last_group + 1):
            rows = groups[number].num_rows
            low = max(part.first_row - starts[number], 0)
            high = min(part.first_row + part.rows - starts[number], rows)
            if high > low and _may_hold(groups[number], channel_ids):
                yield _Piece(part.device_id, number, rows, low, high)


def _may_hold(about: Any, channel_ids: frozenset[int] | None) -> bool:
    if channel_ids is None:
        return True
    told = about.column(1).statistics
    if told is None or not told.has_min_max:
        return True
    return any(told.min <= channel <= told.max for channel in channel_ids)


def _cut(
    file: pq.ParquetFile, pieces: Sequence[_Piece], channel_ids: frozenset[int] | None
) -> Iterator[Segment]:
    places: dict[int, int] = {}
    rows = 0
    for piece in pieces:
        if piece.group not in places:
            places[piece.group] = rows
            rows += piece.rows
    try:
        table = file.read_row_groups(list(places), columns=["channel_id", "ts", "value"], use_threads=False)
        channels = table["channel_id"].to_numpy()
        times = table["ts"].cast(pa.int64()).to_numpy()
        values = table["value"].to_numpy()
    except (OSError, pa.ArrowException) as error:
        raise DamagedError(_reason(error)) from None
    for piece in pieces:
        low, high = places[piece.group] + piece.low, places[piece.group] + piece.high
        edges = [low, *(np.flatnonzero(np.diff(channels[low:high])) + low + 1).tolist(), high]
        for start, end in pairwise(edges):
            channel = int(channels[start])
            if channel_ids is None:
                yield Segment(piece.device_id, channel, times[start:end], values[start:end])
            elif channel in channel_ids:
                # The other channels are not kept in memory for the sake of this one.
                yield Segment(piece.device_id, channel, times[start:end].copy(), values[start:end].copy())


def _united(segments: list[Segment]) -> list[Segment]:
    """A channel that was cut by the end of a row group in one piece again."""
    united: list[Segment] = []
    for segment in segments:
        if united and (united[-1].device_id, united[-1].channel_id) == (
            segment.device_id,
            segment.channel_id,
        ):
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
