"""Prometheus remote_write 2.0: `io.prometheus.write.v2.Request`, whose series refer to a table of symbols.

https://prometheus.io/docs/specs/prw/remote_write_spec_2_0/
"""

import contextlib
from collections.abc import Hashable, Sequence

import numpy as np

from fleetkeeper.telemetry.reasons import Reason
from fleetkeeper.telemetry.senders.batches import (
    Columns,
    Meaning,
    PartError,
    SampleBatch,
    SenderInputError,
    Series,
    SeriesCache,
)
from fleetkeeper.telemetry.senders.effort import STEP_BYTES, Effort
from fleetkeeper.telemetry.senders.protobuf import (
    BYTES,
    TRUNCATED,
    VARINT,
    read_fields,
    read_varint,
    text_of,
)
from fleetkeeper.telemetry.senders.remote_write import (
    FIELDS,
    FIELDS_OF_SAMPLE,
    KINDS,
    MAX_LABELS,
    read_sample,
)
from fleetkeeper.telemetry.senders.usual_series import UsualSeries, find_usual, read_references

_PARTS = ("_bucket", "_count", "_sum")
# So many series are read together.
_STEP_SERIES = 20_000
_SYMBOLS_OF_SAMPLE = 10


def read_request(body: bytes, known: SeriesCache, effort: Effort) -> SampleBatch:
    """Read a request that has been decompressed. Raises SenderInputError."""
    symbols: list[bytes] = []
    starts: list[int] = []
    ends: list[int] = []
    end, position = len(body), 0
    while position < end:
        effort.check()
        position = _read_step(body, position, min(end, position + STEP_BYTES), (symbols, starts, ends))
        effort.check_number(len(starts), "series")
        effort.check_number(len(symbols), "symbols", times=_SYMBOLS_OF_SAMPLE)
    if symbols and symbols[0]:
        raise SenderInputError("the first symbol is not the empty string")
    reader = _Reader(body, symbols, known, effort)
    for first in range(0, len(starts), _STEP_SERIES):
        effort.check()
        reader.read_some(starts[first : first + _STEP_SERIES], ends[first : first + _STEP_SERIES])
    return reader.batch()


def _read_step(
    body: bytes, position: int, step_end: int, found: tuple[list[bytes], list[int], list[int]]
) -> int:
    """Symbols, and where series begin and end, of fields that begin before `step_end`; where the next one does."""
    symbols, starts, ends = found
    end = len(body)
    while position < step_end:
        tag = body[position]
        if tag in {0x22, 0x2A}:
            if position + 1 < end and body[position + 1] < 0x80:
                size, start = body[position + 1], position + 2
            else:
                size, start = read_varint(body, position + 1, end)
            position = start + size
            if position > end:
                raise SenderInputError(TRUNCATED)
            if tag == 0x22:
                symbols.append(body[start:position])
            else:
                starts.append(start)
                ends.append(position)
        else:
            position = _skip(body, position, end)
    return position


def _skip(body: bytes, position: int, end: int) -> int:
    for number, _, _, stop in read_fields(body, position, end):
        if number in {4, 5}:
            raise SenderInputError("the protobuf message has a series or symbol of an unknown form")
        return stop
    return end


_NO_SYMBOL = "a series refers to a symbol that is not there"
_TOO_MANY = PartError(Reason.TOO_MANY_LABELS, f"a series has at most {MAX_LABELS} labels")


