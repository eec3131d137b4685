"""Prometheus remote_write 2.0: `io.prometheus.write.v2.Request`, whose series refer to a table of symbols.

https://prometheus.io/docs/specs/prw/remote_write_spec_2_0/
"""

import struct
from collections.abc import Hashable, Sequence

from fleetkeeper.telemetry.senders.batches import (
    Columns,
    Meaning,
    SampleBatch,
    SenderInputError,
    Series,
    SeriesCache,
    TooManyError,
)
from fleetkeeper.telemetry.senders.protobuf import (
    BYTES,
    TRUNCATED,
    VARINT,
    read_fields,
    read_varint,
    text_of,
)
from fleetkeeper.telemetry.senders.remote_write import KINDS, MAX_LABELS, read_sample

# Behind the first three bytes of a sample: the value, a tag, and milliseconds as a varint of six bytes.
_SAMPLE = struct.Struct("<dx6B")
_PARTS = ("_bucket", "_count", "_sum")


def read_request(body: bytes, known: SeriesCache, *, max_samples: int) -> SampleBatch:
    """Read a request that has been decompressed. Raises SenderInputError."""
    symbols: list[bytes] = []
    spans: list[tuple[int, int]] = []
    end, position = len(body), 0
    while position < end:
        tag = body[position]
        if tag in {0x22, 0x2A}:
            size, start = read_varint(body, position + 1, end)
            position = start + size
            if position > end:
                raise SenderInputError(TRUNCATED)
            if tag == 0x22:
                symbols.append(body[start:position])
            else:
                spans.append((start, position))
        else:
            position = _skip(body, position, end)
    if symbols and symbols[0]:
        raise SenderInputError("the first symbol is not the empty string")
    reader = _Reader(body, symbols, known, max_samples)
    for start, stop in spans:
        reader.read_series(start, stop)
        reader.check_number()
    return reader.batch()


def _skip(body: bytes, position: int, end: int) -> int:
    for number, _, _, stop in read_fields(body, position, end):
        if number in {4, 5}:
            raise SenderInputError("the protobuf message has a series or symbol of an unknown form")
        return stop
    return end


