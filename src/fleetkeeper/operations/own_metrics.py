"""What the product measures of itself, for Prometheus."""

from collections.abc import Iterator, Mapping
from datetime import datetime

from prometheus_client import PlatformCollector, ProcessCollector
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector, CollectorRegistry

from fleetkeeper.audit.chain import SealingState
from fleetkeeper.telemetry.door import TelemetryDoor
from fleetkeeper.telemetry.senders.tally import PROTOCOLS, Tally


class _Collected(Collector):
    """Metrics that are read at the moment they are asked for."""

    def __init__(self, *metrics: Metric) -> None:
        self._metrics = metrics

    def collect(self) -> Iterator[Metric]:
        """All of them."""
        yield from self._metrics


def registry_of(
    door: TelemetryDoor,
    tally: Tally,
    sealing: SealingState | None,
    runs: Mapping[str, int] | None,
    now: datetime,
) -> CollectorRegistry:
    """One web process's metrics, and of the database what could be read (None where it could not)."""
    registry = CollectorRegistry()
    registry.register(_Collected(*_of_ingest(door), *_of_senders(tally)))
    if sealing is not None:
        registry.register(_Collected(*_of_sealing(sealing, now)))
    if runs is not None:
        registry.register(_Collected(_of_jobs(runs)))
    ProcessCollector(registry=registry)
    PlatformCollector(registry=registry)
    return registry


def _counter(name: str, text: str, value: float) -> Metric:
    return CounterMetricFamily(f"fleetkeeper_{name}", text, value=value)


def _gauge(name: str, text: str, value: float) -> Metric:
    return GaugeMetricFamily(f"fleetkeeper_{name}", text, value=value)


def _of_ingest(door: TelemetryDoor) -> tuple[Metric, ...]:
    return (
        _counter("frames_accepted", "Frames stored.", door.accepted_frames),
        _counter("values_accepted", "Values in stored frames.", door.accepted_values),
        _counter("frames_duplicate", "Frames that were stored before.", door.duplicate_frames),
        _counter("frames_rejected", "Frames that were wrong.", door.rejected_frames),
        _gauge("frames_pending", "Frames that wait for their commit.", door.writer.pending_frames),
    )


def _of_senders(tally: Tally) -> Iterator[Metric]:
    for name, text, by_protocol in (
        ("requests", "Requests of integrations.", tally.requests),
        ("samples_accepted", "Samples of integrations that were stored.", tally.accepted),
        ("samples_duplicate", "Samples of integrations that were stored before.", tally.duplicates),
    ):
        family = CounterMetricFamily(f"fleetkeeper_sender_{name}", text, labels=["protocol"])
        for protocol in PROTOCOLS:
            family.add_metric([protocol], by_protocol[protocol])
        yield family
    for name, text, by_reason in (
        ("samples_rejected", "Samples of integrations that were not stored.", tally.rejected),
        ("requests_refused", "Requests of integrations of which nothing was stored.", tally.refused_requests),
    ):
        family = CounterMetricFamily(f"fleetkeeper_sender_{name}", text, labels=["protocol", "reason"])
        for (protocol, reason), number in sorted(by_reason.items()):
            family.add_metric([protocol, reason], number)
        yield family


def _of_sealing(state: SealingState, now: datetime) -> tuple[Metric, ...]:
    age = (now - state.oldest_unsealed_at).total_seconds() if state.oldest_unsealed_at else 0.0
    return (
        _gauge(
            "audit_sealing_stopped",
            "1 while the audit log's chain of seals is damaged.",
            int(state.status == "stopped"),
        ),
        _gauge(
            "audit_unsealed_entries",
            "Entries of the audit log that no genuine seal has, counted up to 100000.",
            state.unsealed_entries,
        ),
        _gauge("audit_oldest_unsealed_seconds", "Age of the oldest of those entries.", max(age, 0.0)),
        _gauge(
            "audit_newest_seal",
            "Number of the newest genuine seal.",
            state.newest.number if state.newest else 0,
        ),
    )


def _of_jobs(runs: Mapping[str, int]) -> Metric:
    family = GaugeMetricFamily("fleetkeeper_job_runs", "Kept runs of jobs by their state.", labels=["state"])
    for state, number in sorted(runs.items()):
        family.add_metric([state], number)
    return family
