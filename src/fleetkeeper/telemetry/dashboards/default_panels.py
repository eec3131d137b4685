"""Panels that several of the dashboards have which the product brings. Pure."""

from typing import Any

from fleetkeeper.telemetry.dashboards.panels import (
    AGENT,
    WARN_CELSIUS,
    Json,
    fleet,
    levels,
    panel,
    share,
)

HEAT = {
    "unit": "celsius",
    "thresholds": levels(WARN_CELSIUS),
    "missing": "The agent reports it where the machine has sensors that it may read.",
}
SNMP = "snmp_exporter by Prometheus remote_write reports it; see the guide on senders."
NODE = "node_exporter by Prometheus remote_write reports it; see the guide on senders."
CADVISOR = "cAdvisor by Prometheus remote_write reports it; see the guide on senders."
NVIDIA = "The agent reports it for NVIDIA cards."
_PERCENTILES = (("p50", "Median"), ("p95", "p95"), ("p99", "p99"))


def rates(title: str, kind: str, metrics: dict[str, str], **more: Any) -> Json:
    """Counters per second, of all devices together; `metrics` are by what they are called."""
    queries = (fleet(metric, agg="rate", legend=legend) for legend, metric in metrics.items())
    return panel(title, kind, 6, *queries, missing=AGENT, **more)


def traffic(title: str) -> Json:
    """What devices receive and send, together."""
    metrics = {"Received": "network_receive_bytes_total", "Sent": "network_transmit_bytes_total"}
    return rates(title, "area", metrics)


def throughput(title: str) -> Json:
    """What devices read and write, together."""
    return rates(title, "area", {"Read": "disk_read_bytes_total", "Written": "disk_write_bytes_total"})


def top_rates(title: str, metric: str, by: str, **more: Any) -> Json:
    """The ten highest of a counter per second, as lines."""
    return panel(title, "line", 6, fleet(metric, by=by, agg="rate", top=10, **more), missing=AGENT)


def temperature() -> Json:
    """The ten hottest processors, as lines."""
    asked = fleet("cpu_temperature_celsius", by="device", agg="max", top=10)
    return panel("Temperature", "line", 6, asked, **HEAT)


def waiting() -> Json:
    """The ten processors that wait most for disks, as lines."""
    asked = fleet("cpu_iowait_percent", by="device", top=10)
    return share("Waiting for input and output", "line", 6, asked, thresholds=[])


def busy_disks() -> Json:
    """The ten busiest disks, as lines."""
    asked = fleet("disk_device_busy_percent", by="device label:device", top=10)
    return share("Busy disks", "line", 6, asked)


def percentiles(title: str, metric: str) -> Json:
    """How a share is spread over the fleet's devices."""
    queries = (fleet(metric, across=across, legend=legend) for across, legend in _PERCENTILES)
    return share(title, "line", 6, *queries, thresholds=[])


def highest_now(title: str, metric: str, by: str = "device") -> Json:
    """The ten highest shares of this moment, as bars."""
    return share(title, "bars", 4, fleet(metric, by=by, agg="last", top=10, instant=True), maximum=100)


def highest_mean(title: str, metric: str) -> Json:
    """The ten devices with the highest share, as bars of its mean."""
    asked = fleet(metric, by="device", top=10)
    return share(title, "bars", 4, asked, calc="mean", maximum=100)


def talkers(title: str, metric: str) -> Json:
    """The ten devices with the most traffic, as bars of its mean."""
    asked = fleet(metric, by="device", agg="rate", top=10)
    return panel(title, "bars", 4, asked, calc="mean", missing=AGENT)
