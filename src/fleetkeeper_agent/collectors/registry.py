"""The one place that knows all collectors, and which platform feeds them."""

import sys
from collections.abc import Callable, Mapping
from typing import NamedTuple, Protocol

import psutil

from fleetkeeper_agent.collectors.agent_self import AgentSelfCollector, DeliveryFigures
from fleetkeeper_agent.collectors.collector import Collector
from fleetkeeper_agent.collectors.cpu import CpuCollector, CpuSource
from fleetkeeper_agent.collectors.disk import DiskCollector, DiskSource
from fleetkeeper_agent.collectors.gpu import GpuCollector, GpuSource
from fleetkeeper_agent.collectors.inventory import InventorySource
from fleetkeeper_agent.collectors.memory import MemoryCollector, MemorySource
from fleetkeeper_agent.collectors.memory_bandwidth import MemoryBandwidthCollector, PagingSource
from fleetkeeper_agent.collectors.network import NetworkCollector, NetworkSource
from fleetkeeper_agent.collectors.perf_events import PerfEventsCollector, PerfSource
from fleetkeeper_agent.collectors.processes import ProcessSource
from fleetkeeper_agent.collectors.system import SystemCollector, SystemSource
from fleetkeeper_agent.host_files import HostRoots
from fleetkeeper_agent.platforms.nvidia import NvidiaGpus


class MemoryAndPaging(MemorySource, PagingSource, Protocol):
    """A platform tells both from the same place."""


class Platform(NamedTuple):
    """What feeds the collectors on one operating system."""

    cpu: CpuSource
    memory: MemoryAndPaging
    network: NetworkSource
    disk: DiskSource
    perf_events: PerfSource
    gpu: GpuSource
    system: SystemSource
    processes: ProcessSource
    inventory: InventorySource


class Features:
    """The feature flags of the server's configuration: `<collector>_enabled` and a few more."""

    # What reveals more or may hang is off until someone switches it on; everything else is on.
    _OFF_BY_DEFAULT = frozenset(("process_arguments_enabled", "network_file_systems_enabled"))

    def __init__(self, flags: Mapping[str, bool] | None = None) -> None:
        self._flags = dict(flags or {})

    def replace(self, flags: Mapping[str, bool]) -> None:
        """Take a new configuration."""
        self._flags = dict(flags)

    def is_on(self, name: str) -> bool:
        """Whether a feature is switched on, such as `perf_events`."""
        flag = f"{name}_enabled"
        return self._flags.get(flag, flag not in self._OFF_BY_DEFAULT)


def this_platform(features: Features, roots: HostRoots | None = None) -> Platform:
    """The platform that this Python runs on."""
    if sys.platform == "linux":
        from fleetkeeper_agent.platforms.linux.platform import linux_platform  # noqa: PLC0415 - needs Linux

        return linux_platform(roots or HostRoots(), lambda: features.is_on("network_file_systems"))
    from fleetkeeper_agent.platforms.macos.inventory import MacosInventory  # noqa: PLC0415 - not needed elsewhere
    from fleetkeeper_agent.platforms.portable import NoPerfCounters, PortableHost  # noqa: PLC0415
    from fleetkeeper_agent.platforms.windows.inventory import WindowsInventory  # noqa: PLC0415

    host = PortableHost()
    return Platform(
        cpu=host,
        memory=host,
        network=host,
        disk=host,
        perf_events=NoPerfCounters(),
        gpu=NvidiaGpus(),
        system=host,
        processes=host,
        inventory=WindowsInventory() if sys.platform == "win32" else MacosInventory(),
    )


def frame_collectors(platform: Platform, figures: Callable[[], DeliveryFigures]) -> list[Collector]:
    """All collectors whose values make up a frame."""
    process = psutil.Process()
    return [
        CpuCollector(platform.cpu),
        MemoryCollector(platform.memory),
        NetworkCollector(platform.network),
        DiskCollector(platform.disk),
        PerfEventsCollector(platform.perf_events),
        MemoryBandwidthCollector(platform.memory),
        GpuCollector(platform.gpu),
        SystemCollector(platform.system),
        AgentSelfCollector(lambda: float(process.memory_info().rss), figures),
    ]
