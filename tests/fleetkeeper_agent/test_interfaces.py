"""What each interface is, by recorded trees of `/sys/class/net`."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.fleetkeeper_agent.fake_host import write

from fleetkeeper_agent.platforms.linux.interfaces import LinuxInterfaces
from fleetkeeper_protocol.messages import InterfaceAddress, NetworkInterface


def describe(roots, name, **known):
    interface = NetworkInterface(name, **known)
    LinuxInterfaces(roots).describe(name, interface)
    return interface


def test_a_card(tmp_path):
    card = "sys/class/net/eno1"
    roots = write(
        tmp_path,
        {
            f"{card}/type": "1\n",
            f"{card}/mtu": "9000\n",
            f"{card}/operstate": "up\n",
            f"{card}/duplex": "full\n",
            f"{card}/address": "0c:c4:7a:00:00:01\n",
            f"{card}/addr_assign_type": "0\n",
        },
        {f"{card}/device/driver": "sys/bus/pci/drivers/igb"},
    )
    found = describe(roots, "eno1")
    assert (found.kind, found.mtu, found.oper_state, found.duplex) == ("physical", 9000, "up", "full")
    assert found.driver == "igb"
    assert (found.permanent_mac_address, found.has_assigned_mac) == ("0c:c4:7a:00:00:01", False)


def test_a_member_of_a_bond_keeps_the_address_of_its_hardware(tmp_path):
    card = "sys/class/net/eno1"
    roots = write(
        tmp_path,
        {
            f"{card}/address": "0c:c4:7a:00:00:09\n",
            f"{card}/addr_assign_type": "3\n",
            f"{card}/bonding_slave/perm_hwaddr": "0c:c4:7a:00:00:01\n",
        },
        {f"{card}/master": "sys/class/net/bond0", f"{card}/device": "sys/devices/card"},
    )
    found = describe(roots, "eno1")
    assert (found.master, found.has_assigned_mac) == ("bond0", True)
    assert found.permanent_mac_address == "0c:c4:7a:00:00:01"


@pytest.mark.parametrize(
    ("files", "kind"),
    [
        ({"type": "772\n"}, "loopback"),
        ({"uevent": "DEVTYPE=bridge\nINTERFACE=x\n"}, "bridge"),
        ({"bridge/stp_state": "0"}, "bridge"),
        ({"bonding/mode": "802.3ad 4"}, "bond"),
        ({"uevent": "DEVTYPE=vlan\n"}, "vlan"),
        ({"uevent": "DEVTYPE=wlan\n", "device/vendor": "0x8086"}, "wireless"),
        ({"phy80211/index": "0", "device/vendor": "0x8086"}, "wireless"),
        ({"device/vendor": "0x1af4"}, "physical"),
        ({"tun_flags": "0x1"}, "virtual"),
    ],
)
def test_kinds(tmp_path, files, kind):
    roots = write(tmp_path, {f"sys/class/net/x/{name}": data for name, data in files.items()})
    assert describe(roots, "x").kind == kind


@pytest.mark.parametrize(
    ("name", "config", "number"),
    [
        ("eth0.100", "", 100),
        ("vlan20", "", 20),
        ("storage", "", None),
        ("eth0.9999", "", None),
        ("storage", "VLAN Dev name    | VLAN ID\nstorage        | 42  | eth0\n", 42),
    ],
)
def test_a_vlan(tmp_path, name, config, number):
    directory = f"sys/class/net/{name}"
    roots = write(
        tmp_path,
        {f"{directory}/uevent": "DEVTYPE=vlan\n", "proc/net/vlan/config": config},
        {f"{directory}/lower_eth0": "sys/class/net/eth0"},
    )
    found = describe(roots, name)
    assert (found.vlan_id, found.parent) == (number, "eth0")


def test_privacy_addresses_are_nobodys_inventory(tmp_path):
    lines = (
        "20010db8000000000000000000000001 02 40 00 80     eth0\n"
        "20010db80000000000000000000000aa 02 40 00 01     eth0\n"
        "20010db80000000000000000000000bb 03 40 00 01     eth1\n"
        "broken\n"
    )
    roots = write(tmp_path, {"sys/class/net/eth0/mtu": "1500\n", "proc/net/if_inet6": lines})
    stays = [InterfaceAddress("2001:db8::1/64", "global"), InterfaceAddress("2001:db8::bb/64", "global")]
    found = describe(roots, "eth0", addresses=[*stays, InterfaceAddress("2001:db8::aa/64", "global")])
    assert found.addresses == stays


def test_an_interface_without_files_stays_as_it_is(tmp_path):
    assert describe(write(tmp_path, {}), "eth0") == NetworkInterface("eth0")


@given(data=st.binary(max_size=60))
def test_any_bytes_in_any_file(tmp_path_factory, data):
    root = tmp_path_factory.mktemp("host")
    files = ("mtu", "type", "operstate", "duplex", "address", "addr_assign_type", "uevent")
    roots = write(root, {f"sys/class/net/x.1/{file}": data for file in files} | {"proc/net/if_inet6": data})
    describe(roots, "x.1", addresses=[])
