"""What sources say of parts, stored."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import uuid4

from sqlalchemy import func, select

from fleetkeeper.devices.components.models import (
    HardwareComponent,
    IpAddress,
    NetworkInterface,
    ServerFact,
    StorageVolume,
    Vm,
)
from fleetkeeper.devices.components.recording import record_components, record_many
from fleetkeeper.devices.components.seen import ComponentSeen, InterfaceSeen, PartsSeen, VmSeen, VolumeSeen
from fleetkeeper.devices.revisions.models import DeviceRevision
from fleetkeeper.devices.service import register_device

NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)
LATER = NOW + timedelta(hours=1)
ETH0 = InterfaceSeen(
    "eth0", mac_address="52:54:00:12:34:56", status="up", addresses=("10.0.0.5/24", "fe80::1/64")
)
DISK = ComponentSeen("disk", "sda", model="WD40", serial_number="WD-1", capacity_bytes=4_000_000_000_000)
ALL = PartsSeen(
    interfaces=[ETH0],
    volumes=[VolumeSeen("/", "/", "filesystem", capacity_bytes=100, used_bytes=10, extra={"type": "ext4"})],
    components=[DISK],
    facts={"kernel.release": "6.1.0", "sysctl": {"vm.swappiness": 60}},
    vm=VmSeen(
        instance_uuid="u-1", power_state="POWERED_ON", disks=[{"capacity_bytes": 5}, {"capacity_bytes": 7}]
    ),
)


async def only(session, model, device_id):
    rows = await session.scalars(
        select(model).where(model.device_id == device_id).execution_options(populate_existing=True)
    )
    (row,) = rows.all()
    return row


async def count(session, model, device_id):
    return await session.scalar(select(func.count()).where(model.device_id == device_id).select_from(model))


async def test_all_of_a_machine(session):
    device = await register_device(session, "a", [], NOW)
    await record_components(session, device, "agent", ALL, NOW)
    interface = await only(session, NetworkInterface, device)
    assert (interface.interface_name, interface.mac_address) == ("eth0", "52:54:00:12:34:56")
    assert sorted(map(str, interface.ip_addresses)) == ["10.0.0.5/24", "fe80::1/64"]
    volume = await only(session, StorageVolume, device)
    assert (volume.name, volume.extra, volume.source_id) == ("/", {"type": "ext4"}, f"{device}//")
    assert (await only(session, HardwareComponent, device)).serial_number == "WD-1"
    assert (await only(session, Vm, device)).total_disk_capacity_bytes == 12
    facts = await session.scalars(select(ServerFact).where(ServerFact.device_id == device))
    assert {one.fact_name: one.fact_value for one in facts} == ALL.facts


async def test_the_same_again_writes_nothing(session):
    device = await register_device(session, "a", [], NOW)
    await record_components(session, device, "agent", ALL, NOW)
    before = await count(session, DeviceRevision, device)
    await record_components(session, device, "agent", ALL, LATER)
    assert await count(session, DeviceRevision, device) == before
    assert (await only(session, NetworkInterface, device)).version == 1


async def test_what_is_unknown_overwrites_nothing(session):
    device = await register_device(session, "a", [], NOW)
    await record_components(session, device, "agent", ALL, NOW)
    vague = replace(DISK, serial_number=None, model="WD40 Red")
    await record_components(session, device, "agent", PartsSeen(components=[vague]), LATER)
    disk = await only(session, HardwareComponent, device)
    assert (disk.serial_number, disk.model, disk.version) == ("WD-1", "WD40 Red", 2)


async def test_what_is_gone_is_missing_until_it_is_back(session):
    device = await register_device(session, "a", [], NOW)
    await record_components(session, device, "agent", ALL, NOW)
    await record_components(session, device, "agent", PartsSeen(components=[]), LATER)
    assert (await only(session, HardwareComponent, device)).missing_since == LATER
    assert (await only(session, NetworkInterface, device)).missing_since is None
    await record_components(session, device, "agent", ALL, LATER)
    assert (await only(session, HardwareComponent, device)).missing_since is None


async def test_a_source_takes_away_what_is_its_own_alone(session):
    device = await register_device(session, "a", [], NOW)
    await record_components(session, device, "netbox", PartsSeen(components=[DISK], interfaces=[ETH0]), NOW)
    await record_components(session, device, "agent", PartsSeen(components=[], interfaces=[]), LATER)
    assert (await only(session, HardwareComponent, device)).missing_since is None
    assert await count(session, IpAddress, device) == 2


async def test_an_address_moves_with_its_interface(session):
    device = await register_device(session, "a", [], NOW)
    await record_components(session, device, "agent", ALL, NOW)
    moved = replace(ETH0, addresses=("10.0.0.9/24",))
    await record_components(session, device, "agent", PartsSeen(interfaces=[moved]), LATER)
    assert [str(one) for one in (await only(session, NetworkInterface, device)).ip_addresses] == [
        "10.0.0.9/24"
    ]
    assert await count(session, IpAddress, device) == 1


async def test_facts_keep_their_past(session):
    device = await register_device(session, "a", [], NOW)
    await record_components(session, device, "agent", PartsSeen(facts={"kernel": "6.1", "swap": True}), NOW)
    await record_components(session, device, "agent", PartsSeen(facts={"kernel": "6.5"}), LATER)
    rows = await session.scalars(
        select(ServerFact)
        .where(ServerFact.device_id == device)
        .order_by(ServerFact.collected_at, ServerFact.fact_name)
        .execution_options(populate_existing=True)
    )
    told = [(row.fact_name, row.fact_value, row.replaced_at) for row in rows]
    assert told == [("kernel", "6.1", LATER), ("swap", True, LATER), ("kernel", "6.5", None)]


async def test_use_moves_on_without_another_version(session):
    device = await register_device(session, "a", [], NOW)
    await record_components(session, device, "agent", ALL, NOW)
    fuller = [replace(ALL.volumes[0], used_bytes=90)]
    await record_components(session, device, "agent", PartsSeen(volumes=fuller), LATER)
    volume = await only(session, StorageVolume, device)
    assert (volume.used_bytes, volume.version) == (90, 1)


async def test_two_of_one_place_and_what_is_no_address(session):
    device = await register_device(session, "a", [], NOW)
    odd = replace(ETH0, addresses=("not one", "10.0.0.5/24", "10.0.0.5/24", "fe80::1%eth0"))
    await record_components(session, device, "agent", PartsSeen(interfaces=[odd, odd]), NOW)
    assert await count(session, IpAddress, device) == 2


async def test_many_at_once_and_one_that_is_gone(session):
    devices = [await register_device(session, name, [], NOW) for name in "abc"]
    await record_many(session, "agent", dict.fromkeys([*devices, uuid4()], ALL), NOW)
    for device in devices:
        assert await count(session, NetworkInterface, device) == 1


async def test_a_source_that_invents_names_fills_nothing(session, monkeypatch):
    monkeypatch.setattr("fleetkeeper.devices.components.recording.MOST_MISSING", 3)
    device = await register_device(session, "a", [], NOW)
    for hour in range(6):
        invented = [ComponentSeen("disk", f"sd{hour}-{number}") for number in range(2)]
        seen = PartsSeen(components=invented)
        await record_components(session, device, "agent", seen, NOW + timedelta(hours=hour))
        session.expire_all()
    assert await count(session, HardwareComponent, device) <= 3 + 2 + 2