class _Reader:
    def __init__(self, body: bytes, symbols: Sequence[bytes], known: SeriesCache, max_samples: int) -> None:
        self._body = body
        self._symbols = symbols
        self._texts: dict[int, str] = {}
        self._known = known
        self._found: dict[Hashable, Series] = {}
        self._columns = Columns()
        self._max_samples = max_samples
        self._meanings: dict[str, Meaning] = {}
        self._histograms = 0

    def read_usual(self, start: int, end: int) -> bool:
        """A series as senders write them: labels, one sample, perhaps metadata. Returns whether it was one."""
        body = self._body
        if end - start < 22 or body[start] != 0x0A or body[start + 1] > 0x7F:
            return False
        at = start + 2 + body[start + 1]
        stop = at + 18
        if stop > end or body[at : at + 3] != b"\x12\x10\x09" or body[at + 11] != 0x10:
            return False
        value, one, two, three, four, five, six = _SAMPLE.unpack_from(body, at + 3)
        if not one & two & three & four & five & 0x80 or six > 0x7F:
            return False
        # The rest is metadata, whose length has one byte, or nothing that is usual.
        if stop < end and not self._is_metadata(stop, end):
            return False
        series = self._series_of(start + 2, at)
        time = (
            (one & 0x7F)
            | (two & 0x7F) << 7
            | (three & 0x7F) << 14
            | (four & 0x7F) << 21
            | (five & 0x7F) << 28
            | six << 35
        )
        self._columns.add(series, time * 1000, value)
        if stop < end and series.labels is not None:
            self._read_metadata(series.labels.get("__name__", ""), stop + 2, end)
        return True

    def _is_metadata(self, start: int, end: int) -> bool:
        body = self._body
        return (
            start + 2 <= end
            and body[start] == 0x2A
            and body[start + 1] < 0x80
            and start + 2 + body[start + 1] == end
        )

    def read_series(self, start: int, end: int) -> None:
        """One `TimeSeries`: labels come before samples in every sender, and have to here."""
        if self.read_usual(start, end):
            return
        series: Series | None = None
        metadata = None
        for number, wire_type, first, last in read_fields(self._body, start, end):
            if wire_type != BYTES and number in {1, 2, 3, 4, 5}:
                raise SenderInputError("the protobuf message has a series of an unknown form")
            if (number == 2 and series is None) or (number == 1 and series is not None):
                raise SenderInputError("the protobuf message has labels in several parts or behind samples")
            if number == 1:
                series = self._series_of(first, last)
            elif number == 2 and series is not None:
                self._columns.add(series, *read_sample(self._body, first, last))
            elif number == 3:
                self._histograms += 1
            elif number == 5:
                metadata = (first, last)
        if metadata is not None and series is not None and series.labels is not None:
            self._read_metadata(series.labels.get("__name__", ""), *metadata)

    def _series_of(self, start: int, end: int) -> Series:
        body, symbols = self._body, self._symbols
        refs: Sequence[int] = body[start:end]
        if end - start > 2 * MAX_LABELS * 5:
            raise TooManyError(f"a series has at most {MAX_LABELS} labels")
        if refs and max(refs) > 0x7F:
            refs = _varints(body, start, end)
        try:
            key = tuple([symbols[ref] for ref in refs])
        except IndexError:
            raise SenderInputError("a series refers to a symbol that is not there") from None
        series = self._known.get(key) or self._found.get(key)
        if series is None:
            series = self._found[key] = Series(self._labels(refs))
        return series

    def _labels(self, refs: Sequence[int]) -> dict[str, str]:
        if len(refs) % 2:
            raise SenderInputError("a series has a label without a value")
        if len(refs) > 2 * MAX_LABELS:
            raise TooManyError(f"a series has at most {MAX_LABELS} labels")
        labels: dict[str, str] = {}
        for index in range(0, len(refs), 2):
            name = self._text(refs[index])
            if name in labels:
                raise SenderInputError(f"a series has the label {name[:100]} twice")
            labels[name] = self._text(refs[index + 1])
        return labels

    def _text(self, ref: int) -> str:
        text = self._texts.get(ref)
        if text is None:
            if ref >= len(self._symbols):
                raise SenderInputError("the message refers to a symbol that is not there")
            symbol = self._symbols[ref]
            text = self._texts[ref] = text_of(symbol, 0, len(symbol))
        return text

    def _read_metadata(self, name: str, start: int, end: int) -> None:
        if not name or name in self._meanings:
            return
        kind = help_ref = unit_ref = 0
        for number, wire_type, first, _ in read_fields(self._body, start, end):
            if wire_type == VARINT:
                if number == 1:
                    kind = first
                elif number == 3:
                    help_ref = first
                elif number == 4:
                    unit_ref = first
        word = KINDS.get(kind, "")
        if word in {"histogram", "summary"}:
            word = "counter" if name.endswith(_PARTS) else "gauge"
        if help_ref or unit_ref or word:
            self._meanings[name] = Meaning(self._text(unit_ref), word, self._text(help_ref))

    def check_number(self) -> None:
        """Raise TooManyError once the request has more samples than it may."""
        if len(self._columns.series) > self._max_samples:
            raise TooManyError(f"one request has at most {self._max_samples} samples")

    def batch(self) -> SampleBatch:
        """What was read."""
        batch = self._columns.batch()
        batch.meanings, batch.found = self._meanings, self._found
        batch.leave_out("native_histogram", self._histograms, "native histograms are not stored")
        return batch


def _varints(body: bytes, position: int, end: int) -> list[int]:
    result = []
    while position < end:
        value, position = read_varint(body, position, end)
        result.append(value)
    return result
