"""Disks: which mounts and devices count, busy time, mounts that hang."""

import os
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleetkeeper_agent.collectors.disk import DeviceCounters, DiskCollector, PartitionUsage
from fleetkeeper_agent.host_files import HostRoots
from fleetkeeper_agent.platforms.linux.disk import LinuxDisk, parse_diskstats
from fleetkeeper_agent.platforms.linux.mounts import Mount, parse_mountinfo, usage_from, worth_showing
from fleetkeeper_agent.platforms.linux.slow_mounts import SlowMounts

SIZES = os.statvfs_result((4096, 4096, 1000, 600, 500, 10, 5, 5, 0, 255))


def shown(text: bytes, *, files: tuple[str, ...] = ()) -> list[str]:
    mounts = worth_showing(parse_mountinfo(text), is_directory=lambda path: path not in files)
    return [mount.mountpoint for mount in mounts if not mount.is_network]


class Source:
    def __init__(self):
        self.mounts = [PartitionUsage("/", 100.0, 40.0, 40.0)]
        self.silent = {}
        self.disks = {}

    def partitions(self):
        return self.mounts, self.silent

    def devices(self):
        return self.disks


def test_a_container_shows_its_root_and_its_volume(recorded):
    text = (recorded / "mountinfo-container").read_bytes()
    assert shown(text, files=("/etc/resolv.conf", "/etc/hostname")) == ["/", "/data"]


def test_a_server_shows_each_file_system_once(recorded):
    text = (recorded / "mountinfo-server").read_bytes()
    assert shown(text) == ["/", "/boot", "/boot/efi", "/srv/image", "/srv/with blank\\and\ttab", "/tank/data"]


def test_network_file_systems_are_told_apart(recorded):
    found = parse_mountinfo((recorded / "mountinfo-server").read_bytes())
    network = {mount.mountpoint for mount in found if mount.is_network}
    assert {"/mnt/dead", "/mnt/sshfs"} <= network
    assert {mount.mountpoint for mount in found if mount.read_only} >= {"/srv/image", "/media/cdrom"}


def test_a_later_mount_hides_the_earlier():
    text = b"1 0 8:1 / /data rw - ext4 /dev/sda1 rw\n2 1 0:9 / /data rw - tmpfs tmpfs rw\n"
    assert shown(text) == []


@given(st.binary(max_size=300))
def test_parsers_survive_any_bytes(data):
    parse_mountinfo(data)
    parse_mountinfo(b"1 0 8:1 / /a" + data + b" rw - ext4 /dev/sda1 rw")
    parse_diskstats(data)


def test_only_disks_and_sets_are_devices(recorded):
    found = parse_diskstats((recorded / "diskstats-server").read_bytes())
    assert set(found) == {"nvme0n1", "sda", "mmcblk0", "md0"}
    assert found["nvme0n1"].read_bytes == 40000000 * 512
    assert [name for name, device in found.items() if not device.physical] == ["md0"]


def test_a_disk_that_is_named_like_a_partition():
    line = b" 202 %d %s 1 0 2 0 3 0 4 0 0 5 6\n"
    assert set(parse_diskstats(line % (1, b"xvda1"))) == {"xvda1"}
    assert set(parse_diskstats(line % (0, b"xvda") + line % (1, b"xvda1"))) == {"xvda"}


def test_totals_leave_the_raid_set_out(recorded):
    source = Source()
    source.disks = parse_diskstats((recorded / "diskstats-server").read_bytes())
    values = DiskCollector(source).collect(0.0)
    assert values["disk_reads_total"] == 500000 + 1000 + 10
    assert values['disk_device_reads_total{device="md0"}'] == 100


def test_busy_time_is_a_share_between_two_samples():
    source, device = Source(), DeviceCounters(1.0, 1.0, 1.0, 1.0, 1000.0, physical=True)
    source.disks = {"sda": device}
    collector = DiskCollector(source)
    busy = 'disk_device_busy_percent{device="sda"}'
    assert busy not in collector.collect(100.0)
    source.disks = {"sda": device._replace(busy_milliseconds=3500.0)}
    assert collector.collect(105.0)[busy] == 50.0
    source.disks = {"sda": device._replace(busy_milliseconds=10.0)}
    assert busy not in collector.collect(110.0), "the counter wrapped"
    source.disks = {"sda": device._replace(busy_milliseconds=5060.0)}
    assert collector.collect(115.0)[busy] == 100.0, "a little over is all the time"


