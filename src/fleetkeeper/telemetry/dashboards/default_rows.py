"""The panels for each type of devices, by what the agent and the usual senders report. Pure."""

from fleetkeeper.telemetry.dashboards.default_panels import (
    CADVISOR,
    HEAT,
    NODE,
    NVIDIA,
    SNMP,
    busy_disks,
    rates,
    temperature,
    top_rates,
    waiting,
)
from fleetkeeper.telemetry.dashboards.default_sections import (
    disks,
    figures,
    freshness,
    memory,
    network,
    processors,
)
from fleetkeeper.telemetry.dashboards.panels import AGENT, Json, fleet, levels, panel, promql, row, share


def of_servers() -> list[Json]:
    """Servers."""
    return [
        figures(),
        processors(
            waiting(),
            temperature(),
        ),
        memory(),
        disks(
            busy_disks(),
            rates(
                "Operations", "line", {"Reads": "disk_reads_total", "Writes": "disk_writes_total"}, unit="/s"
            ),
        ),
        network(interfaces=True),
        row(
            "Hardware",
            panel(
                "Instructions per cycle",
                "line",
                4,
                fleet("perf_instructions_per_cycle", by="device", top=10),
                unit="",
                missing="The agent reports it where it may read the processor's counters.",
            ),
            share(
                "Graphics processors",
                "line",
                4,
                fleet("gpu_utilization_percent", by="device label:gpu", top=10),
                missing=NVIDIA,
            ),
            panel(
                "node_exporter: load",
                "line",
                4,
                promql("topk(10, node_load5)"),
                missing=NODE,
            ),
        ),
        freshness(),
    ]


def of_vms() -> list[Json]:
    """Virtual machines."""
    return [
        figures(),
        processors(
            share(
                "CPU steal",
                "line",
                6,
                fleet("cpu_steal_percent", by="device", top=10),
                thresholds=levels((("warning", 5.0), ("critical", 15.0))),
                description="CPU steal: time the machine was ready to run while its host ran others",
            ),
            waiting(),
        ),
        memory(),
        disks(),
        network(),
        freshness(),
    ]


def of_workstations() -> list[Json]:
    """Workstations."""
    return [
        figures(),
        processors(
            temperature(),
            panel(
                "People at work",
                "line",
                6,
                fleet("system_users", by="device", agg="max", top=10),
                missing=AGENT,
            ),
        ),
        memory(),
        disks(),
        row(
            "Graphics",
            share(
                "Utilization",
                "line",
                6,
                fleet("gpu_utilization_percent", by="device label:gpu", top=10),
                missing=NVIDIA,
            ),
            panel(
                "Temperature",
                "line",
                6,
                fleet("gpu_temperature_celsius", by="device label:gpu", agg="max", top=10),
                **(HEAT | {"missing": NVIDIA}),
            ),
        ),
        network(),
        freshness(),
    ]


def of_network_devices() -> list[Json]:
    """Switches, routers, access points."""
    return [
        figures(),
        network(interfaces=True),
        row(
            "By SNMP",
            panel(
                "Received",
                "line",
                6,
                promql("topk(10, 8 * rate(ifHCInOctets[5m]))"),
                unit="bits/s",
                missing=SNMP,
            ),
            panel(
                "Sent",
                "line",
                6,
                promql("topk(10, 8 * rate(ifHCOutOctets[5m]))"),
                unit="bits/s",
                missing=SNMP,
            ),
            panel(
                "Interfaces that are down",
                "table",
                6,
                promql("ifOperStatus == 2", instant=True),
                missing=f"None is down, or nothing reports it: {SNMP}",
            ),
            panel(
                "Faulty packets",
                "line",
                6,
                promql("topk(10, rate(ifInErrors[5m]) + rate(ifOutErrors[5m]))"),
                missing=SNMP,
            ),
        ),
        processors(),
        freshness(),
    ]


def of_storage() -> list[Json]:
    """Storage systems."""
    return [
        figures(),
        disks(
            panel(
                "Free space",
                "line",
                6,
                fleet(
                    "disk_partition_free_bytes",
                    by="device label:mountpoint",
                    agg="min",
                    top=10,
                    filter={"labels": {"mountpoint": ["$mountpoint"]}},
                ),
                missing=AGENT,
            ),
            busy_disks(),
            top_rates("Read by disk", "disk_device_read_bytes_total", "device label:device"),
            top_rates("Written by disk", "disk_device_write_bytes_total", "device label:device"),
        ),
        network(),
        memory(),
        freshness(),
    ]


def of_containers() -> list[Json]:
    """Containers, with an agent inside or as their host reports them."""
    return [
        figures(),
        processors(),
        memory(),
        row(
            "By cAdvisor",
            panel(
                "Processors",
                "line",
                6,
                promql(
                    'topk(10, sum by (name) (rate(container_cpu_usage_seconds_total{name!=""}[5m])) * 100)'
                ),
                unit="percent",
                missing=CADVISOR,
            ),
            panel(
                "Working set",
                "line",
                6,
                promql('topk(10, sum by (name) (container_memory_working_set_bytes{name!=""}))'),
                unit="bytes",
                missing=CADVISOR,
            ),
        ),
        network(),
        freshness(),
    ]


def of_vehicles() -> list[Json]:
    """Vehicles."""
    return [
        figures(),
        row(
            "The vehicle",
            panel(
                "On-board voltage",
                "line",
                6,
                fleet("vehicle_battery_volts", by="device", agg="min", top=10),
                unit="volts",
                missing="Send vehicle_battery_volts by OTLP, Influx line protocol or the API.",
            ),
            panel(
                "Speed",
                "line",
                6,
                fleet("vehicle_speed_kilometers_per_hour", by="device", top=10),
                unit="km/h",
                missing="Send vehicle_speed_kilometers_per_hour by OTLP, Influx line protocol or the API.",
            ),
        ),
        processors(temperature()),
        network(),
        freshness(),
    ]


def of_others() -> list[Json]:
    """Whatever else reports."""
    return [figures(), processors(), memory(), disks(), network(), freshness()]
