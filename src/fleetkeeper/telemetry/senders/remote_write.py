"""Prometheus remote_write 1.0: `prometheus.WriteRequest`, read without generated classes.

https://prometheus.io/docs/specs/prw/remote_write_spec/ . A sender repeats the same series in each request, so the
bytes of its labels are looked up as they are; the samples behind them have one of two lengths nearly always, and
numpy reads all of those at once. What looks different is walked field by field.
"""

import contextlib
import struct
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fleetkeeper.telemetry.reasons import Reason
from fleetkeeper.telemetry.senders.batches import (
    MAX_MICROSECONDS,
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
    FIXED64,
    TRUNCATED,
    VARINT,
    read_fields,
    read_varint,
    signed,
    text_of,
)

MAX_LABELS = 100
# It has two fields. What else may be behind a series' labels is little for each sample.
MAX_SAMPLE_BYTES = 200
FIELDS_OF_SAMPLE = 10
FIELDS = "samples, exemplars and other fields of series"
_TOO_MANY = PartError(Reason.TOO_MANY_LABELS, f"a series has at most {MAX_LABELS} labels")
KINDS = {1: "counter", 2: "gauge", 3: "histogram", 4: "gauge", 5: "summary", 6: "gauge", 7: "gauge"}
# A sample as every sender writes it: tag, length 16, tag, float64, tag, six bytes of milliseconds (1971 to 2109)…
_FULL = 18
# …and without its value when that is zero.
_ZERO = 9
_FLOAT = struct.Struct("<d")


def read_write_request(body: bytes, known: SeriesCache, effort: Effort) -> SampleBatch:
    """Read a request that has been decompressed. Raises SenderInputError."""
    reader = _Reader(body, known, effort)
    reader.run()
    return reader.batch()


