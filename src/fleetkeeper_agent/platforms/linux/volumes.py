"""Mounted file systems, and block devices that are not mounted themselves."""

import re

from fleetkeeper_agent.hostile_text import clean
from fleetkeeper_agent.platforms.linux.block import BlockDevices
from fleetkeeper_agent.platforms.linux.disk import LinuxDisk
from fleetkeeper_protocol.messages import Volume

MOST_VOLUMES = 500
# The parts that LVM builds a volume from are nobody's volume: by its suffixes of UUIDs and of names.
_PART_UUID = re.compile(r"LVM-[^-]+-.+")
_PART_NAME = re.compile(r".*_([rm]image|rmeta|mlog|[tcv]data|[tc]meta|corig|pmspare)(_\d+)?")


class LinuxVolumes:
    """Puts together what mountinfo, statvfs and `/sys/block` tell."""

    def __init__(self, disk: LinuxDisk, block: BlockDevices) -> None:
        self._disk = disk
        self._block = block

    def volumes(self) -> list[Volume]:
        """File systems by mount point, then devices."""
        mounted: set[str] = set()
        found: list[Volume] = []
        for mount, usage in self._disk.file_systems({}):
            name = self._block.kernel_name(mount.device)
            if name is not None:
                mounted.add(name)
            volume = Volume(
                name=clean(mount.mountpoint),
                kind="filesystem",
                mount_point=clean(mount.mountpoint),
                device=clean(mount.device) if mount.device.startswith("/") else None,
                file_system=clean(mount.kind),
                capacity_bytes=int(usage.total),
                used_bytes=int(usage.used),
            )
            found.append(self._stacked(volume, name) if name is not None else volume)
        found += [self._device(name) for name in self._block.names() if self._is_volume(name, mounted)]
        return found[:MOST_VOLUMES]

    def _is_volume(self, name: str, mounted: set[str]) -> bool:
        uuid, mapped = self._block.text(name, "dm/uuid") or "", self._block.text(name, "dm/name") or ""
        is_part = uuid.startswith("LVM-") and _PART_NAME.fullmatch(mapped) is not None
        return name not in mounted and not is_part and _PART_UUID.fullmatch(uuid) is None

    def _device(self, name: str) -> Volume:
        shown = self._block.shown_name(name)
        uuid = self._block.text(name, "dm/uuid") or ""
        kind = "logical_volume" if uuid.startswith("LVM-") else "other" if uuid else "disk"
        volume = Volume(
            name=shown,
            kind=kind,
            device=f"/dev/{shown}",
            capacity_bytes=self._block.capacity_bytes(name),
        )
        return self._stacked(volume, name)

    def _stacked(self, volume: Volume, name: str) -> Volume:
        for lower in self._block.stack(name):
            volume.raid_level = volume.raid_level or self._block.text(lower, "md/level")
            if self._block.is_thin(lower):
                volume.is_thin = True
        return volume
