"""Who says what of a device, pins, splits, reviews, and rules of which source counts."""

from datetime import UTC, datetime

import pytest

from fleetkeeper.devices.sources.observing import Observation, observe
from tests.devices.sources.test_observing import FOREMAN, PUPPET, VCENTER
from tests.factories.devices import enter, neighbors, relate
from tests.fixtures.client import TEST_CONTEXT

REASON = {"X-Change-Reason": "I looked at it"}
NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)


async def see(app, *all_told, department=None):
    """Let sources tell, each by itself; returns the device of each."""
    found = []
    for told in all_told:
        async with app.state.database.session(TEST_CONTEXT) as session:
            told_now = Observation(department_id=department, **told)
            found.append(await observe(session, told_now, datetime.now(UTC)))
    return [str(one.device_id) for one in found]


async def attributes(client, device):
    told = (await client.get(f"/api/v1/devices/{device}/sources")).json()
    return {one["attribute"]: one for one in told["attributes"]}


async def test_who_says_what_and_what_counts(app, admin):
    *_, device = await see(app, FOREMAN, PUPPET, VCENTER)
    told = (await admin.get(f"/api/v1/devices/{device}/sources")).json()
    assert [one["source_system"] for one in told["sources"]] == ["foreman", "puppet", "vcenter"]
    os_name = (await attributes(admin, device))["os_name"]
    assert (os_name["value"], os_name["is_disputed"]) == ("Debian", True)
    assert [(one["source_system"], one["value"], one["counts"]) for one in os_name["said"]] == [
        ("foreman", "Debian", True),
        ("puppet", "Debian GNU/Linux", False),
    ]
    assert "foreman has the lowest rank, 30" in os_name["why"]


async def test_sources_that_disagree_do_not_take_turns(app, admin):
    *_, device = await see(app, FOREMAN, PUPPET)
    for _ in range(3):
        await see(app, PUPPET, FOREMAN, PUPPET)
        assert (await admin.get(f"/api/v1/devices/{device}")).json()["os_name"] == "Debian"


async def test_a_pinned_value_counts_until_it_is_let_go(app, admin):
    *_, device = await see(app, FOREMAN, PUPPET)
    path = f"/api/v1/devices/{device}/pins/os_name"
    assert (await admin.put(path, json={"value": "Devuan"}, headers=REASON)).status_code == 204
    await see(app, FOREMAN, PUPPET)
    told = (await attributes(admin, device))["os_name"]
    assert (told["value"], told["is_pinned"], told["why"]) == (
        "Devuan",
        True,
        "Pinned by a person. I looked at it",
    )
    assert (await admin.delete(path, headers=REASON)).status_code == 204
    assert (await admin.get(f"/api/v1/devices/{device}")).json()["os_name"] == "Debian"
    assert (await admin.delete(path, headers=REASON)).status_code == 404


@pytest.mark.parametrize(
    ("attribute", "value", "status"),
    [
        ("status", "x", 404),
        ("cpu_cores", "many", 422),
        ("os_name", " ", 422),
        ("device_type", "toaster", 422),
    ],
)
async def test_what_cannot_be_pinned_is_refused(app, admin, attribute, value, status):
    (device,) = await see(app, FOREMAN)
    answer = await admin.put(
        f"/api/v1/devices/{device}/pins/{attribute}", json={"value": value}, headers=REASON
    )
    assert answer.status_code == status


async def test_what_a_person_enters_against_a_source_stays(app, admin):
    (device,) = await see(app, VCENTER)
    assert (await admin.patch(f"/api/v1/devices/{device}", json={"device_type": "server"})).status_code == 200
    body = {"ids": [device], "changes": {"location": "Berlin"}}
    assert (await admin.post("/api/v1/devices/bulk", json=body)).status_code in {200, 404, 405}
    await see(app, VCENTER)
    assert (await admin.get(f"/api/v1/devices/{device}")).json()["device_type"] == "server"
    assert (await attributes(admin, device))["device_type"]["is_pinned"]


async def test_a_source_is_split_off_and_stays_apart(app, admin):
    *_, device = await see(app, FOREMAN, PUPPET, VCENTER)
    told = (await admin.get(f"/api/v1/devices/{device}/sources")).json()
    puppet = next(one["id"] for one in told["sources"] if one["source_system"] == "puppet")
    answer = await admin.post(f"/api/v1/devices/{device}/sources/{puppet}/split", headers=REASON)
    assert answer.status_code == 201, answer.text
    made = answer.json()["device_id"]
    one = (await admin.get(f"/api/v1/devices/{made}")).json()
    assert (one["fqdn"], one["kernel"]) == ("web-prod-01.example.com", "6.1.0")
    again = await see(app, PUPPET, VCENTER, FOREMAN)
    assert again == [made, device, device]
    (review,) = (await admin.get("/api/v1/identity-reviews?status=different")).json()["results"]
    assert {review["device_id"], review["other_device_id"]} == {made, device}
    alone = (await admin.get(f"/api/v1/devices/{made}/sources")).json()["sources"][0]["id"]
    only = await admin.post(f"/api/v1/devices/{made}/sources/{alone}/split", headers=REASON)
    assert only.status_code == 409


