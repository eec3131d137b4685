"""Parameters of the API as text: times and durations, with Prometheus' words for what is wrong with them."""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from fleetkeeper.telemetry.matchers import Matcher
from fleetkeeper.telemetry.promql.errors import BadDataError
from fleetkeeper.telemetry.promql.formatting import quoted
from fleetkeeper.telemetry.promql.labels import is_label_name, unescaped_name
from fleetkeeper.telemetry.promql.selectors import parse_selectors
from fleetkeeper_protocol import metrics

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# Beyond it a query's arithmetic in microseconds could leave 64 bits.
MAX_SECONDS = 1e12
# What the database's clock holds: the years 1970 to 9998.
MAX_STORED_US = 253_370_764_800_000_000
_DURATION = re.compile(
    r"(?:(\d+)y)?(?:(\d+)w)?(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?(?:(\d+)ms)?", re.ASCII
)
_UNIT_MILLIS = (31_536_000_000, 604_800_000, 86_400_000, 3_600_000, 60_000, 1000, 1)
_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)
_RFC_3339 = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(?:\.\d+)?(?:[Zz]|[+-]\d\d:\d\d)", re.ASCII)


def _time_millis(text: str) -> int | None:
    if _NUMBER.fullmatch(text):
        seconds = float(text)
        return round(seconds * 1000) if abs(seconds) <= MAX_SECONDS else None
    if not _RFC_3339.fullmatch(text):
        return None
    try:
        since = datetime.fromisoformat(text) - EPOCH
    except (ValueError, OverflowError):
        return None
    return (since.days * 86_400 + since.seconds) * 1000 + since.microseconds // 1000


def _duration_millis(text: str) -> float | None:
    if _NUMBER.fullmatch(text):
        return float(text) * 1000
    found = _DURATION.fullmatch(text)
    if not text or len(text) > 100 or found is None:
        return 0.0 if text == "0" else None
    return float(sum(int(part or 0) * unit for part, unit in zip(found.groups(), _UNIT_MILLIS, strict=True)))


@dataclass(frozen=True)
class Parameters:
    """What came in the address and, with POST, in the form. The first value of a name counts, `match[]` may repeat."""

    values: Mapping[str, Sequence[str]]

    def text(self, name: str) -> str:
        """A text; empty when it is not there."""
        found = self.values.get(name)
        return found[0] if found else ""

    def time(self, name: str, default: int | None = None) -> int:
        """A moment in microseconds, on whole milliseconds. Raises BadDataError."""
        text = self.text(name)
        if not text and default is not None:
            return default
        millis = _time_millis(text)
        if millis is None:
            raise BadDataError(
                f'invalid parameter "{name}": cannot parse {quoted(text[:100])} to a valid timestamp'
            )
        return millis * 1000

    def duration(self, name: str) -> int:
        """A duration in microseconds, on whole milliseconds. Raises BadDataError."""
        text = self.text(name)
        millis = _duration_millis(text)
        if millis is None or not math.isfinite(millis):
            raise BadDataError(
                f'invalid parameter "{name}": cannot parse {quoted(text[:100])} to a valid duration'
            )
        if abs(millis) > MAX_SECONDS * 1000:
            raise BadDataError(
                f'invalid parameter "{name}": cannot parse {quoted(text[:100])} to a valid duration. It overflows int64'
            )
        return int(millis) * 1000

    def timeout_seconds(self) -> float | None:
        """How long the caller wants to wait. Raises BadDataError."""
        return self.duration("timeout") / 1_000_000 if self.text("timeout") else None

    def span(self) -> tuple[int, int]:
        """`start` and `end`; all times when they are absent. Raises BadDataError."""
        limit = int(MAX_SECONDS) * 1_000_000
        start, end = self.time("start", -limit), self.time("end", limit)
        if end < start:
            raise BadDataError('invalid parameter "end": end timestamp must not be before start time')
        return start, end

    def between(self) -> tuple[datetime, datetime] | None:
        """The same for the database, both moments included; None for all that it can hold. Raises BadDataError."""
        start, end = self.span()
        if start <= 0 and end >= MAX_STORED_US:
            return None
        return _moment(start), _moment(end)

    def range(self) -> tuple[int, int, int]:
        """`start`, `end` and `step` of a range query. Raises BadDataError."""
        start, end = self.time("start"), self.time("end")
        if end < start:
            raise BadDataError('invalid parameter "end": end timestamp must not be before start time')
        step = self.duration("step")
        if step <= 0:
            raise BadDataError(
                'invalid parameter "step": zero or negative query resolution step widths are not accepted. '
                "Try a positive integer"
            )
        return start, end, step

    def matcher_sets(self) -> list[tuple[Matcher, ...]]:
        """The selectors of `match[]`. Raises BadDataError."""
        return parse_selectors(self.values.get("match[]", ()))

    def limit(self) -> int | None:
        """At most so many results. Raises BadDataError."""
        text = self.text("limit")
        if not text:
            return None
        if not re.fullmatch(r"-?\d{1,9}", text, re.ASCII):
            raise BadDataError("limit must be a number")
        return int(text) if int(text) > 0 else None


def _moment(time_us: int) -> datetime:
    return EPOCH + timedelta(microseconds=max(-1, min(time_us, MAX_STORED_US)))


def checked_label_name(name: str) -> str:
    """The name of a label. Raises BadDataError."""
    spelled = unescaped_name(name)
    # What Prometheus 2 would not have, and nobody means by the names that Prometheus 3 has.
    is_wrong = re.fullmatch(r"[0-9]\w*", spelled, re.ASCII) and spelled == name
    if is_wrong or not (is_label_name(spelled) or metrics.is_label_name(spelled)):
        raise BadDataError(f"invalid label name: {quoted(name[:100])}")
    return spelled
