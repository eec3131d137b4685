"""Influx line protocol, as the v1 and the v2 API take it. Pure.

https://docs.influxdata.com/influxdb/v2/reference/syntax/line-protocol/ , and as InfluxDB reads what that leaves open: a
backslash escapes what stands for something, and is itself in all other places. `cpu,host=web1 usage_idle=98.5
1795132800` becomes the metric `cpu_usage_idle` with the label `host`; a field named `value` gives the metric its
measurement's name, as Telegraf's Prometheus output has it. Texts are no measurements and are left out.
"""

import math
import re
import sys
from collections.abc import Hashable, Iterator

import msgspec

from fleetkeeper.telemetry.reasons import Reason
from fleetkeeper.telemetry.senders.batches import (
    MAX_MICROSECONDS,
    Columns,
    PartError,
    SampleBatch,
    SenderInputError,
    Series,
    SeriesCache,
    SeriesRun,
)
from fleetkeeper.telemetry.senders.effort import STEP_BYTES, Effort
from fleetkeeper.telemetry.senders.metric_names import escaped, label_name, sent_as

MAX_TAGS = 100
MAX_NAMED_PROBLEMS = 5
MAX_NUMBER_LENGTH = 400
# A body with more of them is refused as a whole.
MAX_WRONG_LINES = 5000
# Comments, empty lines and those of texts included.
LINES_OF_SAMPLE = 10
# What takes a line apart, and how many of each a line may have.
_MARKS, MAX_MARKS = ', "\\', 100_000
# Microseconds per unit of each precision, as (multiply, divide).
PRECISIONS = {
    "ns": (1, 1000),
    "n": (1, 1000),
    "u": (1, 1),
    "us": (1, 1),
    "µ": (1, 1),
    "ms": (1000, 1),
    "s": (1_000_000, 1),
    "m": (60_000_000, 1),
    "h": (3_600_000_000, 1),
}
_SHAPE = "must be `measurement,tag=value field=value time`"
_TRUE = frozenset({"t", "T", "true", "True", "TRUE"})
_FALSE = frozenset({"f", "F", "false", "False", "FALSE"})
_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)
_INTEGER = re.compile(r"[+-]?\d{1,20}[iu]", re.ASCII)
# Those that are surely within 64 bits.
_INTEGER_FIELD = re.compile(r"=(-?\d{1,18})i(?=,|\Z)", re.ASCII)
_RANGES = {"i": (-(2**63), 2**63 - 1), "u": (0, 2**64 - 1)}
_plain_decoder = msgspec.json.Decoder(dict[str, float])
_TIME = re.compile(r"-?\d{1,19}", re.ASCII)
# What a backslash escapes in tags, and in measurements and names of fields.
_ESCAPED_TAG = re.compile(r"\\([,= ])")
_ESCAPED_NAME = re.compile(r'\\([,=" ])')
# A mark that has no backslash before it, whatever stands before that.
_HEAD_END = re.compile(r"(?<!\\) ")
_TAG_END = re.compile(r"(?<!\\),")
_NAME_END = re.compile(r"(?<!\\)=")
_HALF = re.compile("[\ud800-\udfff]")


def read_lines(
    body: bytes, known: SeriesCache, effort: Effort, *, precision: str, now_us: int
) -> SampleBatch:
    """Read lines; one that is wrong is left out and counted. Raises SenderInputError."""
    scale, (text, is_broken) = PRECISIONS[precision], _text_of(body)
    columns, found, runs = Columns(), dict[Hashable, Series](), dict[Hashable, SeriesRun]()
    wrong: list[str] = []
    wrong_line = text_field = ""
    wrong_count = texts = 0
    add, get = columns.add, known.get
    lines = _lines_with_texts(text, effort) if '"' in text else _plain_lines(text, effort)
    for number, line in enumerate(lines, 1):
        line = line.strip("\r\t ")  # noqa: PLW2901 - the same line
        if not line or line[0] == "#":
            continue
        try:
            head, fields, stamp = _split_line(line, may_be_broken=is_broken)
            time_us = _time_us(stamp, fields, *scale) if stamp else now_us
            plain = _plain_numbers(fields)
            if plain is not None:
                key = head, tuple(plain)
                run = known.runs.get(key) or runs.get(key)
                if run is None:
                    parts = [(head, name) for name in plain]
                    run = SeriesRun(
                        [get(part) or found.get(part) or _found(found, part, number) for part in parts]
                    )
                    # A machine's field names are those of another: the same texts serve all.
                    runs[head, tuple(map(sys.intern, plain))] = run
                columns.add_run(run.series, [time_us] * len(plain), plain.values())
                values = []
            else:
                values = _values(fields)
        except PartError as error:
            wrong_count += 1
            wrong_line = wrong_line or line
            if len(wrong) < MAX_NAMED_PROBLEMS:
                wrong.append(f"line {number}: {error}")
            if wrong_count > MAX_WRONG_LINES:
                said = (
                    f"more than {MAX_WRONG_LINES} lines cannot be read, so none is stored: {'; '.join(wrong)}"
                )
                raise SenderInputError(said) from None
            continue
        for name, value in values:
            part = (head, name)
            if value is None:
                texts += 1
                text_field = text_field or f"{head} {name}"
            else:
                add(get(part) or found.get(part) or _found(found, part, number), time_us, value)
        effort.check_number(len(columns.series), "fields")
    batch = columns.batch()
    batch.found, batch.runs = found, dict(runs)
    batch.leave_out(Reason.INVALID_LINE, wrong_count, "; ".join(wrong), wrong_line)
    batch.leave_out(Reason.TEXT_FIELD, texts, example=text_field)
    return batch


