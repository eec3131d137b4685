"""The doors of parts: people add, change and remove them on devices that they may change."""

from datetime import UTC, datetime
from uuid import UUID

import pytest

from fleetkeeper.devices.components.recording import record_components
from fleetkeeper.devices.components.seen import PartsSeen
from tests.factories.devices import enter, neighbors
from tests.fixtures.client import TEST_CONTEXT

PARTS = {
    "network-interfaces": {"interface_name": "eth0", "mac_address": "5254.0012.3456", "speed_mbps": 1000},
    "storage-volumes": {"name": "lun-7", "volume_type": "lun", "capacity_bytes": 10_995_116_277_760},
    "hardware-components": {"kind": "disk", "slot": "0:1", "serial_number": "S-1"},
    "vms": {"instance_uuid": "u-1", "cpu_count": 4, "power_state": "POWERED_ON"},
}
REASON = {"X-Change-Reason": "Removed"}


@pytest.mark.parametrize("kind", PARTS)
async def test_a_part_is_added_changed_and_removed(admin, kind):
    device = await enter(admin, "a")
    made = await admin.post(f"/api/v1/{kind}", json=PARTS[kind] | {"device_id": device})
    assert made.status_code == 201, made.text
    path = f"/api/v1/{kind}/{made.json()['id']}"
    (listed,) = (await admin.get(f"/api/v1/{kind}?device_id={device}")).json()["results"]
    assert listed == made.json()
    assert listed["source_system"] == "manual"
    again = await admin.put(
        path, json=PARTS[kind] | {"device_id": device}, headers={"If-Match": made.headers["etag"]}
    )
    assert again.json()["version"] == 1
    assert (await admin.delete(path, headers=REASON)).status_code == 204
    assert (await admin.get(path)).status_code == 404


async def test_an_address_belongs_to_an_interface_of_its_device(admin):
    device, other = await enter(admin, "a"), await enter(admin, "b")
    interface = (
        await admin.post("/api/v1/network-interfaces", json={"device_id": device, "interface_name": "eth0"})
    ).json()
    assert interface["mac_address"] is None
    body = {
        "device_id": device,
        "interface_id": interface["id"],
        "address": "10.0.0.5/24",
        "is_primary": True,
    }
    made = await admin.post("/api/v1/ip-addresses", json=body)
    assert (made.status_code, made.json()["address"]) == (201, "10.0.0.5/24")
    shown = (await admin.get(f"/api/v1/network-interfaces/{interface['id']}")).json()
    assert shown["ip_addresses"] == ["10.0.0.5/24"]
    elsewhere = await admin.post(
        "/api/v1/ip-addresses", json=body | {"device_id": other, "address": "10.0.0.6/24"}
    )
    assert (elsewhere.status_code, elsewhere.json()["errors"][0]["field"]) == (422, "interface_id")
    second = await admin.post("/api/v1/ip-addresses", json=body | {"address": "10.0.0.7/24"})
    assert (second.status_code, second.json()["errors"][0]["field"]) == (409, "is_primary")
    moved = await admin.put(
        f"/api/v1/network-interfaces/{interface['id']}", json={"device_id": other, "interface_name": "eth0"}
    )
    assert moved.status_code == 200
    assert (await admin.get(f"/api/v1/ip-addresses?device_id={other}")).json()["count"] == 1


@pytest.mark.parametrize(
    ("kind", "wrong"),
    [
        ("network-interfaces", {"mac_address": "zz"}),
        ("network-interfaces", {"vlan_id": 4095}),
        ("network-interfaces", {"device_id": "0198f6a0-0000-7000-8000-000000000001"}),
        ("storage-volumes", {"capacity_bytes": -1}),
        ("storage-volumes", {"capacity_bytes": 2**63}),
        ("hardware-components", {"kind": "engine"}),
        ("vms", {"power_state": "on"}),
    ],
)
async def test_what_is_wrong_is_named(admin, kind, wrong):
    device = await enter(admin, "a")
    answer = await admin.post(f"/api/v1/{kind}", json=PARTS[kind] | {"device_id": device} | wrong)
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, next(iter(wrong)))


async def test_a_second_of_one_name_is_refused(admin):
    device = await enter(admin, "a")
    body = {"device_id": device, "interface_name": "eth0"}
    await admin.post("/api/v1/network-interfaces", json=body)
    answer = await admin.post("/api/v1/network-interfaces", json=body)
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (409, "interface_name")


@pytest.mark.parametrize("kind", PARTS)
async def test_parts_of_others_are_out_of_reach(app, kind):
    async with neighbors(app) as people:
        theirs = await enter(people.north, "n", department_id=people.north_id)
        own = await enter(people.south, "s", department_id=people.south_id)
        made = (await people.north.post(f"/api/v1/{kind}", json=PARTS[kind] | {"device_id": theirs})).json()
        path = f"/api/v1/{kind}/{made['id']}"
        assert (await people.south.get(f"/api/v1/{kind}")).json()["count"] == 0
        for answer in (
            await people.south.get(path),
            await people.south.put(path, json=PARTS[kind] | {"device_id": own}),
            await people.south.delete(path, headers=REASON),
        ):
            assert answer.status_code == 404
        planted = await people.south.post(f"/api/v1/{kind}", json=PARTS[kind] | {"device_id": theirs})
        assert (planted.status_code, planted.json()["errors"][0]["field"]) == (422, "device_id")
        pushed = await people.north.put(path, json=PARTS[kind] | {"device_id": own})
        assert pushed.status_code == 422
        assert (await people.north.get(path)).json() == made


async def test_facts_are_listed_with_their_past(app, admin):
    device = await enter(admin, "a")
    for hour, kernel in ((1, "6.1"), (2, "6.5")):
        async with app.state.database.session(TEST_CONTEXT) as session:
            seen = PartsSeen(facts={"kernel.release": kernel})
            await record_components(
                session, UUID(device), "agent", seen, datetime(2026, 11, 28, hour, tzinfo=UTC)
            )
    found = (await admin.get(f"/api/v1/server-facts?device_id={device}&ordering=-collected_at")).json()
    assert [one["fact_value"] for one in found["results"]] == ["6.5", "6.1"]
    current = (await admin.get("/api/v1/server-facts?replaced_at__isnull=true&q=6.5")).json()
    assert current["count"] == 1
