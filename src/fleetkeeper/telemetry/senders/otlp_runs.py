"""Resources of OTLP in protobuf that come again and again with other numbers. Pure.

Times and values are eight bytes each in protobuf, whatever they are. So a sender that reports the same metrics again
sends the same bytes but for those, and numpy reads them all at once. Anything else is no business of this file:
`numbers_in` and `OtlpRun.read` give None, and the generated classes have the say.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fleetkeeper.telemetry.senders.batches import MAX_MICROSECONDS, Meaning, SenderInputError, Series
from fleetkeeper.telemetry.senders.effort import Effort
from fleetkeeper.telemetry.senders.protobuf import BYTES, FIXED64, read_fields

# Fields of `NumberDataPoint`.
_START, _TIME, _DOUBLE, _INT, _ATTRIBUTES = 2, 3, 4, 6, 7
# Fields of `Metric`: the kinds of data that have nothing but numbers, all kinds, and those before them.
_NUMBER_KINDS, _KINDS, _TEXTS = {5, 7}, {5, 7, 9, 10, 11}, {1, 2, 3, 12}
_EIGHT = np.arange(8)


class _UnusualError(Exception):
    """The message has something else than numbers."""


@dataclass(frozen=True, slots=True)
class Numbers:
    """Where a message has its points' times, then their values, then times at which they started."""

    at: NDArray[np.int32]
    points: int
    is_int: NDArray[np.bool_]
    # Resource, scopes and metrics.
    parts: int


@dataclass(frozen=True, slots=True)
class OtlpRun:
    """A resource that was read before."""

    series: Sequence[Series] = ()
    meanings: Mapping[str, Meaning] | None = None
    numbers: Numbers | None = None
    # A digest of the message with zeros for its numbers.
    rest: bytes = b""

    @property
    def weight(self) -> int:
        """Each metric has a meaning, whether it has points or not."""
        return len(self.series) + (self.numbers.parts if self.numbers is not None else 1)

    def read(self, message: bytes) -> tuple[list[int], list[float]] | None:
        """Times in microseconds and values, one for each of the series."""
        if self.numbers is None:
            return None
        words, rest = _split(message, self.numbers)
        number = self.numbers.points
        if rest != self.rest or not words[:number].all():
            return None
        times = np.minimum(words[:number] // 1000, MAX_MICROSECONDS)
        values = words[number : 2 * number]
        is_int = self.numbers.is_int
        return times.tolist(), np.where(is_int, values.view(np.int64), values.view(np.float64)).tolist()


# A resource that was read once, and is learned when it comes again; and one that cannot be learned.
SEEN, UNUSUAL = OtlpRun(), OtlpRun()


def learn(message: bytes, series: Sequence[Series], meanings: Mapping[str, Meaning]) -> OtlpRun | None:
    """A resource that had these series, if it has nothing but numbers, each once."""
    try:
        numbers = numbers_in(message)
    except (_UnusualError, SenderInputError):
        return None
    words, rest = _split(message, numbers)
    if numbers.points != len(series) or not words[: numbers.points].all():
        return None
    return OtlpRun(tuple(series), meanings, numbers, rest)


def _split(message: bytes, numbers: Numbers) -> tuple[NDArray[np.uint64], bytes]:
    """The numbers, and a digest of the message without them."""
    data = np.frombuffer(message, np.uint8).copy()
    at = numbers.at[:, None] + _EIGHT
    words: NDArray[np.uint64] = data[at].view("<u8").ravel()
    data[at] = 0
    return words, digest(data)


def digest(content: Any) -> bytes:
    """What stands for a sender's bytes, of which there may be many."""
    return hashlib.blake2b(content, digest_size=20).digest()


def resources_of(body: bytes, effort: Effort) -> Iterator[tuple[bytes, bytes]]:
    """What each resource of a request is recognized by, and its message. Raises SenderInputError."""
    for number, wire_type, start, end in effort.steps(read_fields(body, 0, len(body))):
        if number == 1 and wire_type == BYTES:
            first = next(read_fields(body, start, end), None)
            # The attributes come first, and have no numbers that change.
            head = body[start : first[3]] if first is not None and first[:2] == (1, BYTES) else b""
            yield b"%d %b" % (end - start, digest(head)), body[start:end]


def numbers_in(message: bytes) -> Numbers:
    """Where the numbers of a `ResourceMetrics` stand. Raises _UnusualError."""
    found = _Finder(message)
    for number, wire_type, start, end in read_fields(message, 0, len(message)):
        if number not in {1, 2, 3} or wire_type != BYTES:
            raise _UnusualError
        if number == 2:
            found.read_scope(start, end)
    return found.numbers()


class _Finder:
    def __init__(self, message: bytes) -> None:
        self._message = message
        self._times: list[int] = []
        self._values: list[int] = []
        self._starts: list[int] = []
        self._is_int: list[bool] = []
        self._parts = 1

    def _fields(self, start: int, end: int) -> Iterator[tuple[int, int, int, int]]:
        return read_fields(self._message, start, end)

    def read_scope(self, start: int, end: int) -> None:
        self._parts += 1
        for number, wire_type, first, last in self._fields(start, end):
            if number not in {1, 2, 3} or wire_type != BYTES:
                raise _UnusualError
            if number == 2:
                self._read_metric(first, last)

    def _read_metric(self, start: int, end: int) -> None:
        self._parts += 1
        kinds = 0
        for number, wire_type, first, last in self._fields(start, end):
            if number not in _KINDS | _TEXTS or wire_type != BYTES:
                raise _UnusualError
            kinds += number in _KINDS
            if number in _NUMBER_KINDS:
                for inner, kind, begins, ends in self._fields(first, last):
                    if inner == 1:
                        self._read_point(kind, begins, ends)
            elif number in _KINDS:
                raise _UnusualError
        # One of them only: of two, the last one would count.
        if kinds != 1:
            raise _UnusualError

    def _read_point(self, wire_type: int, start: int, end: int) -> None:
        if wire_type != BYTES:
            raise _UnusualError
        seen: dict[int, int] = {}
        for number, kind, first, _ in self._fields(start, end):
            if number == _ATTRIBUTES and kind == BYTES:
                continue
            if number not in {_START, _TIME, _DOUBLE, _INT} or kind != FIXED64 or number in seen:
                raise _UnusualError
            seen[number] = first
        if _TIME not in seen or (_DOUBLE in seen) == (_INT in seen):
            raise _UnusualError
        self._times.append(seen[_TIME])
        self._is_int.append(_INT in seen)
        self._values.append(seen[_INT if _INT in seen else _DOUBLE])
        if _START in seen:
            self._starts.append(seen[_START])

    def numbers(self) -> Numbers:
        at: Any = np.array(self._times + self._values + self._starts, np.int32)
        return Numbers(at, len(self._times), np.array(self._is_int, bool), self._parts)
