"""Inventories of Linux, Windows and macOS, and the evidence for the enrollment."""

import subprocess
from types import SimpleNamespace

import msgspec
import psutil
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.fleetkeeper_agent.fake_host import write

from fleetkeeper_agent.collectors.inventory import (
    domain_of,
    identities,
    network_interfaces,
    resolved_name,
    told,
    within_bounds,
)
from fleetkeeper_agent.platforms.linux.inventory import (
    LinuxInventory,
    hypervisor,
    parse_cpuinfo,
    parse_os_release,
)
from fleetkeeper_agent.platforms.linux.pci import graphics_models, model_name
from fleetkeeper_agent.platforms.macos.inventory import COMMANDS, MacosInventory, parse_pairs, parse_profile
from fleetkeeper_agent.platforms.windows.inventory import WindowsInventory, parse_inventory
from fleetkeeper_protocol.messages import (
    MOST_REPORT_BYTES,
    InterfaceAddress,
    Inventory,
    InventoryReport,
    NetworkInterface,
    Volume,
)


def test_a_linux_machine(tmp_path):
    roots = write(
        tmp_path,
        {
            "etc/os-release": 'NAME="Debian GNU/Linux"\nVERSION_ID="12"\n',
            "etc/debian_version": "12.11\n",
            "etc/machine-id": "3d1219c7c4c5404aaa1f6d2a48adfda4\n",
            "proc/sys/kernel/hostname": b"web-1\xff\n",
            "proc/cpuinfo": "processor : 0\nmodel name : Xeon\nphysical id : 0\ncore id : 0\nflags : fpu\n",
            "proc/meminfo": "MemTotal: 1000 kB\n",
            "proc/stat": "cpu 1 2 3 4\nbtime 1795000000\n",
            "sys/class/dmi/id/sys_vendor": "Dell Inc.\n",
            "sys/class/dmi/id/product_name": "PowerEdge R640\n",
            "sys/class/dmi/id/product_serial": "To Be Filled By O.E.M.\n",
            "sys/class/dmi/id/product_uuid": "4C4C4544-0051-3510-8052-B4C04F564433\n",
            "sys/bus/pci/devices/0000:01:00.0/class": "0x030200\n",
            "sys/bus/pci/devices/0000:01:00.0/vendor": "0x10de\n",
            "sys/bus/pci/devices/0000:01:00.0/device": "0x20b5\n",
        },
    )
    found = LinuxInventory(roots).inventory()
    assert found.hostname == "web-1\ufffd"
    assert (found.os_name, found.os_version, found.os_build) == ("Debian GNU/Linux", "12", "12.11")
    assert (found.manufacturer, found.model, found.serial_number) == ("Dell Inc.", "PowerEdge R640", None)
    assert found.smbios_uuid == "4c4c4544-0051-3510-8052-b4c04f564433"
    assert (found.cpu_model, found.cpu_cores, found.cpu_threads) == ("Xeon", 1, 1)
    assert found.memory_total_bytes == 1024000
    assert found.boot_time == 1795000000.0
    assert found.virtualization == "none"
    assert found.gpu_models == ["NVIDIA 10de:20b5"]
    msgspec.json.decode(msgspec.json.encode(found), type=Inventory)


def test_a_machine_that_tells_nothing(tmp_path):
    found = LinuxInventory(write(tmp_path, {})).inventory()
    assert found.os_name == "Linux"
    assert found.serial_number is None
    assert found.machine_id is None
    assert found.virtualization is None


def test_a_small_board_tells_by_its_device_tree(tmp_path):
    roots = write(
        tmp_path,
        {
            "proc/device-tree/model": b"Raspberry Pi 4 Model B Rev 1.4\0",
            "proc/device-tree/serial-number": b"10000000a1b2c3d4\0",
            "proc/cpuinfo": "processor\t: 0\nBogoMIPS : 108.00\nprocessor\t: 1\nHardware\t: BCM2835\n",
        },
    )
    found = LinuxInventory(roots).inventory()
    assert found.model == "Raspberry Pi 4 Model B Rev 1.4"
    assert found.serial_number == "10000000a1b2c3d4"
    assert (found.cpu_model, found.cpu_cores, found.cpu_threads) == ("BCM2835", None, 2)


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({".dockerenv": "", "proc/self/mountinfo": "1 0 0:3 / / rw - overlay overlay rw\n"}, "docker"),
        ({".dockerenv": "", "proc/self/mountinfo": "1 0 8:1 / / rw - ext4 /dev/vda rw\n"}, None),
        ({"run/.containerenv": ""}, "podman"),
        ({"run/systemd/container": "lxc\n"}, "lxc"),
        ({"sys/class/dmi/id/sys_vendor": "QEMU\n"}, "qemu"),
        ({"proc/cpuinfo": "flags : hypervisor\n"}, "vm-other"),
    ],
)
def test_what_the_machine_runs_on(tmp_path, files, expected):
    assert LinuxInventory(write(tmp_path, files)).inventory().virtualization == expected


