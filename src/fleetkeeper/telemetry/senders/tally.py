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

    def lines(self) -> str:
        """All counters in the Prometheus text format."""
        return "".join(
            (
                _by_protocol("requests", "Requests of senders", self.requests),
                _by_protocol("samples_accepted", "Samples of senders that were stored", self.accepted),
                _by_protocol(
                    "samples_duplicate", "Samples of senders that were stored before", self.duplicates
                ),
                _by_reason("samples_rejected", "Samples of senders that were not stored", self.rejected),
                _by_reason(
                    "requests_refused",
                    "Requests of senders of which nothing was stored",
                    self.refused_requests,
                ),
            )
        )


def _by_protocol(name: str, text: str, counter: Counter[str]) -> str:
    full = f"fleetkeeper_sender_{name}_total"
    rows = "".join(f'{full}{{protocol="{key}"}} {counter[key]}\n' for key in PROTOCOLS)
    return f"# HELP {full} {text}.\n# TYPE {full} counter\n{rows}"


def _by_reason(name: str, text: str, counter: Counter[tuple[str, str]]) -> str:
    full = f"fleetkeeper_sender_{name}_total"
    rows = "".join(
        f'{full}{{protocol="{protocol}",reason="{reason}"}} {number}\n'
        for (protocol, reason), number in sorted(counter.items())
    )
    return f"# HELP {full} {text}.\n# TYPE {full} counter\n{rows}"