def _line_error(sentence: str) -> PartError:
    return PartError(Reason.INVALID_LINE, sentence)


def _plain_lines(text: str, effort: Effort) -> Iterator[str]:
    """Lines, where each line break ends one."""
    start = number = 0
    while start <= len(text):
        effort.check()
        stop = text.find("\n", start + STEP_BYTES)
        lines = text[start : stop if stop >= 0 else len(text)].split("\n")
        number += len(lines)
        effort.check_number(number, "lines", times=LINES_OF_SAMPLE)
        yield from lines
        start = stop + 1 if stop >= 0 else len(text) + 1


def _lines_with_texts(text: str, effort: Effort) -> Iterator[str]:
    """Lines, where a text in quotes may have line breaks of its own."""
    start = position = number = looked_at = 0
    while (end := _end_of_step(text, position)) < len(text):
        if end - looked_at > STEP_BYTES:
            looked_at = end
            effort.check()
            effort.check_number(number, "lines", times=LINES_OF_SAMPLE)
        if text[end] == "\n":
            number += 1
            yield text[start:end]
            start = position = end + 1
        elif end > position:
            position = end
        else:
            # The text that opens here is never closed.
            break
    yield text[start:]


def _end_of_step(text: str, position: int) -> int:
    step = _OUTSIDE.match(text, position)
    return step.end() if step else position


# As far as no line break ends a line, in steps: quotes open a text only behind the equals sign of a field.
_OUTSIDE = re.compile(r'(?:[^"\\\n]++|\\.|(?<!=)"|(?<==)"(?:[^"\\]++|\\.)*+"){0,4096}+', re.DOTALL)
# What backslashes escape is passed over, as far as it stands together.
_SPACES = re.compile(r'\\.(?:\\.)*+|"|[ ]', re.DOTALL)
_COMMAS = re.compile(r'\\.(?:\\.)*+|"|,', re.DOTALL)


def _split_line(line: str, *, may_be_broken: bool) -> tuple[str, str, str]:
    """Measurement with tags, fields, and time; the last may be empty."""
    if len(line) > STEP_BYTES and max(map(line.count, _MARKS)) > MAX_MARKS:
        raise _line_error(f"has more than {MAX_MARKS} commas, blanks, quotes or backslashes")
    if may_be_broken and _HALF.search(line):
        raise _line_error("is not UTF-8")
    if '"' not in line and "\\" not in line:
        parts = line.split(" ")
        if len(parts) == 3:
            return parts[0], parts[1], parts[2]
        parts = [part for part in parts if part]
    else:
        # Quotes mean something in the fields only.
        end = _HEAD_END.search(line)
        if end is None:
            raise _line_error(_SHAPE)
        rest = _split_outside(line[end.end() :], _SPACES)
        parts = [line[: end.start()], *[part for part in rest if part]]
    if len(parts) == 2:
        return parts[0], parts[1], ""
    if len(parts) != 3:
        raise _line_error(_SHAPE)
    return parts[0], parts[1], parts[2]


def _split_outside(text: str, marks: "re.Pattern[str]") -> list[str]:
    """Split at a mark that stands neither behind a backslash nor inside quotes."""
    parts, start, in_quotes = [], 0, False
    for match in marks.finditer(text):
        mark = match[0]
        if mark == '"':
            in_quotes = (
                not in_quotes if in_quotes or text[match.start() - 1 : match.start()] == "=" else False
            )
        elif len(mark) == 1 and not in_quotes:
            parts.append(text[start : match.start()])
            start = match.end()
    if in_quotes:
        raise _line_error("a text has no closing quote")
    parts.append(text[start:])
    return parts


def _text_of(body: bytes) -> tuple[str, bool]:
    """The text, and whether some of it is not UTF-8: that has halves of surrogate pairs instead."""
    try:
        return body.decode(), False
    except UnicodeDecodeError:
        return body.decode(errors="surrogateescape"), True