def test_hypervisors_by_their_firmware():
    assert hypervisor(b"", "Microsoft Corporation Virtual Machine") == "hyper-v"
    assert hypervisor(b"", "VMware, Inc. VMware Virtual Platform") == "vmware"
    assert hypervisor(b"flags\t\t: fpu", "Dell Inc.") == "none"
    assert hypervisor(b"Features : fp asimd", "") is None


def test_the_time_of_start_does_not_wander_with_the_clock(tmp_path):
    inventory = LinuxInventory(write(tmp_path, {"proc/stat": "btime 1795000000\n"}))
    assert inventory.inventory().boot_time == 1795000000
    write(tmp_path, {"proc/stat": "btime 1795000001\n"})
    assert inventory.inventory().boot_time == 1795000000
    write(tmp_path, {"proc/stat": "btime 1795003600\n"})
    assert inventory.inventory().boot_time == 1795003600


def test_os_release_with_quotes():
    found = parse_os_release(b'# comment\nNAME=\'Alpine\'\nPRETTY="a \\"b\\""\nID=alpine\nbroken\n')
    assert found == {"NAME": "Alpine", "PRETTY": 'a "b"', "ID": "alpine"}


def test_two_packages_with_two_threads_a_core():
    lines = "".join(
        f"processor : {n}\nmodel name : M\nphysical id : {n // 4}\ncore id : {n // 2 % 2}\n" for n in range(8)
    )
    assert parse_cpuinfo(lines.encode()) == ("M", 4, 8)


@given(st.binary(max_size=300))
def test_parsers_survive_any_bytes(data):
    parse_os_release(data)
    parse_cpuinfo(data)
    parse_pairs(data)
    parse_profile(data)
    model_name(data, "10de", "20b5")


def test_pci_names():
    ids = (
        b"# pci.ids\n1002  AMD/ATI\n\t20b5  Wrong\n10de  NVIDIA Corporation\n"
        b"\t20b5  GA100 [A100 PCIe 80GB]\n\t\t10de 1 x\n"
    )
    assert model_name(ids, "10de", "20b5") == "NVIDIA GA100 [A100 PCIe 80GB]"
    assert model_name(ids, "10de", "ffff") == "NVIDIA 10de:ffff"


def test_the_console_of_a_hypervisor_is_no_gpu(tmp_path):
    card = "sys/bus/pci/devices/0000:00:02.0"
    assert graphics_models(write(tmp_path, {f"{card}/class": "0x030000", f"{card}/vendor": "0x1234"})) == []


@pytest.mark.parametrize(
    "placeholder",
    [
        "Not Specified",
        "0",
        "None",
        "Default string",
        "00000000-0000-0000-0000-000000000000",
        "FFFFFFFF",
        "System Serial Number",
        "",
        "  ",
    ],
)
def test_placeholders_of_vendors_identify_nothing(placeholder):
    assert told(placeholder) is None


def test_names():
    assert resolved_name("web-1", lambda _: "web-1.example.org.") == "web-1.example.org"
    assert resolved_name("web-1", lambda _: "localhost") is None
    assert resolved_name("web-1", lambda _: "web-1.localdomain") is None
    assert resolved_name("web-1", lambda _: "other.example.org") is None
    assert resolved_name("web-1", lambda _: "10.0.0.1") is None
    assert domain_of("a.b.c") == "b.c"
    assert domain_of("a") is None
    assert domain_of(None) is None


def test_interfaces():
    def address(family, text, netmask=None):
        return SimpleNamespace(family=family, address=text, netmask=netmask)

    addresses = {
        "eth0": [
            address(psutil.AF_LINK, "0C-C4-7A-00-00-01"),
            address(2, "192.0.2.1", "255.255.255.0"),
            address(10, "fe80::1%eth0", "ffff:ffff:ffff:ffff::"),
        ],
        "veth1": [address(psutil.AF_LINK, "02:00:00:00:00:01")],
        "tun0": [address(psutil.AF_LINK, "00:00:00:00:00:00"), address(2, "nonsense")],
    }
    states = {
        "eth0": SimpleNamespace(speed=1000, isup=True),
        "tun0": SimpleNamespace(speed=65535 * 1000, isup=False),
    }
    found = network_interfaces(addresses, states, lambda name: name != "veth1")
    addressed = [InterfaceAddress("192.0.2.1/24", "global"), InterfaceAddress("fe80::1/64", "link")]
    assert found == {
        "eth0": NetworkInterface(
            "eth0", "0c:c4:7a:00:00:01", ["192.0.2.1", "fe80::1"], 1000, True, addresses=addressed
        ),
        "tun0": NetworkInterface("tun0", "", [], None, False, addresses=[]),
    }


def test_a_loopback_counts_where_others_reach_it():
    def addresses(*texts):
        return {"lo": [SimpleNamespace(family=2, address=text, netmask=None) for text in texts]}

    assert network_interfaces(addresses("127.0.0.1"), {}, lambda _: False) == {}
    found = network_interfaces(addresses("127.0.0.1", "10.255.0.1"), {}, lambda _: False)
    assert found["lo"].addresses == [
        InterfaceAddress("127.0.0.1", "host"),
        InterfaceAddress("10.255.0.1", "global"),
    ]


