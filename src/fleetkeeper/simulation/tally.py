"""Counting what a simulation sent and what the server made of it."""

import math
import re
from collections import Counter
from typing import Any, Final

_FINEST_MS: Final = 0.01
_GROWTH: Final = 1.03
_NUMBER: Final = re.compile(r"\d(?:[\d.:,T+-]*\d)?")


def without_numbers(text: str) -> str:
    """Return a message with `N` for its numbers, so that like is counted with like; HTTP's statuses stay."""
    status, separator, rest = text.partition("; ")
    kept = status if separator and status.startswith("HTTP ") else ""
    return (kept + separator + _NUMBER.sub("N", rest) if kept else _NUMBER.sub("N", text))[:160]


class Latencies:
    """A histogram with buckets that grow by 3 %, so quantiles are exact to 3 % at a fixed size."""

    def __init__(self) -> None:
        self._buckets: Counter[int] = Counter()
        self._count = 0

    def add(self, milliseconds: float) -> None:
        """Count one duration."""
        bucket = 0 if milliseconds <= _FINEST_MS else math.ceil(math.log(milliseconds / _FINEST_MS, _GROWTH))
        self._buckets[bucket] += 1
        self._count += 1

    def quantile(self, share: float) -> float | None:
        """Return the duration (milliseconds) that `share` of all did not exceed; None when there are none."""
        rank = share * self._count
        seen = 0
        for bucket, count in sorted(self._buckets.items()):
            seen += count
            if seen >= rank:
                return _FINEST_MS * _GROWTH**bucket
        return None


class Tally:
    """The counts of one phase."""

    def __init__(self) -> None:
        self.requests = 0
        self.accepted = 0
        self.duplicates = 0
        self.samples = 0
        self.rejected: Counter[str] = Counter()
        self.failures: Counter[str] = Counter()
        self.retries: Counter[str] = Counter()
        self.late = 0
        """Frames that were dropped because the server could not keep up."""
        self.latencies = Latencies()

    def reject(self, reason: str, count: int = 1) -> None:
        """Count frames that the server refused, by the reason without its numbers."""
        self.rejected[without_numbers(reason)] += count

    def as_dict(self, seconds: float) -> dict[str, Any]:
        """Return the counts for `--json`; `seconds` is how long the phase took."""
        return {
            "seconds": round(seconds, 3),
            "requests": self.requests,
            "requests_per_second": round(self.requests / seconds, 1) if seconds > 0 else None,
            "accepted": self.accepted,
            "duplicates": self.duplicates,
            "samples": self.samples,
            "samples_per_second": round(self.samples / seconds) if seconds > 0 else None,
            "rejected": dict(self.rejected),
            "failures": dict(self.failures),
            "retries": dict(self.retries),
            "dropped_late": self.late,
            "p50_ms": _rounded(self.latencies.quantile(0.5)),
            "p99_ms": _rounded(self.latencies.quantile(0.99)),
        }

    def line(self, seconds: float) -> str:
        """Return the counts as one line for people."""
        rate = self.requests / seconds if seconds > 0 else 0.0
        parts = [f"{rate:,.0f} req/s", f"{self.accepted:,} accepted", f"{self.duplicates:,} duplicates"]
        refused = sum(self.rejected.values())
        if refused:
            reasons = "; ".join(f"{count:,} x {reason}" for reason, count in self.rejected.most_common(3))
            parts.append(f"{refused:,} rejected ({reasons})")
        if self.retries:
            parts.append(", ".join(f"{count:,} x {why}" for why, count in self.retries.most_common(3)))
        if self.failures:
            parts.append(", ".join(f"{count:,} x {why}" for why, count in self.failures.most_common(3)))
        if self.late:
            parts.append(f"{self.late:,} dropped")
        p50, p99 = self.latencies.quantile(0.5), self.latencies.quantile(0.99)
        if p50 is not None and p99 is not None:
            parts.append(f"p50 {p50:.1f} ms, p99 {p99:.1f} ms")
        return " · ".join(parts)


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 2)
