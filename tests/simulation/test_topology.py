"""How a simulated fleet is connected."""

from collections import Counter

from fleetkeeper.simulation.fleet import Fleet
from fleetkeeper.simulation.kinds import KindName
from fleetkeeper.simulation.topology import plan_topology


def plan(count):
    fleet = Fleet(1, count)
    return fleet, plan_topology(fleet.device(index) for index in range(count))


def test_a_fleet_that_grows_keeps_its_relationships():
    (_, small), (_, large) = plan(200), plan(400)
    assert large.relations[: len(small.relations)] == small.relations
    assert small.entered.items() <= large.entered.items()


def test_virtual_machines_run_on_one_hypervisor_each():
    fleet, found = plan(1000)
    hosts = [one for one in found.relations if one.kind == "hosts"]
    assert max(Counter(one.child for one in hosts).values()) == 1
    assert max(Counter(one.parent for one in hosts).values()) <= 16
    assert {fleet.device(one.parent).kind.name for one in hosts} == {KindName.HYPERVISOR}
    machines = sum(fleet.device(index).kind.device_type == "vm" for index in range(1000))
    assert len(hosts) > 0.6 * machines


def test_a_server_has_a_switch_and_power_of_its_site():
    fleet, found = plan(500)
    for kind in ("connects_to", "powers"):
        of_servers = [one for one in found.relations if one.kind == kind and isinstance(one.child, int)]
        for one in of_servers:
            assert fleet.device(one.child).domain.startswith(one.parent.split("-")[1])
        assert max(Counter(one.child for one in of_servers).values()) == 1
    powered = Counter(one.parent for one in found.relations if one.kind == "powers")
    assert max(powered.values()) == 21  # twenty servers and their switch


def test_all_ends_are_there():
    _, found = plan(300)
    ends = {end for one in found.relations for end in (one.parent, one.child)}
    assert {end for end in ends if isinstance(end, str)} == set(found.entered)
    assert all(one.newest < 300 for one in found.relations)
