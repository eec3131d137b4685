"""The panels of the fleet's dashboard. Pure."""

from fleetkeeper.telemetry.dashboards.default_sections import (
    HEAT,
    figures,
    freshness,
)
from fleetkeeper.telemetry.dashboards.panels import (
    AGENT,
    Json,
    fleet,
    panel,
    promql,
    row,
    share,
)


def of_fleet() -> list[Json]:
    """The whole fleet."""
    return [
        figures(),
        row(
            "The fleet over time",
            panel(
                "Devices that report",
                "area",
                6,
                promql("count(max by (instance) (cpu_usage_percent))", legend="Devices"),
                missing=AGENT,
            ),
            share(
                "CPU: percentiles over the fleet",
                "line",
                6,
                fleet("cpu_usage_percent", agg="p50", legend="Median"),
                fleet("cpu_usage_percent", agg="p95", legend="p95"),
                fleet("cpu_usage_percent", agg="p99", legend="p99"),
                thresholds=[],
            ),
            share(
                "Memory: percentiles over the fleet",
                "line",
                6,
                fleet("memory_usage_percent", agg="p50", legend="Median"),
                fleet("memory_usage_percent", agg="p95", legend="p95"),
                fleet("memory_usage_percent", agg="p99", legend="p99"),
                thresholds=[],
            ),
            share(
                "CPU by type of device",
                "line",
                6,
                fleet("cpu_usage_percent", by="device_type"),
                thresholds=[],
            ),
        ),
        row(
            "Who stands out",
            share(
                "Busiest processors",
                "bars",
                4,
                fleet("cpu_usage_percent", by="device", top=10),
                calc="mean",
                maximum=100,
            ),
            share(
                "Fullest memory",
                "bars",
                4,
                fleet("memory_usage_percent", by="device", top=10),
                calc="mean",
                maximum=100,
            ),
            share(
                "Worst file systems",
                "bars",
                4,
                fleet("disk_partition_usage_percent", by="device label:mountpoint", agg="last", top=10),
                maximum=100,
            ),
            panel(
                "Top talkers: received",
                "bars",
                4,
                fleet("network_receive_bytes_total", by="device", agg="rate", top=10),
                calc="mean",
                missing=AGENT,
            ),
            panel(
                "Top talkers: sent",
                "bars",
                4,
                fleet("network_transmit_bytes_total", by="device", agg="rate", top=10),
                calc="mean",
                missing=AGENT,
            ),
            panel(
                "Hottest processors",
                "bars",
                4,
                fleet("cpu_temperature_celsius", by="device", agg="max", top=10),
                calc="max",
                **HEAT,
            ),
        ),
        row(
            "Network and disks",
            panel(
                "Network traffic",
                "area",
                6,
                fleet("network_receive_bytes_total", agg="rate", legend="Received"),
                fleet("network_transmit_bytes_total", agg="rate", legend="Sent"),
                missing=AGENT,
            ),
            panel(
                "Disk throughput",
                "area",
                6,
                fleet("disk_read_bytes_total", agg="rate", legend="Read"),
                fleet("disk_write_bytes_total", agg="rate", legend="Written"),
                missing=AGENT,
            ),
        ),
        freshness(),
    ]
