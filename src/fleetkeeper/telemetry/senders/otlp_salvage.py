"""What is good of an OTLP resource that is not good as a whole: one wrong point costs that point alone. Pure.

A part is tried whole; where that fails, its parts are: scopes, metrics, points. What fails at last is left out. Only
the generated classes say what is good.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from google.protobuf import json_format
from google.protobuf.message import DecodeError
from opentelemetry.proto.metrics.v1 import metrics_pb2 as pb

from fleetkeeper.telemetry.senders.effort import Effort
from fleetkeeper.telemetry.senders.protobuf import BYTES, read_fields

MAX_DEPTH = 50


class Level(NamedTuple):
    """A kind of message: the class, and its fields that are taken apart, by number, name and kind."""

    kind: type[Any]
    fields: Mapping[int, tuple[str, "Level"]]

    @property
    def has_one_kind(self) -> bool:
        """Whether parts of one of its fields alone may be there."""
        return self.kind is pb.Metric


_POINTS = {
    5: ("gauge", Level(pb.Gauge, {1: ("dataPoints", Level(pb.NumberDataPoint, {}))})),
    7: ("sum", Level(pb.Sum, {1: ("dataPoints", Level(pb.NumberDataPoint, {}))})),
    9: ("histogram", Level(pb.Histogram, {1: ("dataPoints", Level(pb.HistogramDataPoint, {}))})),
    10: (
        "exponentialHistogram",
        Level(pb.ExponentialHistogram, {1: ("dataPoints", Level(pb.ExponentialHistogramDataPoint, {}))}),
    ),
    11: ("summary", Level(pb.Summary, {1: ("dataPoints", Level(pb.SummaryDataPoint, {}))})),
}
_SCOPE = Level(pb.ScopeMetrics, {2: ("metrics", Level(pb.Metric, _POINTS))})
RESOURCE = Level(pb.ResourceMetrics, {2: ("scopeMetrics", _SCOPE)})


@dataclass
class Salvage:
    """What could not be read. `in_parts` lets no part of a resource in JSON be tried whole, but its points."""

    effort: Effort
    in_parts: bool = False
    points: int = 0
    problem: str = ""
    # The metric of the first point that is lost, where it can be told.
    metric: str = ""
    _name: str = ""

    def resource_of_bytes(self, message: bytes) -> Any:
        """The good parts of a resource in protobuf. Raises SenderInputError where its bytes lie about their ends."""
        return self._of_bytes(RESOURCE, message)

    def resource_of_json(self, document: Any) -> Any:
        """The good parts of a resource in JSON."""
        return self._of_json(RESOURCE, document)

    def _lose(self, points: int, problem: str) -> None:
        self.points += max(1, points)
        self.effort.check_number(self.points, "data points")
        self.problem = self.problem or problem[:200]
        self.metric = self.metric or self._name

    def _enter(self, level: Level, made: Any = None) -> None:
        """Keep in mind which metric's points come next, as soon as its name is known. Raises TooManyError."""
        self.effort.check()
        if level.has_one_kind:
            self._name = "" if made is None else made.name

    def _of_bytes(self, level: Level, message: bytes) -> Any:
        """The message without what is wrong in it; None where nothing is left."""
        self._enter(level)
        made = level.kind()
        try:
            made.ParseFromString(message)
        except (DecodeError, UnicodeDecodeError) as error:
            problem = str(error)
        else:
            return made
        rest, inner = bytearray(), list[tuple[int, bytes]]()
        start = 0
        for number, wire_type, first, end in read_fields(message, 0, len(message)):
            if number in level.fields and wire_type == BYTES:
                inner.append((number, message[first:end]))
            else:
                rest += message[start:end]
            start = end
        made = level.kind()
        try:
            made.ParseFromString(bytes(rest))
        except (DecodeError, UnicodeDecodeError):
            self._lose(sum(points_in_bytes(level.fields[number][1], part) for number, part in inner), problem)
            return None
        self._enter(level, made)
        for number, part in inner:
            good = self._of_bytes(level.fields[number][1], part)
            if good is not None:
                made.MergeFromString(field_of(number, good.SerializeToString()))
        return made

    def _of_json(self, level: Level, document: Any) -> Any:
        self._enter(level)
        if not isinstance(document, dict):
            self._lose(1, f"{level.kind.DESCRIPTOR.name} is no JSON object")
            return None
        problem = f"{level.kind.DESCRIPTOR.name} has something else than a list of parts"
        if not self.in_parts or not level.fields:
            try:
                return _parsed(level, document)
            except _WrongError as error:
                problem = str(error)
        named = {name: (number, inner) for number, (name, inner) in level.fields.items()}
        named |= {_snake(name): found for name, found in named.items()}
        try:
            made = _parsed(level, {key: value for key, value in document.items() if key not in named})
        except _WrongError as error:
            self._lose(points_in_json(document), str(error) if self.in_parts else problem)
            return None
        self._enter(level, made)
        present = [key for key in document if key in named and document[key] is not None]
        if level.has_one_kind and len(present) > 1:
            self._lose(points_in_json(document), "a metric has one kind of data")
            return None
        for key in present:
            number, inner = named[key]
            is_list = not level.has_one_kind
            parts = document[key] if is_list else [document[key]]
            if not isinstance(parts, list):
                self._lose(1, problem)
                continue
            for part in parts:
                good = self._of_json(inner, part)
                if good is not None:
                    made.MergeFromString(field_of(number, good.SerializeToString()))
        return made


class _WrongError(Exception):
    """The generated class does not take it."""


def _parsed(level: Level, document: Any) -> Any:
    made = level.kind()
    try:
        json_format.ParseDict(document, made, ignore_unknown_fields=True, max_recursion_depth=MAX_DEPTH)
    except Exception as error:  # noqa: BLE001 - the library stumbles in many ways, SystemError among them
        raise _WrongError(str(error)) from None
    return made


def points_in_bytes(level: Level, message: bytes) -> int:
    """How many points a message has, at least."""
    if not level.fields:
        return 1
    return sum(
        points_in_bytes(level.fields[number][1], message[first:last])
        for number, wire_type, first, last in read_fields(message, 0, len(message))
        if number in level.fields and wire_type == BYTES
    )


def points_in_json(document: Any) -> int:
    """The same of JSON; a metric of several kinds has the points of all."""
    names: Sequence[str] = ("scopeMetrics", "metrics", *(name for name, _ in _POINTS.values()))
    if isinstance(document, list):
        return sum(map(points_in_json, document))
    if not isinstance(document, dict):
        return 0
    number = 0
    for key, value in document.items():
        if key in {"dataPoints", "data_points"}:
            number += len(value) if isinstance(value, list) else 1
        elif key in names or key in set(map(_snake, names)):
            number += points_in_json(value)
    return number


def _snake(name: str) -> str:
    return "".join(f"_{char.lower()}" if char.isupper() else char for char in name)


def field_of(number: int, content: bytes) -> bytes:
    """A message as a field of another."""
    head, size = bytearray((number << 3 | BYTES,)), len(content)
    while size > 0x7F:
        head.append(size & 0x7F | 0x80)
        size >>= 7
    return bytes((*head, size)) + content