class _Reader:
    def __init__(self, body: bytes, symbols: Sequence[bytes], known: SeriesCache, effort: Effort) -> None:
        self._body = body
        self._symbols = symbols
        self._texts: dict[int, str] = {}
        self._known = known
        self._found: dict[Hashable, Series] = {}
        self._columns = Columns()
        self._effort = effort
        self._meanings: dict[str, Meaning] = {}
        self._histograms = 0
        self._bad_samples = 0
        self._with_histograms: Series | None = None
        self._with_bad_samples: Series | None = None

    def read_some(self, starts: Sequence[int], ends: Sequence[int]) -> None:
        """Some series: the usual ones together, those between them one by one."""
        usual = find_usual(self._body, np.array(starts, np.int64), np.array(ends, np.int64))
        columns = self._columns
        series, times, values = self._usual_series(usual), usual.times_us.tolist(), usual.values.tolist()
        unusual = np.ones(len(starts), bool)
        unusual[usual.numbers] = False
        begin = 0
        for before, number in enumerate(np.flatnonzero(unusual).tolist()):
            stop = number - before
            columns.add_run(series[begin:stop], times[begin:stop], values[begin:stop])
            begin = stop
            self.read_series(starts[number], ends[number])
        columns.add_run(series[begin:], times[begin:], values[begin:])
        self._check_number()
        for index in np.flatnonzero(usual.metadata_start <= usual.metadata_end).tolist():
            one = series[index]
            if one.labels is not None and one.reason is None:
                span = int(usual.metadata_start[index]), int(usual.metadata_end[index])
                self._read_metadata(one.labels.get("__name__", ""), *span)

    def _usual_series(self, usual: UsualSeries) -> list[Series]:
        body, symbols = self._body, self._symbols
        spans = list(zip(usual.labels_start.tolist(), usual.labels_end.tolist(), strict=True))
        joined = b"".join([body[start:end] for start, end in spans])
        found = read_references(joined, np.cumsum(usual.labels_end - usual.labels_start))
        if found is None:
            return [self._series_of(start, end) for start, end in spans]
        refs, stops = found
        try:
            texts = [symbols[ref] for ref in refs]
        except IndexError:
            return [self._series_of(start, end) for start, end in spans]
        get, begin, result = self._known.get, 0, []
        for stop in stops:
            key = tuple(texts[begin:stop])
            result.append(get(key) or self._found.get(key) or self._new(key, refs[begin:stop]))
            begin = stop
        return result

    def read_series(self, start: int, end: int) -> None:
        """One `TimeSeries`: labels come before samples in every sender, and have to here."""
        series: Series | None = None
        metadata = None
        fields = read_fields(self._body, start, end)
        for number, wire_type, first, last in self._effort.counted(fields, FIELDS, times=FIELDS_OF_SAMPLE):
            if number == 1:
                if series is None and wire_type == BYTES:
                    series = self._series_of(first, last)
                else:
                    series = Series.refused(
                        PartError(Reason.BAD_LABEL, "a series has labels in several parts")
                    )
            elif number == 2:
                if series is None:
                    series = Series.refused(
                        PartError(Reason.BAD_LABEL, "a series has no labels before its samples")
                    )
                self._read_sample(series, first, last, wire_type)
            elif number == 3:
                self._histograms += 1
                self._with_histograms = series
            elif number == 5 and wire_type == BYTES:
                metadata = (first, last)
        if metadata is not None and series is not None and series.labels is not None:
            self._read_metadata(series.labels.get("__name__", ""), *metadata)

    def _read_sample(self, series: Series, start: int, end: int, wire_type: int) -> None:
        try:
            self._columns.add(series, *read_sample(self._body, start, end, wire_type))
        except PartError:
            self._bad_samples += 1
            self._with_bad_samples = series
        self._check_number()

    def _series_of(self, start: int, end: int) -> Series:
        body, symbols = self._body, self._symbols
        refs: Sequence[int] = body[start:end]
        if end - start > 2 * MAX_LABELS * 5:
            return Series.refused(_TOO_MANY)
        if refs and max(refs) > 0x7F:
            refs = _varints(body, start, end)
        try:
            key = tuple([symbols[ref] for ref in refs])
        except IndexError:
            return Series.refused(PartError(Reason.BAD_LABEL, _NO_SYMBOL))
        return self._known.get(key) or self._found.get(key) or self._new(key, refs)

    def _new(self, key: tuple[bytes, ...], refs: Sequence[int]) -> Series:
        try:
            series = Series(self._labels(refs))
        except PartError as error:
            series = Series.refused(error)
        self._found[key] = series
        return series

    def _labels(self, refs: Sequence[int]) -> dict[str, str]:
        if len(refs) % 2:
            raise PartError(Reason.BAD_LABEL, "a series has a label without a value")
        if len(refs) > 2 * MAX_LABELS:
            raise _TOO_MANY
        labels: dict[str, str] = {}
        for index in range(0, len(refs), 2):
            name = self._text(refs[index])
            if name in labels:
                raise PartError(Reason.BAD_LABEL, f"a series has the label {name[:100]} twice")
            labels[name] = self._text(refs[index + 1])
        return labels

    def _text(self, ref: int) -> str:
        text = self._texts.get(ref)
        if text is None:
            if ref >= len(self._symbols):
                raise PartError(Reason.BAD_LABEL, _NO_SYMBOL)
            symbol = self._symbols[ref]
            text = self._texts[ref] = text_of(symbol, 0, len(symbol))
        return text

    def _read_metadata(self, name: str, start: int, end: int) -> None:
        if not name or name in self._meanings or end - start > STEP_BYTES:
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
            # What a metric means is no sample: it is left out where it cannot be read.
            with contextlib.suppress(PartError):
                self._meanings[name] = Meaning(self._text(unit_ref), word, self._text(help_ref))

    def _check_number(self) -> None:
        self._effort.check_number(len(self._columns.series), "samples")

    def batch(self) -> SampleBatch:
        """What was read."""
        batch = self._columns.batch()
        batch.meanings, batch.found = self._meanings, self._found
        batch.leave_out(Reason.NATIVE_HISTOGRAM, self._histograms, example=self._with_histograms)
        batch.leave_out(Reason.BAD_POINT, self._bad_samples, example=self._with_bad_samples)
        return batch


def _varints(body: bytes, position: int, end: int) -> list[int]:
    result = []
    while position < end:
        value, position = read_varint(body, position, end)
        result.append(value)
    return result