class _Reader:
    def __init__(self, body: bytes, known: SeriesCache, effort: Effort) -> None:
        self._body = body
        self._known = known
        self._effort = effort
        self._found: dict[Any, Series] = {}
        self._series: list[Series] = []
        # Per series: where its samples of the usual form begin, and how many there are; 0 for a walked series.
        self._offsets: list[int] = []
        self._counts: list[int] = []
        self._sizes: list[int] = []
        # Samples of the series that were walked: index of the series -> (times, values).
        self._walked: dict[int, tuple[list[int], list[float]]] = {}
        self._samples = self._others = 0
        self._meanings: dict[str, Meaning] = {}
        self._histograms = 0
        self._bad_samples = 0
        self._with_histograms: Series | None = None
        self._with_bad_samples: Series | None = None

    def run(self) -> None:
        position, end = 0, len(self._body)
        while position < end:
            self._effort.check()
            position = self._read_step(position, min(end, position + STEP_BYTES), end)
            self._effort.check_number(len(self._series) + self._others, "series and metadata")
        self._check_number()

    def _read_step(self, position: int, step_end: int, end: int) -> int:
        """Fields that begin before `step_end`; returns where the next one does."""
        body = self._body
        known, series, offsets, counts, sizes = (
            self._known,
            self._series,
            self._offsets,
            self._counts,
            self._sizes,
        )
        get = known.get
        while position < step_end:
            tag = body[position]
            if tag != 0x0A:
                position = self._read_other(position, end)
                continue
            try:
                size, start = body[position + 1], position + 2
                if size > 0x7F:
                    # Two bytes are the rule.
                    high, start = body[start], start + 1
                    if high > 0x7F:
                        size, start = read_varint(body, position + 1, end)
                    else:
                        size = size & 0x7F | high << 7
            except IndexError:
                raise SenderInputError(TRUNCATED) from None
            position = start + size
            if position > end:
                raise SenderInputError(TRUNCATED)
            if size > _FULL:
                hit = get(body[start : position - _FULL])
                if hit is not None:
                    series.append(hit)
                    offsets.append(position - _FULL)
                    counts.append(1)
                    sizes.append(_FULL)
                    continue
                hit = get(body[start : position - _ZERO])
                if hit is not None:
                    series.append(hit)
                    offsets.append(position - _ZERO)
                    counts.append(1)
                    sizes.append(_ZERO)
                    continue
            self._read_series(start, position)
        return position

    def _check_number(self) -> None:
        self._samples = sum(self._counts) + sum(len(times) for times, _ in self._walked.values())
        self._effort.check_number(self._samples, "samples")

    def _read_other(self, position: int, end: int) -> int:
        """A field that is no series; returns where the next one begins."""
        self._others += 1
        for number, wire_type, start, stop in read_fields(self._body, position, end):
            if number == 1 and wire_type != BYTES:
                raise SenderInputError("the protobuf message has a series that is no message")
            if number == 3 and wire_type == BYTES:
                # What a metric means is no sample: it is left out where it cannot be read.
                with contextlib.suppress(PartError):
                    self._read_metadata(start, stop)
            return stop
        return end

    def _read_metadata(self, start: int, end: int) -> None:
        check_size(start, end)
        kind = 0
        texts = {2: "", 4: "", 5: ""}
        for number, wire_type, first, last in read_fields(self._body, start, end):
            if number == 1 and wire_type == VARINT:
                kind = first
            elif number in texts and wire_type == BYTES:
                texts[number] = text_of(self._body, first, last)
        if texts[2]:
            add_meanings(self._meanings, texts[2], kind, unit=texts[5], description=texts[4])

    def _read_series(self, start: int, end: int) -> None:
        """A series that is new, or whose samples do not look as usual."""
        body = self._body
        position = labels_end = start
        stop = min(end, start + STEP_BYTES)
        while position < stop and body[position] == 0x0A:
            size, position = read_varint(body, position + 1, end)
            position += size
            labels_end = position
        if labels_end > end:
            raise SenderInputError(TRUNCATED)
        if stop <= labels_end < end and body[labels_end] == 0x0A:
            self._walk(Series.refused(_TOO_MANY), labels_end, end)
            return
        key = body[start:labels_end]
        series = self._known.get(key) or self._found.get(key)
        if series is None:
            series = self._found[key] = self._new(start, labels_end)
        rest = end - labels_end
        if rest == _FULL or (rest and rest % _FULL == 0 and looks_usual(body, labels_end, rest // _FULL)):
            self._series.append(series)
            self._offsets.append(labels_end)
            self._counts.append(rest // _FULL)
            self._sizes.append(_FULL)
            return
        self._walk(series, labels_end, end)

    def _new(self, start: int, end: int) -> Series:
        try:
            return Series(self._read_labels(start, end))
        except PartError as error:
            return Series.refused(error)

    def _walk(self, series: Series, position: int, end: int) -> None:
        times: list[int] = []
        values: list[float] = []
        has_labels = False
        fields = read_fields(self._body, position, end)
        for number, wire_type, first, last in self._effort.counted(fields, FIELDS, times=FIELDS_OF_SAMPLE):
            if number == 1:
                has_labels = True
            elif number == 2:
                try:
                    time, value = read_sample(self._body, first, last, wire_type)
                except PartError:
                    self._bad_samples += 1
                    self._with_bad_samples = series
                    continue
                times.append(time)
                self._effort.check_number(len(times), "samples")
                values.append(value)
            elif number == 4:
                self._histograms += 1
                self._with_histograms = series
        if has_labels and series.reason is None:
            series = Series.refused(PartError(Reason.BAD_POINT, "a series has labels behind samples"))
        self._walked[len(self._series)] = (times, values)
        self._series.append(series)
        self._offsets.append(0)
        self._counts.append(0)
        self._sizes.append(0)

    def _read_labels(self, start: int, end: int) -> dict[str, str]:
        labels: dict[str, str] = {}
        body, position = self._body, start
        while position < end:
            # The caller has found label after label up to `end`.
            size, first = read_varint(body, position + 1, end)
            position = last = first + size
            name, value = read_pair(body, first, last)
            if name in labels:
                raise PartError(Reason.BAD_LABEL, f"a series has the label {name[:100]} twice")
            labels[name] = value
            if len(labels) > MAX_LABELS:
                raise _TOO_MANY
        return labels

    def batch(self) -> SampleBatch:
        data = np.frombuffer(self._body, np.uint8)
        counts = np.array(self._counts, np.int64)
        offsets, sizes = np.array(self._offsets, np.int64), np.array(self._sizes, np.int64)
        for index in self._unusual(data, offsets, counts, sizes).tolist():
            self._rewalk(index)
            counts[index] = 0
        lengths = counts.copy()
        for index, (times, _) in self._walked.items():
            lengths[index] = len(times)
        starts = np.concatenate(([0], np.cumsum(lengths)))
        times_us = np.empty(starts[-1], np.int64)
        values = np.empty(starts[-1], np.float64)
        self._fill(data, offsets, counts, sizes, starts, times_us, values)
        for index, (times, numbers) in self._walked.items():
            times_us[starts[index] : starts[index + 1]] = times
            values[starts[index] : starts[index + 1]] = numbers
        batch = SampleBatch(self._series, starts, times_us, values, self._meanings, found=self._found)
        batch.leave_out(Reason.NATIVE_HISTOGRAM, self._histograms, example=self._with_histograms)
        batch.leave_out(Reason.BAD_POINT, self._bad_samples, example=self._with_bad_samples)
        return batch

    def _unusual(self, data: NDArray[np.uint8], offsets: Any, counts: Any, sizes: Any) -> NDArray[np.intp]:
        """Which series matched by their length alone and are something else behind the labels."""
        wrong = np.zeros(len(offsets), bool)
        full = np.flatnonzero((sizes == _FULL) & (counts == 1))
        if len(full):
            at = offsets[full]
            good = (
                (data[at] == 0x12) & (data[at + 1] == 16) & (data[at + 2] == 0x09) & (data[at + 11] == 0x10)
            )
            wrong[full] = ~(good & six_bytes(data, at + 12))
        zero = np.flatnonzero(sizes == _ZERO)
        if len(zero):
            at = offsets[zero]
            good = (data[at] == 0x12) & (data[at + 1] == 7) & (data[at + 2] == 0x10)
            wrong[zero] = ~(good & six_bytes(data, at + 3))
        return np.flatnonzero(wrong)

    def _rewalk(self, index: int) -> None:
        end = self._offsets[index] + self._sizes[index]
        before = len(self._series)
        self._walk(self._series[index], self._offsets[index], end)
        self._walked[index] = self._walked.pop(before)
        for column in (self._series, self._offsets, self._counts, self._sizes):
            column.pop()

    @staticmethod
    def _fill(
        data: NDArray[np.uint8], offsets: Any, counts: Any, sizes: Any, starts: Any, times: Any, values: Any
    ) -> None:
        full = np.flatnonzero((sizes == _FULL) & (counts > 0))
        if len(full):
            number = counts[full]
            if number.max() == 1:
                at, where = offsets[full], starts[full]
            else:
                within = np.arange(number.sum()) - np.repeat(np.cumsum(number) - number, number)
                at = np.repeat(offsets[full], number) + within * _FULL
                where = np.repeat(starts[full], number) + within
            values[where] = read_floats(data, at + 3)
            times[where] = read_milliseconds(data, at + 12) * 1000
        zero = np.flatnonzero((sizes == _ZERO) & (counts > 0))
        if len(zero):
            values[starts[zero]] = 0.0
            times[starts[zero]] = read_milliseconds(data, offsets[zero] + 3) * 1000


def six_bytes(data: NDArray[np.uint8], at: Any) -> NDArray[np.bool_]:
    """Where a varint of exactly six bytes stands."""
    good: NDArray[np.bool_] = data[at + 5] < 0x80
    for index in range(5):
        good &= data[at + index] >= 0x80
    return good


def read_floats(data: NDArray[np.uint8], at: Any) -> NDArray[np.float64]:
    """The float64 that begin there."""
    values: NDArray[np.float64] = data[at[:, None] + np.arange(8)].view("<f8").ravel()
    return values


def read_milliseconds(data: NDArray[np.uint8], at: Any) -> NDArray[np.int64]:
    """The varints of six bytes that begin there."""
    result = np.zeros(len(at), np.int64)
    for index in range(6):
        result |= (data[at + index].astype(np.int64) & 0x7F) << (7 * index)
    return result


def looks_usual(body: bytes, start: int, number: int) -> bool:
    """Whether samples of the usual form, and nothing else, stand there."""
    rows = np.frombuffer(body, np.uint8, number * _FULL, start).reshape(number, _FULL)
    heads = (rows[:, [0, 1, 2, 11]] == (0x12, 16, 0x09, 0x10)).all()
    return bool(heads and (rows[:, 12:17] >= 0x80).all() and (rows[:, 17] < 0x80).all())


def read_pair(body: bytes, start: int, end: int) -> tuple[str, str]:
    """A label's name and value."""
    if end - start > 4 and body[start] == 0x0A and body[start + 1] < 0x80:
        middle = start + 2 + body[start + 1]
        # Both short, in order, and nothing else: every sender writes labels like this.
        if middle + 2 <= end and body[middle] == 0x12 and body[middle + 1] == end - middle - 2 < 0x80:
            return text_of(body, start + 2, middle), text_of(body, middle + 2, end)
    check_size(start, end)
    name = value = ""
    for number, wire_type, begins, ends in read_fields(body, start, end):
        if number == 1 and wire_type == BYTES:
            name = text_of(body, begins, ends)
        elif number == 2 and wire_type == BYTES:
            value = text_of(body, begins, ends)
    return name, value


def check_size(start: int, end: int) -> None:
    """Raise PartError for a label or metadata that is too large to be looked into."""
    if end - start > STEP_BYTES:
        raise PartError(
            Reason.LABEL_TOO_LONG, f"a label, or what a metric means, has more than {STEP_BYTES} bytes"
        )


def read_sample(body: bytes, start: int, end: int, wire_type: int = BYTES) -> tuple[int, float]:
    """A sample's time in microseconds and its value. Raises PartError."""
    time, value = 0, 0.0
    if wire_type != BYTES or end - start > MAX_SAMPLE_BYTES:
        raise PartError(Reason.BAD_POINT)
    for number, kind, first, _ in read_fields(body, start, end):
        if number == 1 and kind == FIXED64:
            value = _FLOAT.unpack_from(body, first)[0]
        elif number == 2 and kind == VARINT:
            time = signed(first)
        elif number in {1, 2}:
            raise PartError(Reason.BAD_POINT)
    return max(-MAX_MICROSECONDS, min(time * 1000, MAX_MICROSECONDS)), value


def add_meanings(
    meanings: dict[str, Meaning], family: str, kind: int, *, unit: str, description: str
) -> None:
    """What a family's metadata says of its metrics; parts of histograms and summaries count."""
    word = KINDS.get(kind, "")
    if word in {"histogram", "summary"}:
        for part in ("_bucket", "_count", "_sum"):
            meanings[family + part] = Meaning(unit if part == "_sum" else "", "counter", description)
        word = "gauge"
    meanings[family] = Meaning(unit, word, description)
