"""Block devices by `/sys/block`: what lies on what, and what is a disk of its own."""

import re
from pathlib import Path

from fleetkeeper_agent.host_files import HostRoots, read_number, read_or_none, resolved, sorted_children
from fleetkeeper_agent.hostile_text import clean, clean_or_none
from fleetkeeper_agent.platforms.linux.disk import SECTOR_BYTES

_NO_STORAGE = re.compile(r"(loop|ram|zram|sr|fd|nbd)\d+|nvme\d+c\d+n\d+|mmcblk\d+(boot\d+|rpmb)")
_THIN_POOL = "-tpool"
_DEEPEST_STACK = 16
_PCI_ADDRESS = re.compile(r"[0-9a-f]{4,8}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]")


class BlockDevices:
    """Reads `/sys/block` and `/sys/class/block`."""

    def __init__(self, roots: HostRoots) -> None:
        self._roots = roots

    def names(self) -> list[str]:
        """All devices that store something, without partitions."""
        return [
            entry.name
            for entry in sorted_children(self._roots.sys / "block")
            if not _NO_STORAGE.fullmatch(entry.name) and self.capacity_bytes(entry.name)
        ]

    def directory(self, name: str) -> Path:
        """Where a device or partition shows itself."""
        whole = self._roots.sys / "block" / name
        return whole if whole.exists() else self._roots.sys / "class/block" / name

    def text(self, name: str, file: str) -> str | None:
        """What a file of the device says."""
        return clean_or_none(read_or_none(self.directory(name) / file))

    def capacity_bytes(self, name: str) -> int:
        """The size; zero for a drive without a medium."""
        sectors = read_number(self.directory(name) / "size") or 0.0
        return int(sectors) * SECTOR_BYTES if 0 < sectors < 2**54 else 0

    def is_disk(self, name: str) -> bool:
        """Whether hardware, real or of a virtual machine, stands behind the device."""
        return (self.directory(name) / "device").exists()

    def is_thin(self, name: str) -> bool:
        """Whether the device is a pool of LVM's or a LUN that takes space as it is written to."""
        luns = sorted_children(self.directory(name) / "device/scsi_disk")
        is_pool = (self.text(name, "dm/uuid") or "").endswith(_THIN_POOL)
        return is_pool or any(read_number(lun / "thin_provisioning") == 1 for lun in luns)

    def kernel_name(self, device: str) -> str | None:
        """The kernel's name of a device such as `/dev/mapper/vg-root`."""
        if not device.startswith("/dev/"):
            return None
        name = device.removeprefix("/dev/")
        if name.startswith("mapper/"):
            wanted = name.removeprefix("mapper/")
            mapped = sorted_children(self._roots.sys / "block")
            return next((m.name for m in mapped if self.text(m.name, "dm/name") == wanted), None)
        return name if "/" not in name and self.directory(name).exists() else None

    def shown_name(self, name: str) -> str:
        """What people call the device: a logical volume by its name, which stays when numbers change."""
        mapped = self.text(name, "dm/name")
        return f"mapper/{mapped}" if mapped else clean(name)

    def stack(self, name: str) -> list[str]:
        """The device and all that lie below it, up to the disks."""
        found, wave = [name], [name]
        for _ in range(_DEEPEST_STACK):
            below = [
                slave.name for upper in wave for slave in sorted_children(self.directory(upper) / "slaves")
            ]
            below += [whole for upper in wave if (whole := self._whole_of(upper))]
            wave = [lower for lower in dict.fromkeys(below) if lower not in found]
            if not wave:
                break
            found += wave
        return found

    def path_on_bus(self, name: str) -> str:
        """Where a disk is plugged in, which stays when disks are found in another order."""
        parts = (resolved(self.directory(name) / "device") or Path()).parts
        controllers = [number for number, part in enumerate(parts) if _PCI_ADDRESS.fullmatch(part)]
        if not controllers:
            return clean(name)
        # The numbers of hosts and targets are given in the order in which drivers start.
        below = [
            part
            for part in parts[controllers[-1] + 1 :]
            if not re.match(r"(host|target|usb|virtio|nvme)", part)
        ]
        return clean(
            "/".join(
                [parts[controllers[-1]], *(re.sub(r"^\d+:(\d+:\d+:\d+)$", r"\1", part) for part in below)]
            )
        )

    def _whole_of(self, name: str) -> str | None:
        if not (self.directory(name) / "partition").exists():
            return None
        target = resolved(self.directory(name))
        return target.parent.name if target is not None else None
