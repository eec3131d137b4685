"""The panels of the fleet's dashboard. Pure."""

from fleetkeeper.telemetry.dashboards.default_panels import (
    HEAT,
    highest_mean,
    highest_now,
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
            "Busiest now",
            highest_now("Highest CPU", "cpu_usage_percent"),
            highest_now("Highest memory", "memory_usage_percent"),
            highest_now("Fullest file systems", "disk_partition_usage_percent", by="device label:mountpoint"),
        ),
        row(
            "Busiest over the range",
            highest_mean("Highest mean CPU", "cpu_usage_percent"),
            highest_mean("Highest mean memory", "memory_usage_percent"),
            panel(
                "Hottest processors",
                "bars",
                4,
                fleet("cpu_temperature_celsius", by="device", agg="max", top=10),
                calc="max",
                **HEAT,
            ),
            talkers("Most received", "network_receive_bytes_total"),
            talkers("Most sent", "network_transmit_bytes_total"),
        ),
        row(
            "Network and disks",
            traffic("Network traffic"),
            throughput("Disk throughput"),
        ),
        freshness(),
    ]
