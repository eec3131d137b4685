"""Volumes by recorded mounts and `/sys/block`."""

from types import SimpleNamespace

import msgspec
from hypothesis import given
from hypothesis import strategies as st
from tests.fleetkeeper_agent.fake_host import write

from fleetkeeper_agent.platforms.linux.block import BlockDevices
from fleetkeeper_agent.platforms.linux.disk import LinuxDisk
from fleetkeeper_agent.platforms.linux.volumes import LinuxVolumes
from fleetkeeper_protocol.messages import Inventory, Volume

SIZES = SimpleNamespace(
    f_blocks=1000, f_bfree=400, f_bavail=350, f_frsize=4096, f_files=0, f_ffree=0, f_favail=0
)
VG = "A" * 64


def volumes(roots):
    disk = LinuxDisk(roots, statvfs=lambda _: SIZES)
    return LinuxVolumes(disk, BlockDevices(roots)).volumes()


def test_file_systems_and_what_lies_below_them(tmp_path):
    roots = write(
        tmp_path,
        {
            "proc/self/mountinfo": (
                "1 0 253:0 / / rw - ext4 /dev/mapper/vg-root rw\n2 1 8:1 / /tmp rw - xfs /dev/sdc1 rw\n"
            ),
            "sys/block/dm-0/dm/name": "vg-root\n",
            "sys/block/dm-0/dm/uuid": f"LVM-{VG}\n",
            "sys/block/dm-0/size": "8000\n",
            "sys/block/dm-1/dm/name": "vg-archive\n",
            "sys/block/dm-1/dm/uuid": f"LVM-{VG}\n",
            "sys/block/dm-1/size": "2000\n",
            "sys/block/dm-2/dm/name": "vg-pool-tpool\n",
            "sys/block/dm-2/dm/uuid": f"LVM-{VG}-tpool\n",
            "sys/block/dm-2/size": "9000\n",
            "sys/block/dm-3/dm/name": "vg-pool_tdata\n",
            "sys/block/dm-3/dm/uuid": f"LVM-{VG}\n",
            "sys/block/dm-3/size": "9000\n",
            "sys/block/md0/md/level": "raid1\n",
            "sys/block/md0/size": "9000\n",
            "sys/block/sda/size": "9000\n",
            "sys/block/sdc/size": "9000\n",
            "sys/block/loop0/size": "9\n",
        },
        {
            "sys/block/dm-0/slaves/md0": "sys/block/md0",
            "sys/block/md0/slaves/sda": "sys/block/sda",
            "sys/block/dm-1/slaves/dm-2": "sys/block/dm-2",
        },
    )
    assert volumes(roots) == [
        Volume(
            name="/",
            kind="filesystem",
            mount_point="/",
            device="/dev/mapper/vg-root",
            file_system="ext4",
            capacity_bytes=4_096_000,
            used_bytes=2_457_600,
            raid_level="raid1",
        ),
        Volume(
            name="/tmp",
            kind="filesystem",
            mount_point="/tmp",
            device="/dev/sdc1",
            file_system="xfs",
            capacity_bytes=4_096_000,
            used_bytes=2_457_600,
        ),
        Volume(
            name="mapper/vg-archive",
            kind="logical_volume",
            device="/dev/mapper/vg-archive",
            capacity_bytes=1_024_000,
            is_thin=True,
        ),
        Volume(name="md0", kind="disk", device="/dev/md0", capacity_bytes=4_608_000, raid_level="raid1"),
        Volume(name="sda", kind="disk", device="/dev/sda", capacity_bytes=4_608_000),
        Volume(name="sdc", kind="disk", device="/dev/sdc", capacity_bytes=4_608_000),
    ]


def test_a_lun_tells_that_it_is_thin(tmp_path):
    roots = write(
        tmp_path,
        {
            "sys/block/sda/size": "9",
            "sys/block/sda/device/scsi_disk/0:0:0:1/thin_provisioning": "1\n",
            "sys/block/sdb/size": "9",
            "sys/block/sdb/device/scsi_disk/0:0:0:2/thin_provisioning": "0\n",
        },
    )
    assert [volume.is_thin for volume in volumes(roots)] == [True, None]


def test_a_device_that_lies_on_itself_ends(tmp_path):
    roots = write(tmp_path, {"sys/block/md0/size": "9"}, {"sys/block/md0/slaves/md0": "sys/block/md0"})
    assert [volume.name for volume in volumes(roots)] == ["md0"]


def test_a_machine_without_disks(tmp_path):
    assert volumes(write(tmp_path, {})) == []


@given(data=st.binary(max_size=80))
def test_any_bytes_in_any_file(tmp_path_factory, data):
    files = (
        "proc/self/mountinfo",
        "sys/block/dm-0/dm/name",
        "sys/block/dm-0/dm/uuid",
        "sys/block/dm-0/md/level",
    )
    fixed = {"sys/block/dm-0/size": "9"}
    found = volumes(write(tmp_path_factory.mktemp("host"), dict.fromkeys(files, data) | fixed))
    msgspec.json.decode(msgspec.json.encode(Inventory("h", volumes=found)), type=Inventory)
