"""Hardware by recorded trees and tables."""

import struct

import msgspec
from hypothesis import given
from hypothesis import strategies as st
from tests.fleetkeeper_agent.fake_host import write

from fleetkeeper_agent.platforms.linux.block import BlockDevices
from fleetkeeper_agent.platforms.linux.components import LinuxComponents, processors, with_own_slots
from fleetkeeper_agent.platforms.linux.smbios import components_of
from fleetkeeper_protocol.messages import Component, Inventory

PCI_IDS = (
    "# names\n8086  Intel Corporation\n\t1521  I350 Gigabit Network Connection\n\t\t8086 1 x\n10de  NVIDIA\n"
)


def components(roots):
    return LinuxComponents(roots, BlockDevices(roots)).components()


def only(found, kind):
    return [component for component in found if component.kind == kind]


def structure(kind, fields, *texts):
    body = b"\0".join(text.encode() for text in texts) + b"\0\0" if texts else b"\0\0"
    return bytes((kind, len(fields) + 4)) + b"\1\0" + fields + body


def memory(size, speed=3200, extended=0, *, locator=1):
    fields = struct.pack(
        "<HHHHHBBBBBHHBBBBBIHH",
        *(0, 0, 72, 64, size),
        *(9, 0, locator, 2, 0x1A),
        *(0, speed, 3, 4, 0, 5, 0, extended, 2933, 0),
    )
    return structure(17, fields, "DIMM A1", "Bank 0", "Samsung", "3A5F11", "M393A4K40DB3")


def power_supply(characteristics):
    return structure(
        39,
        struct.pack("<BBBBBBBBHH", 0, 1, 2, 3, 4, 0, 5, 6, 750, characteristics),
        *("PSU Bay 1", "PWR SPLY,750W", "Dell", "PH1234", "0V1YJ6", "A00"),
    )


END = structure(127, b"")


def test_memory_modules_and_power_supplies():
    table = (
        memory(16384) + memory(0) + memory(0x7FFF, extended=131072) + power_supply(0b11) + power_supply(0b01)
    )
    first, second, supply = components_of(table + END + memory(1024))
    assert first == Component(
        kind="memory",
        slot="DIMM A1 Bank 0",
        name="DIMM A1",
        manufacturer="Samsung",
        serial_number="3A5F11",
        part_number="M393A4K40DB3",
        capacity_bytes=16 << 30,
        speed="2933 MT/s",
        extra={"type": "DDR4", "form_factor": "DIMM", "bank": "Bank 0", "error_correction": "yes"},
    )
    assert second.capacity_bytes == 128 << 30
    assert (supply.kind, supply.slot, supply.serial_number) == ("power_supply", "PSU Bay 1", "PH1234")
    assert (supply.part_number, supply.firmware, supply.extra) == ("0V1YJ6", "A00", {"watts": "750"})


def test_what_is_cut_off_ends_the_table():
    whole = memory(16384)
    assert len(components_of(whole + whole[:30])) == 1
    assert components_of(whole[:30]) == []


@given(st.binary(max_size=400))
def test_any_bytes_as_a_table(data):
    for table in (data, memory(16384) + data, b"\x11" + data):
        found = with_own_slots(components_of(table))
        msgspec.json.decode(msgspec.json.encode(Inventory("h", components=found)), type=Inventory)


def test_a_server(tmp_path):
    roots = write(
        tmp_path,
        {
            "sys/class/dmi/id/board_vendor": "Dell Inc.\n",
            "sys/class/dmi/id/board_name": "0H28RR\n",
            "sys/class/dmi/id/board_serial": "..CN12345.\n",
            "sys/class/dmi/id/chassis_vendor": "Dell Inc.\n",
            "sys/class/dmi/id/chassis_type": "23\n",
            "sys/class/dmi/id/chassis_serial": "To Be Filled By O.E.M.\n",
            "sys/class/dmi/id/bios_version": "2.15.1\n",
            "sys/class/dmi/id/bios_date": "06/16/2022\n",
            "sys/firmware/dmi/tables/DMI": memory(16384) + memory(16384) + END,
            "sys/devices/system/cpu/cpu0/cpufreq/cpuinfo_max_freq": "3500000\n",
            "proc/cpuinfo": "".join(
                f"processor : {n}\nvendor_id : GenuineIntel\nmodel name : Xeon Gold\nmicrocode : 0xd0\n"
                f"physical id : {n // 2}\ncore id : 0\n\n"
                for n in range(4)
            ),
            "usr/share/misc/pci.ids": PCI_IDS,
            "sys/bus/pci/devices/0000:01:00.0/class": "0x020000\n",
            "sys/bus/pci/devices/0000:01:00.0/vendor": "0x8086\n",
            "sys/bus/pci/devices/0000:01:00.0/device": "0x1521\n",
            "sys/bus/pci/devices/0000:01:00.0/net/eno1/mtu": "1500\n",
            "sys/bus/pci/devices/0000:02:00.0/class": "0x030200\n",
            "sys/bus/pci/devices/0000:02:00.0/vendor": "0x10de\n",
            "sys/bus/pci/devices/0000:02:00.0/device": "0x20b5\n",
        },
    )
    found = components(roots)
    board, chassis, bios = found[:3]
    assert (board.kind, board.model, board.serial_number) == ("mainboard", "0H28RR", "..CN12345.")
    assert (chassis.kind, chassis.name, chassis.serial_number) == ("chassis", "rack mount", None)
    assert (bios.firmware, bios.extra) == ("2.15.1", {"date": "06/16/2022"})
    assert [(cpu.slot, cpu.manufacturer, cpu.speed, cpu.extra) for cpu in only(found, "processor")] == [
        ("CPU 0", "Intel", "3500 MHz", {"cores": "1", "threads": "2"}),
        ("CPU 1", "Intel", "3500 MHz", {"cores": "1", "threads": "2"}),
    ]
    assert [module.slot for module in only(found, "memory")] == ["DIMM A1 Bank 0", "DIMM A1 Bank 0 #2"]
    (card,) = only(found, "network_card")
    assert (card.slot, card.manufacturer) == ("0000:01:00.0", "Intel Corporation")
    assert card.model == "I350 Gigabit Network Connection"
    assert card.extra == {"pci_vendor_id": "8086", "pci_device_id": "1521", "interfaces": "eno1"}
    (gpu,) = only(found, "gpu")
    assert (gpu.name, gpu.model) == ("NVIDIA 10de:20b5", None)