def test_a_system_without_busy_time_says_so():
    source = Source()
    source.disks = {"C:": DeviceCounters(1.0, 1.0, 1.0, 1.0, None, physical=True)}
    collector = DiskCollector(source)
    assert not any("busy" in name for name in collector.collect(0.0))
    assert "busy" in collector.gaps


def test_the_fullest_file_system_that_can_still_fill():
    source = Source()
    source.mounts = [
        PartitionUsage("/", 100.0, 40.0, 40.0),
        PartitionUsage("/iso", 100.0, 100.0, 0.0, read_only=True),
        PartitionUsage("/srv", 100.0, 60.0, 40.0),
    ]
    values = DiskCollector(source).collect(0.0)
    assert values["disk_usage_percent"] == 60.0
    assert values['disk_partition_usage_percent{mountpoint="/"}'] == 50.0
    assert values['disk_partition_usage_percent{mountpoint="/iso"}'] == 100.0


def recorded_disk(tmp_path: Path, recorded: Path, **options) -> LinuxDisk:
    (tmp_path / "self").mkdir()
    (tmp_path / "self/mountinfo").write_bytes((recorded / "mountinfo-server").read_bytes())
    return LinuxDisk(HostRoots(proc=tmp_path), **options)


def test_network_file_systems_are_not_asked_unless_switched_on(tmp_path, recorded):
    asked = []

    def statvfs(path):
        asked.append(path)
        return SIZES

    recorded_disk(tmp_path, recorded, statvfs=statvfs).partitions()
    assert "/" in asked
    assert not {"/mnt/dead", "/mnt/sshfs"} & set(asked)


def test_a_dead_network_mount_never_stops_the_agent():
    release = threading.Event()
    asked = []

    def statvfs(path):
        asked.append(path)
        release.wait(60)
        return SIZES

    mounts = SlowMounts(statvfs, patience=0.01)
    dead = Mount("/mnt/dead", "0:50", "nfs4", read_only=False)
    assert mounts.usage(dead) == (None, "the file system does not answer")
    assert mounts.usage(dead) == (None, "the file system does not answer")
    assert asked == ["/mnt/dead"], "what hangs is not asked twice"
    release.set()
    for thread in list(mounts._waiting.values()):
        thread.join()
    usage, reason = SlowMounts(statvfs, patience=5).usage(dead)
    assert reason is None
    assert usage is not None
    assert usage.used == 400 * 4096
    assert usage.usage_percent == pytest.approx(400 * 100 / 900)


def test_a_network_mount_that_fails_says_why():
    def statvfs(_path):
        raise OSError(116, "Stale file handle")

    usage, reason = SlowMounts(statvfs, patience=5).usage(Mount("/mnt/x", "0:1", "nfs", read_only=False))
    assert usage is None
    assert reason == "the file system answers: Stale file handle"


def test_switched_on_network_mounts_are_sent_and_silent_ones_said(tmp_path, recorded):
    def statvfs(path):
        if path == "/mnt/sshfs":
            raise OSError(107, "Transport endpoint is not connected")
        if path.startswith("/tank"):
            raise PermissionError
        return SIZES

    disk = recorded_disk(tmp_path, recorded, statvfs=statvfs, network_file_systems=lambda: True)
    collector = DiskCollector(disk)
    values = collector.collect(0.0)
    assert 'disk_partition_total_bytes{mountpoint="/mnt/dead"}' in values
    assert 'disk_partition_total_bytes{mountpoint="/tank/data"}' not in values
    assert "not connected" in collector.gaps["/mnt/sshfs"]
    assert "diskstats" in collector.gaps["devices"]


class TestInodes:
    def usage(self, sizes: os.statvfs_result, *, read_only: bool = False) -> float | None:
        found = usage_from(Mount("/", "ext4", "/dev/vda1", read_only=read_only), sizes)
        assert found is not None
        return found.inodes_percent

    def test_share_of_what_ordinary_users_may_create(self):
        assert self.usage(SIZES) == pytest.approx(50)

    def test_none_where_none_are_counted(self):
        assert self.usage(os.statvfs_result((4096, 4096, 1000, 600, 500, 0, 0, 0, 0, 255))) is None

    def test_none_of_an_image_that_is_full_by_design(self):
        full = os.statvfs_result((4096, 4096, 1000, 0, 0, 10, 0, 0, 0, 255))
        assert self.usage(full, read_only=True) is None

    def test_sent_as_a_channel(self):
        source = Source()
        source.mounts = [PartitionUsage("/", 100.0, 40.0, 40.0, inodes_percent=97.0)]
        values = DiskCollector(source).collect(0.0)
        assert values['disk_partition_inodes_usage_percent{mountpoint="/"}'] == pytest.approx(97)
