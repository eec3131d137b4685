"""Which of a machine's mounts are file systems that people care about."""

import os
import re
from collections.abc import Callable, Iterable
from typing import NamedTuple

from fleetkeeper_agent.collectors.disk import PartitionUsage

_NETWORK = re.compile(
    r"nfs4?|cifs|smb3|smbfs|ncpfs|afs|9p|ceph|glusterfs|lustre|beegfs|gpfs|ocfs2|gfs2|orangefs|davfs|sshfs"
)
# File systems that hold data on a disk of this machine. A list of what is wanted does not grow with each
# kernel, as one of what is not would.
_LOCAL = re.compile(
    r"ext[234]|xfs|btrfs|zfs|bcachefs|f2fs|jfs|reiser(fs|4)|nilfs2|vfat|exfat|msdos|ntfs3?|fuseblk|ufs|"
    r"hfs(plus)?|apfs|ubifs|jffs2|yaffs2|minix"
)
# The root of a container or of an appliance may be one of these; elsewhere they only show another mount
# again.
_ROOT_ONLY = frozenset(("overlay", "aufs", "virtiofs", "fuse-overlayfs", "fuse.fuse-overlayfs", "rootfs"))
_CONTAINER_STORAGE = (
    "/var/lib/docker/",
    "/var/lib/containers/",
    "/var/lib/kubelet/pods/",
    "/var/lib/containerd/",
)
_ESCAPE = re.compile(rb"\\([0-7]{3})")


class Mount(NamedTuple):
    """One line of mountinfo. `device` is the same for all mounts of one file system."""

    mountpoint: str
    device: str
    kind: str
    read_only: bool

    @property
    def is_network(self) -> bool:
        """Whether asking it for anything may wait for another machine, or for a program of a user."""
        return _NETWORK.fullmatch(self.kind) is not None or self.kind.startswith("fuse.")


def parse_mountinfo(data: bytes) -> list[Mount]:
    """Read `/proc/<pid>/mountinfo` (proc_pid_mountinfo(5)).

    Read-only is taken from the superblock: a sandboxed agent may see its own mounts read-only where others
    write.
    """
    found: list[Mount] = []
    for line in data.split(b"\n"):
        own, separator, rest = line.partition(b" - ")
        fields, tail = own.split(b" "), rest.split(b" ")
        if not separator or len(fields) < 6 or len(tail) < 3:
            continue
        kind = tail[0].decode("ascii", "replace")
        source = _unescape(tail[1])
        # Each btrfs subvolume has a device number of its own; the name of the device is shared.
        device = source if source.startswith("/dev/") else fields[2].decode("ascii", "replace")
        found.append(Mount(_unescape(fields[4]), device, kind, b"ro" in tail[2].split(b",")))
    return found


def worth_showing(mounts: Iterable[Mount], is_directory: Callable[[str], bool]) -> list[Mount]:
    """The mounts that hold data, each file system once: the root first, then by the shortest path.

    A later mount over the same directory hides the earlier one.
    """
    visible = {mount.mountpoint: mount for mount in mounts}
    chosen: dict[str, Mount] = {}
    for mount in sorted(visible.values(), key=lambda mount: (len(mount.mountpoint), mount.mountpoint)):
        if not _holds_data(mount) or mount.device in chosen:
            continue
        # A container has single files of its host mounted, such as /etc/hosts; they are no file systems of
        # its own.
        if mount.is_network or is_directory(mount.mountpoint):
            chosen[mount.device] = mount
    return sorted(chosen.values(), key=lambda mount: mount.mountpoint)


def usage_from(mount: Mount, found: os.statvfs_result) -> PartitionUsage | None:
    """The sizes of a file system; None for one that has no size at all."""
    if found.f_blocks <= 0:
        return None
    return PartitionUsage(
        mountpoint=mount.mountpoint,
        total=float(found.f_blocks * found.f_frsize),
        used=float((found.f_blocks - found.f_bfree) * found.f_frsize),
        free=float(max(0, found.f_bavail) * found.f_frsize),
        read_only=mount.read_only,
        # A read-only image is full by design.
        inodes_percent=None if mount.read_only else _inodes_percent(found),
    )


def _inodes_percent(found: os.statvfs_result) -> float | None:
    """Used share of what is used and what ordinary users may create, as df(1) counts it."""
    used = found.f_files - found.f_ffree
    reachable = used + found.f_favail
    return used * 100.0 / reachable if found.f_files > 0 and reachable > 0 else None


def _holds_data(mount: Mount) -> bool:
    if mount.mountpoint == "/":
        return (
            _LOCAL.fullmatch(mount.kind) is not None
            or mount.kind in _ROOT_ONLY
            or mount.is_network
            or mount.kind == "tmpfs"
        )
    if mount.mountpoint.startswith(_CONTAINER_STORAGE):
        return False
    # Programs that serve no files of their own: portals, file system views of desktops, LXC's /proc.
    if mount.kind in {"fuse.portal", "fuse.gvfsd-fuse", "fuse.lxcfs", "fuse.snapfuse"}:
        return False
    return _LOCAL.fullmatch(mount.kind) is not None or mount.is_network


def _unescape(field: bytes) -> str:
    plain = _ESCAPE.sub(lambda match: bytes((int(match[1], 8) & 0xFF,)), field)
    return plain.decode("utf-8", "surrogateescape")
