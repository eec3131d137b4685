"""Rows that several of the dashboards have which the product brings. Pure."""

from fleetkeeper.telemetry.dashboards.default_panels import rates, throughput, top_rates, traffic
from fleetkeeper.telemetry.dashboards.panels import AGENT, Json, fleet, levels, panel, promql, row, share

FAULTS = {
    "Receive errors": "network_receive_errors_total",
    "Send errors": "network_transmit_errors_total",
    "Receive drops": "network_receive_drops_total",
    "Send drops": "network_transmit_drops_total",
}


def figures(width: int = 3) -> Json:
    """How many report, and the three vital signs."""
    return row(
        "Now",
        panel(
            "Reporting",
            "stat",
            width,
            promql(
                'count(max by (instance) ({__name__=~"cpu_usage_percent|node_load1"} or up == 1))',
                legend="Reporting",
                instant=True,
            ),
            description="Devices that sent a value in the last five minutes",
            missing=AGENT,
        ),
        share("CPU", "gauge", width, fleet("cpu_usage_percent", legend="Mean"), minimum=0, maximum=100),
        share("Memory", "gauge", width, fleet("memory_usage_percent", legend="Mean"), minimum=0, maximum=100),
        share(
            "Fullest disks",
            "gauge",
            width,
            fleet("disk_usage_percent", agg="max", legend="Fullest"),
            minimum=0,
            maximum=100,
        ),
    )


def processors(*more: Json) -> Json:
    """Processors by device."""
    return row(
        "Processors",
        share("CPU by device", "line", 6, fleet("cpu_usage_percent", by="device", top=10)),
        panel("Load average", "line", 6, fleet("load_average_5m", by="device", top=10), missing=AGENT),
        *more,
    )


def memory(*more: Json) -> Json:
    """Memory by device."""
    return row(
        "Memory",
        share("Memory by device", "line", 6, fleet("memory_usage_percent", by="device", top=10)),
        share("Swap by device", "line", 6, fleet("swap_usage_percent", by="device", top=10)),
        *more,
    )


def disks(*more: Json) -> Json:
    """File systems and throughput."""
    return row(
        "Disks",
        share(
            "File systems",
            "bars",
            6,
            fleet(
                "disk_partition_usage_percent",
                by="device label:mountpoint",
                agg="last",
                top=12,
                filter={"labels": {"mountpoint": ["$mountpoint"]}},
            ),
            maximum=100,
        ),
        throughput("Throughput"),
        *more,
    )


def network(*more: Json, interfaces: bool = False) -> Json:
    """Traffic and faults, and each interface where that is wanted."""
    if interfaces:
        by, chosen = "device label:interface", {"labels": {"interface": ["$interface"]}}
        more = (
            top_rates("Interfaces: received", "network_interface_receive_bytes_total", by, filter=chosen),
            top_rates("Interfaces: sent", "network_interface_transmit_bytes_total", by, filter=chosen),
            *more,
        )
    return row(
        "Network",
        traffic("Traffic"),
        rates("Errors and drops", "line", FAULTS, unit="/s"),
        *more,
    )


def freshness() -> Json:
    """Who is silent, and for how long each has been up."""
    return row(
        "Freshness",
        panel(
            "Longest silent",
            "table",
            6,
            promql(
                "topk(15, time() - max by (instance) (timestamp(cpu_usage_percent) "
                "or max_over_time(timestamp(cpu_usage_percent)[1h:1m])))",
                instant=True,
                legend="Silent for",
            ),
            unit="seconds",
            thresholds=levels((("warning", 60.0), ("critical", 300.0))),
            description="Time since the last reading, of devices that sent one within the hour",
            missing=AGENT,
        ),
        panel(
            "Uptime",
            "table",
            6,
            fleet("system_uptime_seconds", by="device", agg="last", top=15),
            unit="duration",
            missing=AGENT,
        ),
    )
