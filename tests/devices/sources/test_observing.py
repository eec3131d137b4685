"""What comes of sources that tell of machines, in the database."""

import asyncio
from datetime import UTC, datetime, timedelta
from itertools import permutations

import pytest
from sqlalchemy import select

from fleetkeeper.devices.identity.models import IdentityReview
from fleetkeeper.devices.merging.models import DeviceMerge
from fleetkeeper.devices.models import Device, DeviceIdentity, DeviceSource
from fleetkeeper.devices.sources.observing import Observation, observe
from fleetkeeper.errors import InvalidInputError
from tests.factories.identity import make_department

NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)
UUID_1 = "4c4c4544-0042-3010-8051-b4c04f4a4e32"
VM_MAC = "00:50:56:9a:01:02"
FOREMAN = {
    "source_system": "foreman",
    "source_id": "web-prod-01",
    "attributes": {
        "name": "web-prod-01",
        "device_type": "server",
        "os_name": "Debian",
        "environment": "production",
    },
    "identities": {"hostname": "web-prod-01", "mac": VM_MAC, "smbios_uuid": UUID_1},
}
PUPPET = {
    "source_system": "puppet",
    "source_id": "web-prod-01.example.com",
    "attributes": {"fqdn": "web-prod-01.example.com", "kernel": "6.1.0", "os_name": "Debian GNU/Linux"},
    "identities": {"fqdn": "web-prod-01.example.com", "mac": VM_MAC, "smbios_uuid": UUID_1},
}
VCENTER = {
    "source_system": "vcenter",
    "source_id": "vm-69696",
    "attributes": {"name": "web-prod-01", "device_type": "vm", "cpu_cores": 4},
    "identities": {"hostname": "web-prod-01", "mac": VM_MAC, "smbios_uuid": UUID_1},
}


async def see(session, told, department=None, now=NOW, **changes):
    observed = await observe(session, Observation(department_id=department, **told | changes), now)
    await session.flush()
    return observed


async def partition(session):
    """The sources of each device that is seen."""
    rows = await session.execute(
        select(DeviceSource.device_id, DeviceSource.source_system, DeviceSource.source_id)
        .join(Device, Device.id == DeviceSource.device_id)
        .where(Device.merged_into.is_(None))
    )
    devices = {}
    for device, system, key in rows:
        devices.setdefault(device, set()).add((system, key))
    return {frozenset(one) for one in devices.values()}


@pytest.mark.parametrize("order", list(permutations((FOREMAN, PUPPET, VCENTER))))
async def test_one_machine_in_three_systems_is_one_device_in_any_order(session, order):
    observed = [await see(session, told) for told in order]
    assert len({one.device_id for one in observed[1:]}) == 1
    assert [one.outcome for one in observed] == ["new", "joined", "joined"]
    assert await partition(session) == {
        frozenset((told["source_system"], told["source_id"]) for told in (FOREMAN, PUPPET, VCENTER))
    }
    device = await session.get_one(Device, observed[-1].device_id, populate_existing=True)
    # vCenter is believed before Foreman, and Foreman before Puppet.
    assert (device.name, device.device_type, device.os_name) == ("web-prod-01", "vm", "Debian")
    assert (device.fqdn, device.kernel, device.cpu_cores) == ("web-prod-01.example.com", "6.1.0", 4)


async def test_what_a_source_told_before_is_known(session):
    first = await see(session, FOREMAN)
    again = await see(
        session, FOREMAN, now=NOW + timedelta(hours=1), attributes={"os_name": None, "model": "R640"}
    )
    assert (again.device_id, again.outcome) == (first.device_id, "known")
    device = await session.get_one(Device, first.device_id, populate_existing=True)
    # A null overwrites nothing.
    assert (device.os_name, device.model) == ("Debian", "R640")
    told = await session.scalar(
        select(DeviceSource.attributes).where(DeviceSource.source_id == "web-prod-01")
    )
    assert told["environment"] == "production"


async def test_two_clones_with_one_uuid_stay_two_in_any_order(session):
    clones = [
        {
            **VCENTER,
            "source_id": f"vm-{number}",
            "identities": {"smbios_uuid": UUID_1, "mac": mac, "hostname": f"app-{number}"},
        }
        for number, mac in ((1, VM_MAC), (2, "00:50:56:9a:01:03"))
    ]
    one, two = [await see(session, told) for told in clones]
    assert one.device_id != two.device_id
    assert len(await partition(session)) == 2


