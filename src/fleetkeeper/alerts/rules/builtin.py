"""The rules of the first day: what most fleets want to know, each saying why it matters.

They are installed once; whoever changes one keeps it as it is. What only its user can know (thresholds of temperature,
whether a reboot is bad) is there, and off.
"""

from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.alerts.models import AlertRule
from fleetkeeper.alerts.rules.schemas import AlertRuleWrite
from fleetkeeper.alerts.rules.service import values_of
from fleetkeeper.alerts.status import Severity
from fleetkeeper.database.context import product_context
from fleetkeeper.database.engine import Database


@dataclass(frozen=True)
class Builtin:
    """A built-in rule: its key, and what is entered of it."""

    key: str
    name: str
    description: str
    severity: Severity
    condition: dict[str, Any]
    summary: str
    more: dict[str, Any] = field(default_factory=dict)

    @property
    def wanted(self) -> AlertRuleWrite:
        """As a person would enter it."""
        return AlertRuleWrite.model_validate(
            {
                "name": self.name,
                "description": self.description,
                "severity": self.severity,
                "condition": self.condition,
                "annotations": {"summary": self.summary},
                **self.more,
            }
        )


def _above(metric: str, threshold: float, recovery: float | None = None, **more: Any) -> dict[str, Any]:
    return {"kind": "threshold", "metric": metric, "threshold": threshold, "recovery": recovery, **more}


def _lasting(minutes: int, **more: Any) -> dict[str, Any]:
    return {"for_seconds": minutes * 60, **more}