def test_disks_by_where_they_are_plugged_in(tmp_path):
    ata = "sys/devices/pci0000:00/0000:00:1f.2/ata1/host0/target0:0:0/0:0:0:0"
    nvme = "sys/devices/pci0000:00/0000:02:00.0/nvme/nvme0"
    roots = write(
        tmp_path,
        {
            f"{ata}/vendor": "ATA     \n",
            f"{ata}/model": "ST4000NM0035    \n",
            f"{ata}/rev": "TN03\n",
            f"{ata}/vpd_pg80": b"\0\x80\0\x14            ZC1ABCDE",
            "sys/block/sda/size": "7814037168\n",
            "sys/block/sda/queue/rotational": "1\n",
            f"{nvme}/model": "SAMSUNG MZQL23T8\n",
            f"{nvme}/serial": "S64GNE0R\n",
            f"{nvme}/firmware_rev": "GDC5602Q\n",
            "sys/block/nvme0n1/size": "7501476528\n",
            "sys/block/nvme0n1/queue/rotational": "0\n",
            "sys/block/sr0/size": "2097151\n",
            "sys/block/sdb/size": "0\n",
            "sys/block/sdb/device/model": "Card Reader\n",
            "sys/block/loop0/size": "100\n",
            "sys/block/dm-0/size": "100\n",
        },
        {"sys/block/sda/device": ata, "sys/block/nvme0n1/device": nvme},
    )
    flash, disk = only(components(roots), "disk")
    assert (disk.slot, disk.name) == ("0000:00:1f.2/ata1/0:0:0", "sda")
    assert (disk.manufacturer, disk.model, disk.serial_number) == (None, "ST4000NM0035", "ZC1ABCDE")
    assert (disk.firmware, disk.capacity_bytes) == ("TN03", 7814037168 * 512)
    assert disk.extra == {"bus": "sata", "rotational": "yes"}
    assert (flash.slot, flash.serial_number, flash.firmware) == ("0000:02:00.0", "S64GNE0R", "GDC5602Q")
    assert flash.extra == {"bus": "nvme", "rotational": "no"}


def test_a_laptop_battery_but_no_mouse(tmp_path):
    roots = write(
        tmp_path,
        {
            "sys/class/power_supply/BAT0/type": "Battery\n",
            "sys/class/power_supply/BAT0/model_name": "DELL 1VX1H\n",
            "sys/class/power_supply/BAT0/technology": "Li-poly\n",
            "sys/class/power_supply/AC/type": "Mains\n",
            "sys/class/power_supply/mouse/type": "Battery\n",
            "sys/class/power_supply/mouse/scope": "Device\n",
        },
    )
    (battery,) = components(roots)
    assert (battery.kind, battery.slot, battery.model) == ("battery", "BAT0", "DELL 1VX1H")


def test_processors_of_a_small_board():
    (found,) = processors(b"processor\t: 0\nBogoMIPS : 108.00\n\nprocessor\t: 1\n\nHardware\t: BCM2835\n")
    assert (found.slot, found.extra) == ("CPU 0", {"threads": "2"})


def test_a_machine_that_tells_nothing(tmp_path):
    assert components(write(tmp_path, {})) == []


@given(data=st.binary(max_size=80))
def test_any_bytes_in_any_file(tmp_path_factory, data):
    files = (
        "proc/cpuinfo",
        "sys/class/dmi/id/board_name",
        "sys/class/dmi/id/chassis_type",
        "sys/class/dmi/id/chassis_vendor",
        "sys/block/sda/device/model",
        "sys/block/sda/device/vpd_pg80",
        "sys/block/sda/queue/rotational",
        "usr/share/misc/pci.ids",
        "sys/bus/pci/devices/x/vendor",
        "sys/bus/pci/devices/x/device",
    )
    fixed = {"sys/block/sda/size": "10", "sys/bus/pci/devices/x/class": "0x020000"}
    found = components(write(tmp_path_factory.mktemp("host"), dict.fromkeys(files, data) | fixed))
    msgspec.json.decode(msgspec.json.encode(Inventory("h", components=found)), type=Inventory)