def test_evidence_leaves_out_made_up_addresses():
    interfaces = [NetworkInterface("eth0", "0c:c4:7a:00:00:01"), NetworkInterface("br0", "02:42:00:00:00:01")]
    found = identities(Inventory(hostname="h", serial_number="S1", interfaces=interfaces), "id-1")
    assert found == {"agent_id": "id-1", "serial": "S1", "mac": "0c:c4:7a:00:00:01"}


def test_evidence_prefers_the_address_of_the_hardware():
    interfaces = [
        NetworkInterface("bond0", "0c:c4:7a:00:00:01", has_assigned_mac=True),
        NetworkInterface(
            "eth0", "0c:c4:7a:00:00:01", permanent_mac_address="0c:c4:7a:00:00:02", has_assigned_mac=True
        ),
        NetworkInterface("wlan0", "3c:00:00:00:00:03", has_assigned_mac=True),
    ]
    found = identities(Inventory(hostname="h", interfaces=interfaces), "id-1")
    assert found == {"agent_id": "id-1", "mac": "0c:c4:7a:00:00:02"}


def test_a_report_stays_within_what_servers_take():
    facts = {f"fact.{number}": "x" * 4000 for number in range(200)}
    volumes = [Volume("v" * 300, "disk", "m" * 300, "d" * 300) for _ in range(500)]
    report = InventoryReport(
        Inventory(hostname="h", facts=facts, volumes=volumes, containers=[], components=[])
    )
    found = within_bounds(report).inventory
    assert len(msgspec.json.encode(report)) <= MOST_REPORT_BYTES
    assert (found.containers, found.facts, found.components) == (None, None, [])
    assert len(found.volumes) == 500


def test_old_agents_and_old_servers_are_understood():
    report = msgspec.json.decode(
        b'{"inventory": {"hostname": "h", "interfaces": [{"name": "eth0", "ip_addresses": ["10.0.0.1"]}]}}',
        type=InventoryReport,
    )
    assert (report.inventory.volumes, report.inventory.facts) == (None, None)
    assert report.inventory.interfaces[0].addresses is None

    class OldInventory(msgspec.Struct):
        hostname: str

    new = Inventory(hostname="h", facts={"a": [1]}, containers=[])
    assert msgspec.json.decode(msgspec.json.encode(new), type=OldInventory).hostname == "h"


def test_windows(recorded):
    found = parse_inventory((recorded / "windows-inventory.json").read_bytes())
    assert (found.hostname, found.domain, found.fqdn) == (
        "DESKTOP-7Q2",
        "corp.example.com",
        "desktop-7q2.corp.example.com",
    )
    assert (found.os_name, found.os_version, found.os_build) == (
        "Microsoft Windows 11 Pro",
        "23H2",
        "22631.4317",
    )
    assert (found.cpu_cores, found.cpu_threads, found.memory_total_bytes) == (12, 16, 34034274304)
    assert found.smbios_uuid == "4c4c4544-0051-3510-8052-b4c04f564433"
    assert found.virtualization == "none"
    assert found.gpu_models == ["Intel(R) Iris(R) Xe Graphics", "NVIDIA RTX A2000"]
    assert found.boot_time == 1795000000


def test_windows_with_a_byte_order_mark_and_single_objects():
    found = parse_inventory(
        b'\xef\xbb\xbf{"processors": {"Name": "X", "NumberOfCores": 2}, "system": {"Domain": "W"}}'
    )
    assert (found.cpu_model, found.cpu_cores, found.domain) == ("X", 2, None)


def test_windows_without_powershell_tells_what_python_knows():
    def fails():
        raise subprocess.TimeoutExpired("powershell", 60)

    found = WindowsInventory(fails).inventory()
    assert found.os_name == "Windows"
    assert found.memory_total_bytes


def test_macos(recorded):
    answers = {
        COMMANDS["sw_vers"]: "macos-sw_vers",
        COMMANDS["sysctl"]: "macos-sysctl",
        COMMANDS["system_profiler"]: "macos-system_profiler.json",
    }
    found = MacosInventory(lambda command: (recorded / answers[command]).read_bytes()).inventory()
    assert (found.os_name, found.os_version, found.os_build) == ("macOS", "14.6.1", "23G93")
    assert (found.model, found.serial_number) == ("Mac14,7", "C02ABC123XYZ")
    assert found.smbios_uuid == "a1b2c3d4-0000-1111-2222-333344445555"
    assert (found.cpu_model, found.cpu_cores, found.cpu_threads) == ("Apple M2", 8, 8)
    assert (found.memory_total_bytes, found.architecture) == (17179869184, "arm64")
    assert found.gpu_models == ["Apple M2"]
    assert found.boot_time == 1795000123
    assert found.virtualization == "none"


def test_macos_without_answers():
    found = MacosInventory(lambda _command: b"").inventory()
    assert found.os_name == "macOS"
    assert found.serial_number is None
