"""All of Linux's sources together."""

from collections.abc import Callable

from fleetkeeper_agent.collectors.registry import Platform
from fleetkeeper_agent.host_files import HostRoots
from fleetkeeper_agent.platforms.linux.cpu import LinuxCpu
from fleetkeeper_agent.platforms.linux.disk import LinuxDisk
from fleetkeeper_agent.platforms.linux.inventory import LinuxInventory
from fleetkeeper_agent.platforms.linux.memory import LinuxMemory
from fleetkeeper_agent.platforms.linux.network import LinuxNetwork
from fleetkeeper_agent.platforms.linux.perf_events import LinuxPerf
from fleetkeeper_agent.platforms.linux.processes import LinuxProcesses
from fleetkeeper_agent.platforms.linux.system import LinuxSystem
from fleetkeeper_agent.platforms.nvidia import NvidiaGpus


def linux_platform(roots: HostRoots, network_file_systems: Callable[[], bool]) -> Platform:
    """Linux, with its files under these roots."""
    return Platform(
        cpu=LinuxCpu(roots),
        memory=LinuxMemory(roots),
        network=LinuxNetwork(roots),
        disk=LinuxDisk(roots, network_file_systems),
        perf_events=LinuxPerf(roots),
        gpu=NvidiaGpus(),
        system=LinuxSystem(roots),
        processes=LinuxProcesses(roots),
        inventory=LinuxInventory(roots, network_file_systems),
    )
