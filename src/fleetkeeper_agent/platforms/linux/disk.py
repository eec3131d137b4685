"""Block devices from `/proc/diskstats`, sizes of file systems by statvfs."""

import os
import re
from collections.abc import Callable
from pathlib import Path

from fleetkeeper_agent.collectors.collector import UnavailableError
from fleetkeeper_agent.collectors.disk import DeviceCounters, PartitionUsage
from fleetkeeper_agent.host_files import HostRoots, read_or_none, read_small
from fleetkeeper_agent.platforms.linux.mounts import Mount, parse_mountinfo, usage_from, worth_showing
from fleetkeeper_agent.platforms.linux.slow_mounts import SlowMounts

SECTOR_BYTES = 512  # diskstats counts in these, whatever the device's own sector size is

_NEVER = re.compile(rb"((loop|ram|zram|sr|fd|nbd|dm-)\d+|nvme\d+c\d+n\d+|mmcblk\d+(boot\d+|rpmb))$")
_SETS = re.compile(rb"(md|drbd|bcache)_?\d+")
_PARTITION = re.compile(rb"((?:s|h|v|xv|das)d[a-z]+)\d+$|(.+\d)p\d+$")


def parse_diskstats(data: bytes) -> dict[str, DeviceCounters]:
    """Read `/proc/diskstats`: whole disks and RAID sets, no partitions, no loops, no compressed memory."""
    lines = [fields for line in data.split(b"\n") if len(fields := line.split()) >= 14]
    names = {fields[2] for fields in lines}
    found: dict[str, DeviceCounters] = {}
    for fields in lines:
        name = fields[2]
        if _NEVER.match(name) or _is_partition(name, names):
            continue
        try:
            reads, _, sectors_read, _, writes, _, sectors_written, _, _, busy = (
                float(f) for f in fields[3:13]
            )
        except ValueError:
            continue
        found[name.decode("utf-8", "surrogateescape")] = DeviceCounters(
            read_bytes=sectors_read * SECTOR_BYTES,
            write_bytes=sectors_written * SECTOR_BYTES,
            reads=reads,
            writes=writes,
            busy_milliseconds=busy,
            physical=_SETS.match(name) is None,
        )
    return found


def _is_partition(name: bytes, names: set[bytes]) -> bool:
    # Some virtual machines have "xvda1" and no "xvda"; that one is a disk.
    match = _PARTITION.match(name)
    return match is not None and (match[1] or match[2]) in names


def usage_of(mount: Mount, statvfs: Callable[[str], os.statvfs_result]) -> PartitionUsage | None:
    """Ask for a file system's sizes. None when it is gone or is not ours to see."""
    try:
        return usage_from(mount, statvfs(mount.mountpoint))
    except OSError:
        return None


class LinuxDisk:
    """Reads disks and file systems; network file systems only when switched on, and in other threads."""

    def __init__(
        self,
        roots: HostRoots,
        network_file_systems: Callable[[], bool] = lambda: False,
        statvfs: Callable[[str], os.statvfs_result] = os.statvfs,
    ) -> None:
        self._roots = roots
        self._network_file_systems = network_file_systems
        self._statvfs = statvfs
        self._slow = SlowMounts(statvfs)
        self._mountinfo = b""
        self._mounts: list[Mount] = []

    def partitions(self) -> tuple[list[PartitionUsage], dict[str, str]]:
        """The file systems, and those that do not answer."""
        silent: dict[str, str] = {}
        found = [usage for _, usage in self.file_systems(silent)]
        return found, silent

    def file_systems(self, silent: dict[str, str]) -> list[tuple[Mount, PartitionUsage]]:
        """The mounts with their sizes; those that do not answer go to `silent`, with the reason."""
        data = read_or_none(self._roots.proc / "self/mountinfo")
        if data is None:
            silent["partitions"] = "/proc/self/mountinfo cannot be read"
            return []
        if data != self._mountinfo:
            self._mounts = worth_showing(parse_mountinfo(data), is_directory=lambda path: Path(path).is_dir())
            self._mountinfo = data
        asked = ((mount, self._usage(mount, silent)) for mount in self._mounts)
        return [(mount, usage) for mount, usage in asked if usage is not None]

    def _usage(self, mount: Mount, silent: dict[str, str]) -> PartitionUsage | None:
        if not mount.is_network:
            return usage_of(mount, self._statvfs)
        if not self._network_file_systems():
            return None
        usage, reason = self._slow.usage(mount)
        if reason:
            silent[mount.mountpoint] = reason
        return usage

    def devices(self) -> dict[str, DeviceCounters]:
        """The block devices by name."""
        try:
            return parse_diskstats(read_small(self._roots.proc / "diskstats"))
        except OSError as error:
            raise UnavailableError("/proc/diskstats cannot be read") from error