async def test_a_proposal_is_decided_and_merged_by_a_person(app, admin):
    one, two = await see(
        app,
        {**FOREMAN, "identities": {"hostname": "web-prod-01"}},
        {**PUPPET, "identities": {"fqdn": "web-prod-01.example.com"}},
    )
    (review,) = (await admin.get("/api/v1/identity-reviews")).json()["results"]
    assert (review["status"], review["score"]) == ("open", 10)
    assert {review["device_id"], review["other_device_id"]} == {one, two}
    path = f"/api/v1/identity-reviews/{review['id']}"
    decided = await admin.put(path, json={"status": "different"}, headers=REASON)
    assert (decided.json()["status"], decided.json()["reason"]) == ("different", "I looked at it")
    assert (await admin.put(path, json={"status": "open"}, headers=REASON)).json()["decided_by"] == ""
    body = {"other_device_id": two}
    assert (await admin.post(f"/api/v1/devices/{one}/merges", json=body, headers=REASON)).status_code == 201
    assert (await admin.get(path)).json()["status"] == "merged"
    assert (await admin.put(path, json={"status": "open"}, headers=REASON)).status_code == 409
    # The sources stay with the device that a person gave them to.
    assert await see(app, FOREMAN, PUPPET) == [one, one]


async def test_the_entered_device_is_proposed_for_the_machine_with_its_serial(app, admin):
    entered = await enter(admin, "spare-7", serial_number="J0B5NJ2")
    (seen,) = await see(app, {**FOREMAN, "identities": {"serial": "J0B5NJ2", "hostname": "spare-7"}})
    (review,) = (await admin.get("/api/v1/identity-reviews")).json()["results"]
    assert {review["device_id"], review["other_device_id"]} == {entered, seen}


async def test_another_department_s_pairs_are_not_seen(app, admin):
    async with neighbors(app) as people:
        body = {"serial_number": "J0B5NJ2", "department_id": people.north_id}
        one, two = [await enter(people.north, name, **body) for name in ("a", "b")]
        assert one != two
        (review,) = (await people.north.get("/api/v1/identity-reviews")).json()["results"]
        assert (await people.south.get("/api/v1/identity-reviews")).json()["count"] == 0
        path = f"/api/v1/identity-reviews/{review['id']}"
        assert (await people.south.get(path)).status_code == 404
        decision = await people.south.put(path, json={"status": "different"}, headers=REASON)
        assert decision.status_code == 404
        for door in ("sources", "merges"):
            assert (await people.south.get(f"/api/v1/devices/{one}/{door}")).status_code == 404
        pinned = await people.south.put(
            f"/api/v1/devices/{one}/pins/model", json={"value": "x"}, headers=REASON
        )
        assert pinned.status_code == 404


async def test_rules_are_changed_by_who_may_change_all_devices(app, admin):
    async with neighbors(app) as people:
        rules = (await people.north.get("/api/v1/attribute-rules")).json()["results"]
        assert [one["source_system"] for one in rules] == ["agent", "vcenter", "foreman", "puppet", "manual"]
        wanted = {"attribute": "os_name", "source_system": "puppet", "rank": 1}
        assert (await people.north.post("/api/v1/attribute-rules", json=wanted)).status_code == 403
    *_, device = await see(app, FOREMAN, PUPPET)
    assert (await admin.post("/api/v1/attribute-rules", json=wanted)).status_code == 201
    assert (await admin.post("/api/v1/attribute-rules", json=wanted)).status_code == 409
    await see(app, FOREMAN)
    assert (await admin.get(f"/api/v1/devices/{device}")).json()["os_name"] == "Debian GNU/Linux"
    wrong = await admin.post("/api/v1/attribute-rules", json={**wanted, "attribute": "color"})
    assert wrong.json()["errors"][0]["field"] == "attribute"


async def test_a_machine_in_three_systems_with_its_relationships(app, admin):
    """Document 003's example of correlation: one device, three sources, on the host that vCenter names."""
    *_, host = await see(
        app,
        {
            "source_system": "vcenter",
            "source_id": "host-12",
            "attributes": {"name": "esxi-prod-01", "device_type": "server"},
            "identities": {"hostname": "esxi-prod-01"},
        },
    )
    names = {"hostname", "fqdn"}
    by_name = [
        told | {"identities": {kind: told["identities"][kind] for kind in names & told["identities"].keys()}}
        for told in (FOREMAN, PUPPET, VCENTER)
    ]
    one, two, three = await see(app, *by_name)
    assert (await relate(admin, host, "hosts", three)).status_code == 201
    # By its name alone a person says so.
    reviews = (await admin.get("/api/v1/identity-reviews?status=open")).json()
    assert reviews["count"] == 3
    for other in (two, three):
        body = {"other_device_id": other}
        assert (
            await admin.post(f"/api/v1/devices/{one}/merges", json=body, headers=REASON)
        ).status_code == 201
    told = (await admin.get(f"/api/v1/devices/{one}/sources")).json()
    assert sorted(source["source_system"] for source in told["sources"]) == ["foreman", "puppet", "vcenter"]
    (relation,) = (await admin.get(f"/api/v1/device-relationships?device_id={one}")).json()["results"]
    assert (relation["parent_device_id"], relation["child_device_id"]) == (host, one)
    assert (await admin.get("/api/v1/devices?name=web-prod-01")).json()["count"] == 1
    assert (await admin.get("/api/v1/identity-reviews?status=open")).json()["count"] == 0
    # From then on they are known as it.
    assert await see(app, *by_name) == [one, one, one]
