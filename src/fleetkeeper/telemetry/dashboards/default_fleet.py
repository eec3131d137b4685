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
            fullest("Busiest processors", "cpu_usage_percent"),
            fullest("Fullest memory", "memory_usage_percent"),
            share(
                "Worst file systems",
                "bars",
                4,
                fleet("disk_partition_usage_percent", by="device label:mountpoint", agg="last", top=10),
                maximum=100,
            ),
            talkers("Top talkers: received", "network_receive_bytes_total"),
            talkers("Top talkers: sent", "network_transmit_bytes_total"),
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
            traffic("Network traffic"),
            throughput("Disk throughput"),
        ),
        freshness(),
    ]