def _time_us(stamp: str, fields: str, multiply: int, divide: int) -> int:
    if not _TIME.fullmatch(stamp):
        # Three words of anything are no line with a wrong time.
        raise _line_error("the time must be a whole number" if "=" in fields else _SHAPE)
    time_us = int(stamp) * multiply // divide
    if not -MAX_MICROSECONDS < time_us < MAX_MICROSECONDS:
        raise _line_error("the time is out of range")
    return time_us


def _plain_numbers(fields: str) -> dict[str, float] | None:
    """The fields, if they are numbers that JSON has as well: its decoder reads them all at once."""
    if '"' in fields or "\\" in fields or "\t" in fields or "\r" in fields:
        return None
    if "i" in fields:
        fields = _INTEGER_FIELD.sub(r"=\1", fields)
    try:
        found = _plain_decoder.decode('{"' + fields.replace("=", '":').replace(",", ',"') + "}")
    except msgspec.DecodeError:
        return None
    # A name twice or none, a zero whose sign JSON would lose, or more digits than there may be.
    if len(found) != fields.count("=") or "" in found or "=-0," in fields or fields.endswith("=-0"):
        return None
    if len(fields) > MAX_NUMBER_LENGTH and max(map(len, fields.split(","))) > MAX_NUMBER_LENGTH:
        return None
    return found


def _values(fields: str) -> list[tuple[str, float | None]]:
    plain = '"' not in fields and "\\" not in fields
    parts = fields.split(",") if plain else _split_outside(fields, _COMMAS)
    result: list[tuple[str, float | None]] = []
    for part in parts:
        name, equals, value = part.partition("=") if plain else _partition(part)
        if not equals or not name or not value:
            raise _line_error("a field is name=value")
        result.append((name, _number(value)))
    return result


def _partition(part: str) -> tuple[str, str, str]:
    match = _NAME_END.search(part)
    return (part, "", "") if match is None else (part[: match.start()], "=", part[match.end() :])


def _number(value: str) -> float | None:
    """A field's value; None for a text. NaN and infinity are not part of the protocol."""
    if len(value) <= MAX_NUMBER_LENGTH and _NUMBER.fullmatch(value):
        number = float(value)
        if not math.isfinite(number):
            raise _line_error("a field is too large for a number")
        return number
    last = value[-1]
    if last in "iu":
        if not _INTEGER.fullmatch(value):
            raise _line_error("a field is no number, text or truth value")
        number, (least, most) = int(value[:-1]), _RANGES[last]
        if not least <= number <= most:
            raise _line_error("a field is out of the range of integers")
        return float(number)
    if last == '"':
        if value[0] != '"' or len(value) < 2:
            raise _line_error("a field is no number, text or truth value")
        return None
    if value in _TRUE:
        return 1.0
    if value in _FALSE:
        return 0.0
    raise _line_error("a field is no number, text or truth value")


def _found(found: dict[Hashable, Series], key: tuple[str, str], line: int) -> Series:
    """A series that is new in this request."""
    try:
        series = _series(*key)
    except PartError as error:
        series = Series.refused(PartError(error.reason, f"line {line}: {error}"))
    found[key] = series
    return series


def _series(head: str, field: str) -> Series:
    # Of too many tags one too many is enough.
    most = MAX_TAGS + 1
    measurement, *parts = _TAG_END.split(head, most) if "\\" in head else head.split(",", most)
    if len(parts) > MAX_TAGS:
        raise PartError(Reason.TOO_MANY_LABELS, f"a line has at most {MAX_TAGS} tags")
    measurement, field = _unescape(measurement, _ESCAPED_NAME), _unescape(field, _ESCAPED_NAME)
    if not measurement:
        raise _line_error("a line has no measurement")
    labels = {"__name__": measurement if field == "value" else f"{measurement}_{field}"}
    origin = {}
    for part in parts:
        name, equals, value = _partition(part) if "\\" in part else part.partition("=")
        if not equals or not name or not value or _NAME_END.search(value):
            raise _line_error("a tag is name=value")
        name, value = _unescape(name, _ESCAPED_TAG), _unescape(value, _ESCAPED_TAG)
        origin[name] = value
        labels[label_name(name)] = value
    if not len(labels) - 1 == len(origin) == len(parts):
        raise _line_error("a tag stands twice")
    series = Series(labels, origin, identity=hash((measurement, field, frozenset(origin.items()))) or 1)
    renamed = [name for name in origin if name not in labels]
    return series.called(sent_as(f"{escaped(measurement)} {escaped(field)}", renamed))


def _unescape(text: str, escaped: "re.Pattern[str]") -> str:
    return escaped.sub(r"\1", text) if "\\" in text else text
