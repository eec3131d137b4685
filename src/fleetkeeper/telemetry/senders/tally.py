"""Counts what senders wrote, by protocol and by reason, for one web process."""

from collections import Counter
from dataclasses import dataclass, field

PROTOCOLS = ("prometheus", "influx", "otlp", "collectd")


@dataclass
class Tally:
    """Grows for as long as the process runs."""

    requests: Counter[str] = field(default_factory=Counter)
    accepted: Counter[str] = field(default_factory=Counter)
    duplicates: Counter[str] = field(default_factory=Counter)
    # By protocol and reason; whole requests that could not be read have a counter of their own.
    rejected: Counter[tuple[str, str]] = field(default_factory=Counter)
    refused_requests: Counter[tuple[str, str]] = field(default_factory=Counter)
