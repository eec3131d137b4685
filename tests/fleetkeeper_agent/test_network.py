"""Network: which interfaces count, and totals that never fall."""

from hypothesis import given
from hypothesis import strategies as st

from fleetkeeper_agent.collectors.network import InterfaceCounters, InterfaceReading, NetworkCollector
from fleetkeeper_agent.collectors.supervision import UNAVAILABLE, SupervisedCollector
from fleetkeeper_agent.host_files import HostRoots
from fleetkeeper_agent.platforms.linux.network import LinuxNetwork, parse_net_dev

HEADER = "Inter-|   Receive          |  Transmit\n face |bytes packets errs drop fifo frame|bytes ...\n"


def line(name: str, received: int, sent: int = 1) -> str:
    return f"{name:>6}: {received} 10 1 2 0 0 0 0 {sent} 20 3 4 0 0 0 0\n"


def host(tmp_path, interfaces: dict[str, dict[str, str]], counters: dict[str, int]) -> HostRoots:
    for name, entries in interfaces.items():
        directory = tmp_path / "sys/class/net" / name
        directory.mkdir(parents=True)
        for entry, text in entries.items():
            (directory / entry).write_text(text)
    write(tmp_path, counters)
    return HostRoots(proc=tmp_path / "proc", sys=tmp_path / "sys")


def write(tmp_path, counters: dict[str, int]) -> None:
    path = tmp_path / "proc/net/dev"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(HEADER + "".join(line(name, received) for name, received in counters.items()))


def test_this_recording(recorded):
    found = parse_net_dev((recorded / "linux/proc/net/dev").read_bytes())
    assert set(found) == {"eth0", "ifb0", "ifb1"}
    assert found["eth0"].receive_bytes > 0


def test_all_fields_are_where_they_belong():
    assert parse_net_dev(b"eth0:1 2 3 4 0 0 0 0 5 6 7 8 0 0 0 0")["eth0"] == InterfaceCounters(
        1, 5, 2, 6, 3, 7, 4, 8
    )


@given(st.binary(max_size=300))
def test_the_parser_survives_any_bytes(data):
    parse_net_dev(data)
    parse_net_dev(b"eth0:" + data)


def test_a_docker_host_counts_each_packet_once(tmp_path):
    interfaces = {
        "eth0": {"device": "", "ifindex": "2", "iflink": "2"},
        "docker0": {"bridge": "", "ifindex": "3", "iflink": "3"},
        "veth12ab": {"ifindex": "5", "iflink": "4"},
        "bond0": {"bonding": "", "lower_eth0": "", "ifindex": "6", "iflink": "6"},
        "eth0.7": {"lower_eth0": "", "ifindex": "7", "iflink": "2"},
        "dummy0": {"ifindex": "8", "iflink": "8"},
    }
    counters = dict.fromkeys([*interfaces, "lo"], 100)
    values = NetworkCollector(LinuxNetwork(host(tmp_path, interfaces, counters))).collect(0.0)
    assert values["network_receive_bytes_total"] == 100
    shown = {name for name in values if name.startswith("network_interface_receive_bytes_total")}
    prefix = "network_interface_receive_bytes_total"
    assert shown == {f'{prefix}{{interface="{name}"}}' for name in ("eth0", "docker0", "bond0", "eth0.7")}


def test_a_container_has_its_own_cable_end(tmp_path):
    interfaces = {"eth0": {"ifindex": "5", "iflink": "4"}, "tunl0": {"ifindex": "2", "iflink": "0"}}
    values = NetworkCollector(
        LinuxNetwork(host(tmp_path, interfaces, {"eth0": 70, "tunl0": 5, "lo": 1}))
    ).collect(0.0)
    assert values["network_receive_bytes_total"] == 70


def test_totals_survive_an_interface_that_comes_and_goes(tmp_path):
    interfaces = {"eth0": {"device": ""}, "usb0": {"device": ""}}
    collector = NetworkCollector(LinuxNetwork(host(tmp_path, interfaces, {"eth0": 100, "usb0": 1000})))
    assert collector.collect(0.0)["network_receive_bytes_total"] == 1100
    write(tmp_path, {"eth0": 150})
    assert collector.collect(5.0)["network_receive_bytes_total"] == 1150, "what went away keeps its share"
    write(tmp_path, {"eth0": 150, "usb0": 30})
    assert collector.collect(10.0)["network_receive_bytes_total"] == 1180, "what restarted counts from zero"
    write(tmp_path, {"eth0": 7, "usb0": 30})
    assert collector.collect(15.0)["network_receive_bytes_total"] == 1187


def test_hostile_interface_names_are_labels_all_the_same():
    class Source:
        def interfaces(self):
            counters = InterfaceCounters(*[1.0] * 8)
            return {'a"\udcff\\b\x00': InterfaceReading(counters, in_total=True, shown=True)}

    names = NetworkCollector(Source()).collect(0.0)
    assert 'network_interface_receive_bytes_total{interface="a\\"\ufffd\\\\b\ufffd"}' in names


def test_hundreds_of_interfaces_are_cut_and_said():
    class Source:
        def interfaces(self):
            counters = InterfaceCounters(*[1.0] * 8)
            return {f"tap{n}": InterfaceReading(counters, in_total=True, shown=True) for n in range(500)}

    collector = NetworkCollector(Source())
    values = collector.collect(0.0)
    assert len(values) == 8 + 64 * 8
    assert values["network_receive_bytes_total"] == 500
    assert "500 interfaces" in collector.gaps["interfaces"]


def test_no_interface_is_unavailable(tmp_path):
    supervised = SupervisedCollector(NetworkCollector(LinuxNetwork(host(tmp_path, {}, {"lo": 1}))))
    assert supervised.collect(0.0, on=True) == {}
    assert supervised.supervision.status == UNAVAILABLE
