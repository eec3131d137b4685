"""Inventories of simulated devices: within the protocol, alike at each look, and believable."""

import msgspec
import pytest

from fleetkeeper.simulation.catalog import KINDS
from fleetkeeper.simulation.fleet import Fleet
from fleetkeeper.simulation.inventories import inventory_report
from fleetkeeper.simulation.kinds import KindName
from fleetkeeper_protocol.messages import InventoryReport

NOON = 1_795_003_200.0
KIND = {kind.name: kind for kind in KINDS}


def inventory(name, index=0, now=NOON):
    fleet = Fleet(1, 3, (KIND[name],))
    report = inventory_report(fleet, fleet.device(index), now)
    return msgspec.json.decode(msgspec.json.encode(report), type=InventoryReport).inventory


@pytest.mark.parametrize("name", list(KindName))
def test_parts_stay_the_same_and_are_each_in_a_place_of_their_own(name):
    found, later = inventory(name), inventory(name, now=NOON + 30)
    assert found == later
    places = [(one.kind, one.slot) for one in found.components]
    assert len(set(places)) == len(places)
    assert {one.name for one in found.interfaces} == set(KIND[name].interfaces)
    assert {one.mount_point for one in found.volumes if one.mount_point} == {
        disk.mountpoint for disk in KIND[name].disks
    }


def test_serial_numbers_are_of_one_device():
    first, second = (inventory(KindName.DATABASE, index) for index in (0, 1))
    serials = [{one.serial_number for one in found.components} - {None} for found in (first, second)]
    assert not serials[0] & serials[1]


def test_memory_modules_add_up():
    found = inventory(KindName.BATCH)
    modules = [one.capacity_bytes for one in found.components if one.kind == "memory"]
    assert sum(modules) == found.memory_total_bytes


def test_a_virtual_machine_has_no_power_supply():
    kinds = {one.kind for one in inventory(KindName.WEB).components}
    assert kinds == {"processor", "disk", "network_card"}


def test_a_host_has_its_bond_in_a_bridge_and_its_address_there():
    interfaces = {one.name: one for one in inventory(KindName.HYPERVISOR).interfaces}
    assert interfaces["bond0"].master == "vmbr0"
    assert interfaces["eno1np0"].master == "bond0"
    assert interfaces["vmbr0"].addresses
    assert not interfaces["bond0"].addresses


def test_batch_servers_run_containers():
    found = inventory(KindName.BATCH)
    assert {one.runtime for one in found.containers} == {"kubernetes"}
    assert len({one.container_id for one in found.containers}) == 4
    assert all(one.started_at > found.boot_time for one in found.containers)
    assert inventory(KindName.WEB).containers == []
