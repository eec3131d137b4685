"""What an agent's inventory becomes: parts and containers, once, with their history."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, select, text

from fleetkeeper.devices import containers as rules
from fleetkeeper.devices.components.models import NetworkInterface as InterfaceRow
from fleetkeeper.devices.components.models import ServerFact, StorageVolume
from fleetkeeper.devices.components.seen import ComponentSeen
from fleetkeeper.devices.containers import delete_with_containers
from fleetkeeper.devices.models import Device, DeviceKey, DeviceSource
from fleetkeeper.devices.relationships.models import DeviceRelationship
from fleetkeeper.devices.service import register_device
from fleetkeeper.fleet.parts import parts_of
from fleetkeeper.fleet.service import record_report
from fleetkeeper_protocol.messages import (
    Component,
    Container,
    InterfaceAddress,
    Inventory,
    InventoryReport,
    NetworkInterface,
    Volume,
)
from tests.factories.identity import make_department

NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
WEB = Container("docker", "ab" * 32, "nginx", 1_795_000_000.0)
CACHE = Container("podman", "cd" * 32, "redis-server", 1_795_000_100.0)
LXC = Container("lxc", "web-1", "systemd")
WRITTEN = (
    "devices",
    "device_sources",
    "device_relationships",
    "network_interfaces",
    "ip_addresses",
    "storage_volumes",
    "hardware_components",
    "server_facts",
    "device_revisions",
    "audit_log",
)


def inventory(**changes) -> Inventory:
    told = {
        "interfaces": [
            NetworkInterface(
                "bond0.20",
                "0c:c4:7a:00:00:01",
                ["10.0.0.5"],
                is_up=True,
                kind="vlan",
                addresses=[InterfaceAddress("10.0.0.5/24", "global"), InterfaceAddress("fe80::1/64", "link")],
                vlan_id=20,
                parent="bond0",
                mtu=9000,
                driver="bonding",
                duplex="full",
                oper_state="up",
            )
        ],
        "volumes": [Volume("/", "filesystem", "/", "/dev/md0", "ext4", 100, 40, "raid1")],
        "components": [Component("memory", "DIMM A1", serial_number="3A5F", speed="3200 MT/s")],
        "facts": {"kernel.release": "6.1.0", "boot.secure_boot": True, "dns.servers": ["192.0.2.53"]},
        "containers": [WEB, CACHE],
    }
    return Inventory(hostname="host-1", agent_version="1", **(told | changes))


@pytest.fixture
async def host(session):
    department = await make_department(session, "Kitchen")
    return await register_device(session, "host-1", [], NOW, department.id)


async def report(session, host, now=NOW, **changes):
    await record_report(session, host, InventoryReport(inventory(**changes)), now)
    await session.flush()
    session.expire_all()


async def children(session, host):
    """The containers of a host by name, each with its source."""
    rows = await session.execute(
        select(Device, DeviceSource)
        .join(DeviceSource, DeviceSource.device_id == Device.id)
        .where(DeviceSource.source_instance == str(host))
    )
    return {device.name: (device, source) for device, source in rows}


async def hosting(session, host):
    rows = await session.scalars(
        select(DeviceRelationship)
        .where(DeviceRelationship.parent_device_id == host)
        .order_by(DeviceRelationship.valid_from)
    )
    return rows.all()


async def versions(session):
    """Which transaction and command wrote each row of what a report may write."""
    found = {}
    for table in WRITTEN:
        rows = await session.execute(text(f"SELECT ctid::text, xmin::text, cmin::text FROM {table}"))
        found[table] = sorted(map(tuple, rows.all()))
    return found


async def test_all_parts_are_stored(session, host):
    await report(session, host)
    interface = await session.scalar(select(InterfaceRow).where(InterfaceRow.device_id == host))
    assert (interface.interface_name, interface.interface_type, interface.status) == (
        "bond0.20",
        "vlan",
        "up",
    )
    assert (interface.vlan_id, interface.parent_name, interface.mtu) == (20, "bond0", 9000)
    assert interface.extra == {"driver": "bonding"}
    assert sorted(map(str, interface.ip_addresses)) == ["10.0.0.5/24", "fe80::1/64"]
    volume = await session.scalar(select(StorageVolume).where(StorageVolume.device_id == host))
    assert (volume.mount_point, volume.raid_level) == ("/", "raid1")
    assert volume.extra == {"device": "/dev/md0", "file_system": "ext4"}
    facts = (await session.scalars(select(ServerFact).where(ServerFact.device_id == host))).all()
    assert {one.fact_name: one.fact_value for one in facts} == inventory().facts


async def test_the_same_report_again_writes_nothing(session, host):
    await report(session, host)
    before = await versions(session)
    await report(session, host, NOW + HOUR)
    assert await versions(session) == before


async def test_use_of_a_volume_is_no_history(session, host):
    await report(session, host)
    before = await session.scalar(text("SELECT count(*) FROM device_revisions"))
    fuller = Volume("/", "filesystem", "/", "/dev/md0", "ext4", 100, 41, "raid1")
    await report(session, host, NOW + HOUR, volumes=[fuller])
    assert await session.scalar(text("SELECT count(*) FROM device_revisions")) == before


async def test_an_older_agent_takes_nothing_away(session, host):
    await report(session, host)
    old = NetworkInterface("bond0.20", "0c:c4:7a:00:00:01", ["10.0.0.5"])
    await report(
        session,
        host,
        NOW + HOUR,
        interfaces=[old],
        volumes=None,
        components=None,
        facts=None,
        containers=None,
    )
    volume = await session.scalar(select(StorageVolume).where(StorageVolume.device_id == host))
    assert volume.missing_since is None
    assert {source.missing_since for _, source in (await children(session, host)).values()} == {None}


async def test_containers_become_devices_that_the_machine_hosts(session, host):
    await report(session, host, containers=[WEB, LXC])
    found = await children(session, host)
    assert sorted(found) == ["nginx-abababababab", "web-1"]
    device, source = found["nginx-abababababab"]
    assert (device.device_type, device.hostname, device.virtualization) == ("container", "ab" * 6, "docker")
    assert device.boot_time == datetime.fromtimestamp(1_795_000_000, UTC)
    assert device.department_id == (await session.get(Device, host)).department_id
    assert (source.source_system, source.source_id) == ("agent", f"{host}/{WEB.container_id}")
    assert device.extra["agent"] == {"container_id": "ab" * 32, "runtime": "docker", "process": "nginx"}
    assert {one.child_device_id for one in await hosting(session, host)} == {
        one.id for one, _ in found.values()
    }
    keys = select(func.count()).where(DeviceKey.device_id == device.id)
    assert await session.scalar(keys) == 0


async def test_a_container_that_is_gone_is_missing_until_it_is_back(session, host):
    await report(session, host)
    await report(session, host, NOW + HOUR, containers=[CACHE])
    device, source = (await children(session, host))["nginx-abababababab"]
    assert source.missing_since == NOW + HOUR
    (ended,) = [one for one in await hosting(session, host) if one.child_device_id == device.id]
    assert ended.valid_to == NOW + HOUR
    await report(session, host, NOW + 2 * HOUR, containers=[CACHE])
    assert (await children(session, host))["nginx-abababababab"][1].missing_since == NOW + HOUR
    await report(session, host, NOW + 3 * HOUR)
    same, source = (await children(session, host))["nginx-abababababab"]
    assert (same.id, source.missing_since) == (device.id, None)
    times = [
        (one.valid_from, one.valid_to)
        for one in await hosting(session, host)
        if one.child_device_id == same.id
    ]
    assert times == [(NOW, NOW + HOUR), (NOW + 3 * HOUR, None)]


async def test_a_container_that_was_started_anew(session, host):
    await report(session, host)
    again = Container(WEB.runtime, WEB.container_id, WEB.process, WEB.started_at + 60)
    await report(session, host, NOW + HOUR, containers=[again, CACHE])
    device, _ = (await children(session, host))["nginx-abababababab"]
    assert (device.boot_time.timestamp(), device.version) == (again.started_at, 2)


async def test_what_a_person_said_stays(session, host):
    await report(session, host, containers=[WEB])
    device, _ = (await children(session, host))["nginx-abababababab"]
    device.name = "shop"
    other = await register_device(session, "other", [], NOW)
    (own,) = await hosting(session, host)
    own.parent_device_id, own.source_system = other, "manual"
    await report(session, host, NOW + HOUR, containers=[])
    await report(session, host, NOW + 2 * HOUR, containers=[WEB])
    assert list(await children(session, host)) == ["shop"]
    assert await hosting(session, host) == []
    assert (await hosting(session, other))[0].valid_to is None


async def test_of_two_machines_each_has_its_own(session, host):
    other = await register_device(session, "host-2", [], NOW)
    await report(session, host, containers=[LXC])
    await report(session, other, containers=[LXC])
    first, second = [(await children(session, one))["web-1"][0].id for one in (host, other)]
    assert first != second


async def test_missing_containers_are_bounded(session, host, monkeypatch):
    monkeypatch.setattr(rules, "MOST_MISSING", 2)
    for hour in range(5):
        await report(session, host, NOW + hour * HOUR, containers=[Container("lxc", f"job-{hour}")])
    assert sorted(await children(session, host)) == ["job-2", "job-3", "job-4"]


async def test_containers_go_with_their_machine(session, host):
    other = await register_device(session, "host-2", [], NOW)
    await report(session, host, containers=[WEB, CACHE])
    await report(session, other, containers=[LXC])
    moved, _ = (await children(session, host))["redis-server-cdcdcdcdcdcd"]
    moved.department_id = None
    await session.flush()
    await delete_with_containers(session, [host])
    assert list(await children(session, host)) == ["redis-server-cdcdcdcdcdcd"]
    assert list(await children(session, other)) == ["web-1"]


def test_what_the_tables_do_not_take_is_cut_or_left_out():
    interface = NetworkInterface(
        "x" * 300, "nonsense", kind="teapot", vlan_id=5000, duplex="both", parent="p" * 300
    )
    parts = parts_of(
        Inventory(
            "h",
            interfaces=[interface],
            volumes=[Volume("v" * 300, "teapot", raid_level="r" * 300)],
            components=[Component("teapot", "s" * 300, extra={"speed": "x"})],
        )
    )
    (seen,) = parts.interfaces
    assert (seen.interface_type, len(seen.interface_name), len(seen.parent_name)) == ("physical", 100, 100)
    assert (seen.mac_address, seen.vlan_id, seen.duplex, seen.status) == (None, None, None, None)
    (volume,) = parts.volumes
    assert (volume.volume_type, len(volume.name), len(volume.raid_level)) == ("other", 255, 50)
    assert parts.components == [ComponentSeen("other", "s" * 200)]
    assert parts.facts is None


async def test_hostile_texts_are_kept_as_texts(session, host):
    hostile = "<script>\u202e'; DROP TABLE devices; --" + "🖥" * 260
    await report(
        session,
        host,
        interfaces=[
            NetworkInterface(hostile, addresses=[InterfaceAddress("300.1.1.1/99"), InterfaceAddress("::/0")])
        ],
        volumes=[Volume(hostile, hostile, hostile), Volume(hostile, "disk")],
        components=[Component(hostile, hostile, hostile), Component(hostile, hostile)],
        facts={hostile: hostile},
        containers=[Container(hostile, hostile, hostile), Container(hostile, hostile)],
    )
    fact = await session.scalar(select(ServerFact).where(ServerFact.device_id == host))
    assert fact.fact_value == hostile
