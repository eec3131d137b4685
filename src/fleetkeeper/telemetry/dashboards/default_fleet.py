"""The panels of the fleet's dashboard. Pure."""

from fleetkeeper.telemetry.dashboards.default_panels import (
    HEAT,
    fullest,
    percentiles,
    talkers,
    throughput,
    traffic,
)
from fleetkeeper.telemetry.dashboards.default_sections import figures, freshness
from fleetkeeper.telemetry.dashboards.panels import AGENT, Json, fleet, panel, row, share


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
                fleet("cpu_usage_percent", agg="count", across="count", legend="Devices"),
                missing=AGENT,
            ),
            percentiles("CPU: percentiles over the fleet", "cpu_usage_percent"),
            percentiles("Memory: percentiles over the fleet", "memory_usage_percent"),
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
            fullest("Highest CPU (mean over the range)", "cpu_usage_percent"),
            fullest("Highest memory (mean over the range)", "memory_usage_percent"),
            share(
                "Fullest file systems (now)",
                "bars",
                4,
                fleet("disk_partition_usage_percent", by="device label:mountpoint", agg="last", top=10),
                maximum=100,
            ),
            talkers("Most received (mean over the range)", "network_receive_bytes_total"),
            talkers("Most sent (mean over the range)", "network_transmit_bytes_total"),
            panel(
                "Hottest processors (maximum over the range)",
                "bars",
                4,
                fleet("cpu_temperature_celsius", by="device", agg="max", top=10),
                calc="max",
                **HEAT,
            ),
        ),
        row(
            "Network and disks",
            traffic("Network traffic"),
            throughput("Disk throughput"),
        ),
        freshness(),
    ]