_OFF: dict[str, Any] = {"enabled": False}
BUILTIN = (
    Builtin(
        "device-offline",
        "Device offline",
        "The device has not reported for several of its own intervals. Its other alerts are quiet meanwhile: they "
        "would say nothing new. Check power, network and the agent's service.",
        Severity.CRITICAL,
        {"kind": "no_report"},
        "{{ $labels.instance }} has not reported for {{ $value | humanizeDuration }}",
        {"quiets_device": True, "interval_seconds": 15},
    ),
    Builtin(
        "disk-nearly-full",
        "Disk nearly full",
        "A file system has less than 10 % left. When it is full, programs fail to write, and often lose data.",
        Severity.HIGH,
        _above("disk_partition_usage_percent", 90, 85, matchers='mountpoint!~"/(boot|snap)(/.*)?"'),
        '{{ $labels.mountpoint }} on {{ $labels.instance }} is {{ printf "%.0f" $value }} % full',
        _lasting(5),
    ),
    Builtin(
        "disk-full",
        "Disk full",
        "A file system has less than 2 % left: writes fail now or very soon.",
        Severity.CRITICAL,
        _above("disk_partition_usage_percent", 98, 95, matchers='mountpoint!~"/(boot|snap)(/.*)?"'),
        '{{ $labels.mountpoint }} on {{ $labels.instance }} is {{ printf "%.1f" $value }} % full',
        _lasting(1),
    ),
    Builtin(
        "inodes-nearly-full",
        "Inodes nearly used up",
        "A file system can hold few further files, whatever space is left. Many small files, often of a cache, are the "
        "usual cause.",
        Severity.HIGH,
        _above("disk_partition_inodes_usage_percent", 90, 85),
        '{{ $labels.mountpoint }} on {{ $labels.instance }} uses {{ printf "%.0f" $value }} % of its inodes',
        _lasting(5),
    ),
    Builtin(
        "memory-short",
        "Low memory",
        "Less than 5 % of the memory is available to programs, page cache counted as available. The kernel may end "
        "processes.",
        Severity.HIGH,
        _above("memory_usage_percent", 95, 90),
        'Memory of {{ $labels.instance }} is {{ printf "%.0f" $value }} % used',
        _lasting(5),
    ),
    Builtin(
        "swapping",
        "Swapping",
        "Pages come back from swap all the time: programs wait for the disk. Memory is too small for what runs there.",
        Severity.WARNING,
        _above("vmstat_pswpin_per_second", 100, 20, reduce="mean", window_seconds=300),
        '{{ $labels.instance }} reads {{ printf "%.0f" $value }} pages a second from swap',
        _lasting(10),
    ),
    Builtin(
        "cpu-sustained",
        "Processor busy",
        "The processor has been busy for half an hour. That is fine for batch work; where people wait, it is not.",
        Severity.WARNING,
        _above("cpu_usage_percent", 95, 85, reduce="mean", window_seconds=600),
        'Processor of {{ $labels.instance }} is {{ printf "%.0f" $value }} % busy',
        _lasting(30),
    ),
    Builtin(
        "cpu-steal",
        "High CPU steal",
        "The hypervisor gives this machine's processor time to others: the host has too many guests.",
        Severity.WARNING,
        _above("cpu_steal_percent", 10, 5, reduce="mean", window_seconds=600),
        '{{ $labels.instance }} loses {{ printf "%.0f" $value }} % of its processor time to other guests',
        _lasting(10),
    ),
    Builtin(
        "iowait",
        "High I/O wait",
        "The processor idles because it waits for disks.",
        Severity.WARNING,
        _above("cpu_iowait_percent", 40, 20, reduce="mean", window_seconds=600),
        '{{ $labels.instance }} waits {{ printf "%.0f" $value }} % of the time for disks',
        _lasting(15),
    ),
    Builtin(
        "load-over-cores",
        "High load per core",
        "Over the last quarter of an hour twice as many processes wanted to run as there are cores.",
        Severity.WARNING,
        {
            "kind": "promql",
            "expr": "load_average_15m / on (device_id) group_left () count by (device_id) (cpu_core_usage_percent) > 2",
        },
        '{{ $labels.instance }} has {{ printf "%.1f" $value }} processes per core',
        _lasting(10),
    ),
    Builtin(
        "disk-busy",
        "Disk saturated",
        "A disk has had requests in flight all the time; programs wait for it.",
        Severity.WARNING,
        _above("disk_device_busy_percent", 95, 80, reduce="mean", window_seconds=600),
        '{{ $labels.device }} on {{ $labels.instance }} is {{ printf "%.0f" $value }} % busy',
        _lasting(15),
    ),
    Builtin(
        "network-errors",
        "Network errors",
        "An interface receives packets with errors. A cable, a plug, a port or a duplex setting is wrong.",
        Severity.WARNING,
        _above("network_receive_errors_total", 10, 0, reduce="change", window_seconds=600),
        '{{ $labels.instance }} received {{ printf "%.0f" $value }} bad packets within ten minutes',
        _lasting(5),
    ),
    Builtin(
        "gpu-memory",
        "Low GPU memory",
        "A graphics processor has less than 5 % of its memory left; the next job on it may fail.",
        Severity.WARNING,
        {"kind": "promql", "expr": "100 * gpu_memory_used_bytes / gpu_memory_total_bytes > 95"},
        'Memory of GPU {{ $labels.gpu }} on {{ $labels.instance }} is {{ printf "%.0f" $value }} % used',
        _lasting(10),
    ),
    Builtin(
        "cpu-hot",
        "Processor hot",
        "The processor's hottest sensor is above 90 °C. Off at first: what is too hot depends on the machine.",
        Severity.HIGH,
        _above("cpu_temperature_celsius", 90, 80),
        'Processor of {{ $labels.instance }} is at {{ printf "%.0f" $value }} °C',
        _lasting(5) | _OFF,
    ),
    Builtin(
        "gpu-hot",
        "GPU hot",
        "A graphics processor is above 90 °C. Off at first: what is too hot depends on the machine.",
        Severity.HIGH,
        _above("gpu_temperature_celsius", 90, 80),
        'GPU {{ $labels.gpu }} of {{ $labels.instance }} is at {{ printf "%.0f" $value }} °C',
        _lasting(5) | _OFF,
    ),
    Builtin(
        "rebooted",
        "Device rebooted",
        "The machine started within the last ten minutes. Off at first: only you know which restarts are unexpected.",
        Severity.INFO,
        {"kind": "threshold", "metric": "system_uptime_seconds", "op": "<", "threshold": 600},
        "{{ $labels.instance }} started {{ $value | humanizeDuration }} ago",
        _OFF,
    ),
    Builtin(
        "collector-failed",
        "Collector failed",
        "A collector of the agent fails on this machine: what it measures is missing. The reason is the agent's own.",
        Severity.WARNING,
        {"kind": "no_report", "what": "collector"},
        "Collector {{ $labels.collector }} fails on {{ $labels.instance }}: {{ $labels.reason }}",
        _lasting(10),
    ),
    Builtin(
        "agent-drops",
        "Agent drops reports",
        "The agent could not keep all reports that it could not send: some measurements are lost for good.",
        Severity.WARNING,
        _above("agent_dropped_frames_total", 0, None, reduce="change", window_seconds=3600),
        'The agent on {{ $labels.instance }} dropped {{ printf "%.0f" $value }} reports within the hour',
    ),
    Builtin(
        "agent-refused",
        "Reports rejected",
        "The server refused reports of this agent for good. The agent's log says why.",
        Severity.WARNING,
        _above("agent_rejected_frames_total", 0, None, reduce="change", window_seconds=3600),
        'Reports of {{ $labels.instance }} were refused: {{ printf "%.0f" $value }} within the hour',
    ),
    Builtin(
        "clock-skew",
        "Clock skew",
        "The device's clock differs from the server's by more than half a minute. Its measurements stand at the wrong "
        "times, and certificates and sign-ins may fail. Check its time synchronization. Reports that come late look "
        "alike.",
        Severity.WARNING,
        _above("clock_skew_seconds", 30, 10),
        "The clock of {{ $labels.instance }} differs by {{ $value | humanizeDuration }}",
        _lasting(10),
    ),
    Builtin(
        "audit-sealing",
        "Audit log not sealed",
        "Entries of the audit log have waited for a seal for more than 15 minutes, or its chain of seals is damaged: "
        "until it is sealed, a change of the log could go unnoticed. See System → Audit log.",
        Severity.CRITICAL,
        {
            "kind": "promql",
            "expr": "fleetkeeper_audit_oldest_unsealed_seconds > 900 or fleetkeeper_audit_sealing_stopped == 1",
        },
        "The audit log is not sealed",
        _lasting(5),
    ),
    Builtin(
        "audit-silent",
        "Audit log silent",
        "Nothing was written to the audit log for a day. Off at first: only you know whether somebody works every day.",
        Severity.WARNING,
        {"kind": "promql", "expr": "fleetkeeper_audit_newest_entry_seconds > 86400"},
        "The audit log has had no entry for {{ $value | humanizeDuration }}",
        _OFF,
    ),
    Builtin(
        "sealing-behind",
        "Telemetry not sealed",
        "Telemetry has not been compressed for more than half an hour: queries get slower, and the disk fills sooner. "
        "See System → Jobs.",
        Severity.HIGH,
        {"kind": "promql", "expr": 'fleetkeeper_job_success_age_seconds{task="telemetry.seal"} > 1800'},
        "Telemetry has not been sealed for {{ $value | humanizeDuration }}",
        _lasting(10),
    ),
    Builtin(
        "archive-behind",
        "Archive behind",
        "Retention or the archive of the audit log has not succeeded for three days: what should be archived or "
        "deleted is still in the database. See System → Jobs.",
        Severity.HIGH,
        {
            "kind": "promql",
            "expr": 'fleetkeeper_job_success_age_seconds{task=~"telemetry.retain|audit.archive"} > 259200',
        },
        "{{ $labels.task }} has not succeeded for {{ $value | humanizeDuration }}",
        _lasting(10),
    ),
    Builtin(
        "token-expires",
        "API token expires",
        "An API token expires within a week; scripts and integrations that use it will stop. Rotate it, and give them "
        "the new one.",
        Severity.WARNING,
        {"kind": "promql", "expr": "fleetkeeper_token_expires_seconds < 604800"},
        "The token {{ $labels.token }} of {{ $labels.user }} expires in {{ $value | humanizeDuration }}",
        {"interval_seconds": 300},
    ),
    Builtin(
        "agent-behind",
        "Agent backlog",
        "Reports wait on the machine because they do not reach the server.",
        Severity.INFO,
        _above("agent_spool_frames", 1000, 100),
        '{{ printf "%.0f" $value }} reports wait on {{ $labels.instance }}',
        _lasting(10),
    ),
)


async def install(database: Database) -> int:
    """Add the built-in rules that are missing; returns how many. What people changed stays."""
    async with database.session(product_context("job", "alerts.install")) as session:
        return await _install(session)


async def _install(session: AsyncSession) -> int:
    await session.execute(text("SELECT pg_advisory_xact_lock(hashtextextended('alerts.install', 0))"))
    rows = (await session.execute(select(AlertRule.origin_key, AlertRule.name))).all()
    keys, names = {row[0] for row in rows}, {row[1] for row in rows}
    missing = [one for one in BUILTIN if one.key not in keys and one.name not in names]
    for one in missing:
        session.add(AlertRule(**values_of(one.wanted), origin="builtin", origin_key=one.key))
    await session.flush()
    return len(missing)