async def test_a_second_clone_takes_apart_what_looked_like_one(session):
    """Of two that one source tells apart, evidence that both have says no more which one the other source means."""
    alike = {"smbios_uuid": UUID_1, "mac": VM_MAC}
    await see(session, VCENTER, source_id="vm-1", identities=alike)
    await see(session, PUPPET, source_id="p-1", identities=alike)
    assert len(await partition(session)) == 1
    await see(session, VCENTER, source_id="vm-2", identities=alike)
    assert len(await partition(session)) == 3
    reviews = (await session.scalars(select(IdentityReview).where(IdentityReview.status == "open"))).all()
    assert len(reviews) == 2


async def test_departments_never_meet(session):
    north, south = await make_department(session, "North"), await make_department(session, "South")
    one, two = await see(session, FOREMAN, north.id), await see(session, VCENTER, south.id)
    assert one.device_id != two.device_id
    assert not (await session.scalars(select(IdentityReview))).all()


async def test_a_name_alone_is_proposed_with_its_reason(session):
    one = await see(session, FOREMAN, identities={"hostname": "web-prod-01"})
    two = await see(session, PUPPET, identities={"fqdn": "web-prod-01.example.com"})
    assert one.device_id != two.device_id
    (review,) = (await session.scalars(select(IdentityReview))).all()
    assert review.explanation[0]["sentence"] == "Both have the host name web-prod-01."
    assert review.status == "open"


async def test_a_proposal_that_holds_no_longer_goes(session):
    await see(session, FOREMAN, identities={"hostname": "web-prod-01"})
    await see(session, PUPPET, identities={"fqdn": "web-prod-01.example.com"})
    await see(session, PUPPET, identities={"fqdn": "other.example.com"})
    assert not (await session.scalars(select(IdentityReview))).all()
    values = (await session.scalars(select(DeviceIdentity.value))).all()
    assert "web-prod-01.example.com" not in values


async def test_placeholders_join_nothing(session):
    nothing = {"serial": "To be filled by O.E.M.", "smbios_uuid": "00000000-0000-0000-0000-000000000000"}
    one = await see(session, FOREMAN, identities=nothing)
    two = await see(session, PUPPET, identities=nothing)
    assert one.device_id != two.device_id


async def test_a_value_that_many_have_is_not_followed(session):
    for number in range(60):
        await see(
            session,
            FOREMAN,
            source_id=f"m-{number}",
            identities={"hostname": "localhost", "serial": f"S{number}"},
        )
    await see(session, PUPPET, source_id="p", identities={"hostname": "localhost"})
    assert len(await partition(session)) == 61
    proposed = await session.scalars(
        select(IdentityReview)
        .join(DeviceSource, DeviceSource.device_id == IdentityReview.other_device_id)
        .where(DeviceSource.source_id == "p")
    )
    assert not proposed.all()


async def test_a_source_without_an_id_is_refused(session):
    with pytest.raises(InvalidInputError, match="not stored"):
        await see(session, FOREMAN, source_id="")


async def test_merges_by_evidence_are_kept_as_such(session):
    await see(session, FOREMAN, identities={"hostname": "web-prod-01"})
    await see(session, VCENTER, identities={"smbios_uuid": UUID_1, "mac": VM_MAC})
    # What Puppet says connects both.
    await see(session, FOREMAN, identities={"hostname": "web-prod-01", "smbios_uuid": UUID_1, "mac": VM_MAC})
    assert len(await partition(session)) == 1
    (made,) = (await session.scalars(select(DeviceMerge))).all()
    assert made.is_automatic


async def test_two_at_once_become_one(app):
    from tests.fixtures.client import TEST_CONTEXT

    async def one(told):
        async with app.state.database.session(TEST_CONTEXT) as session:
            return await observe(session, Observation(**told), NOW)

    found = await asyncio.gather(one(FOREMAN), one(VCENTER), one(PUPPET))
    async with app.state.database.session(TEST_CONTEXT) as session:
        (sources,) = await partition(session)
    assert len(sources) == 3
    # The device stays whose transaction began first, which need not be the one that had the first turn.
    assert "new" in {item.outcome for item in found}
