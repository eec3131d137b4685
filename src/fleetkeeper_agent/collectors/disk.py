"""File systems and block devices."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple, Protocol

from fleetkeeper_agent.collectors.collector import Collector, UnavailableError, Values, channel
from fleetkeeper_agent.counter_rates import CounterSum, rate
from fleetkeeper_protocol.metrics import DISK

MOST_PARTITIONS = 64
MOST_DEVICES = 64


class PartitionUsage(NamedTuple):
    """One mounted file system; sizes in bytes. `free` is what ordinary users may still take."""

    mountpoint: str
    total: float
    used: float
    free: float
    read_only: bool = False
    # Used share of what may be created; None where a file system counts none, as btrfs.
    inodes_percent: float | None = None

    @property
    def usage_percent(self) -> float | None:
        """Used share, as df(1) counts it: of what is used and what ordinary users may take."""
        reachable = self.used + self.free
        return self.used * 100.0 / reachable if reachable > 0 else None


class DeviceCounters(NamedTuple):
    """Counters of one block device. `busy_milliseconds` is None where the system does not count it."""

    read_bytes: float
    write_bytes: float
    reads: float
    writes: float
    busy_milliseconds: float | None
    physical: bool


class DiskSource(Protocol):
    """What a platform tells about its disks."""

    def partitions(self) -> tuple[Sequence[PartitionUsage], Mapping[str, str]]:
        """The file systems, and by mount point those that did not answer, with the reason."""
        ...

    def devices(self) -> Mapping[str, DeviceCounters]:
        """The block devices by name. Raises UnavailableError."""
        ...


class DiskCollector(Collector):
    """File systems as gauges, devices as raw counters, busy time as a share between two samples."""

    name = "disk"
    fields = DISK

    def __init__(self, source: DiskSource) -> None:
        super().__init__()
        self._source = source
        self._sums = {field: CounterSum() for field in ("read_bytes", "write_bytes", "reads", "writes")}
        self._busy: dict[str, float] = {}
        self._busy_at = 0.0

    def collect(self, now: float) -> Values:
        """Measure; channel -> value."""
        self.gaps.clear()
        values = self._partitions()
        try:
            devices = self._source.devices()
        except UnavailableError as error:
            self.note_gap("devices", error.reason)
        else:
            values.update(self._devices(devices, now))
        if not values:
            raise UnavailableError("this machine shows neither file systems nor block devices")
        return values

    def close(self) -> None:
        """Forget the previous sample."""
        self._busy = {}

    def _partitions(self) -> Values:
        partitions, silent = self._source.partitions()
        for mountpoint, reason in silent.items():
            self.note_gap(mountpoint, reason)
        if not partitions:
            self.note_gap("partitions", "no file system on a disk is mounted here")
        if len(partitions) > MOST_PARTITIONS:
            self.note_gap(
                "partitions", f"{len(partitions)} file systems, of which {MOST_PARTITIONS} are sent"
            )
        values: Values = {}
        fullest: float | None = None
        for partition in partitions[:MOST_PARTITIONS]:
            for field, value in (
                ("disk_partition_total_bytes", partition.total),
                ("disk_partition_used_bytes", partition.used),
                ("disk_partition_free_bytes", partition.free),
                ("disk_partition_usage_percent", partition.usage_percent),
                ("disk_partition_inodes_usage_percent", partition.inodes_percent),
            ):
                if value is not None:
                    values[channel(field, "mountpoint", partition.mountpoint)] = value
            # A read-only image is full by design and would hide the disk that fills up.
            if partition.usage_percent is not None and not partition.read_only:
                fullest = max(fullest or 0.0, partition.usage_percent)
        if fullest is not None:
            values["disk_usage_percent"] = fullest
        return values

    def _devices(self, devices: Mapping[str, DeviceCounters], now: float) -> Values:
        values: Values = {}
        for field, total in self._sums.items():
            found = total.add({name: getattr(seen, field) for name, seen in devices.items() if seen.physical})
            if found is not None:
                values[f"disk_{field}_total"] = found
        if len(devices) > MOST_DEVICES:
            self.note_gap("devices", f"{len(devices)} devices, of which {MOST_DEVICES} are sent one by one")
        seconds = now - self._busy_at
        busy: dict[str, float] = {}
        for name, seen in list(devices.items())[:MOST_DEVICES]:
            for field in self._sums:
                values[channel(f"disk_device_{field}_total", "device", name)] = getattr(seen, field)
            if seen.busy_milliseconds is None:
                self.note_gap("busy", "this system does not count the time that its disks are busy")
                continue
            busy[name] = seen.busy_milliseconds
            found = rate(self._busy.get(name), seen.busy_milliseconds, seconds)
            if found is not None:
                # Milliseconds per second; the kernel's clock and ours differ by a little.
                values[channel("disk_device_busy_percent", "device", name)] = min(100.0, found / 10.0)
        self._busy, self._busy_at = busy, now
        return values
