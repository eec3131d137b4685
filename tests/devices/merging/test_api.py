"""Merging devices, undoing it, and what people see of it."""

import pytest
from sqlalchemy import text

from tests.factories.devices import enter, neighbors, relate
from tests.fixtures.client import TEST_CONTEXT

REASON = {"X-Change-Reason": "One machine"}


async def merge(client, kept, other, **more):
    answer = await client.post(
        f"/api/v1/devices/{kept}/merges", json={"other_device_id": other, **more}, headers=REASON
    )
    assert answer.status_code == 201, answer.text
    return answer.json()


async def undo(client, made):
    answer = await client.post(
        f"/api/v1/devices/{made['device_id']}/merges/{made['id']}/undo", headers=REASON
    )
    assert answer.status_code == 200, answer.text
    return answer.json()


async def add_interface(client, device, name):
    wanted = {"device_id": device, "interface_name": name}
    assert (await client.post("/api/v1/network-interfaces", json=wanted)).status_code == 201


async def names(client, device):
    found = (await client.get(f"/api/v1/network-interfaces?device_id={device}")).json()["results"]
    return sorted(one["interface_name"] for one in found)


@pytest.fixture
async def two(admin):
    """Two devices that are one, each with things of its own."""
    one = await enter(admin, "web-01", serial_number="A1", owner="Web team")
    other = await enter(admin, "web-01-old", manufacturer="Dell", description="In the corner")
    for device, interface in ((one, "eth0"), (other, "eth0"), (other, "eth1")):
        await add_interface(admin, device, interface)
    note = {"object": f"devices:{other}", "body": "Has a loose screw"}
    assert (await admin.post("/api/v1/notes", json=note)).status_code == 201
    return one, other


async def test_what_is_of_both_is_of_one_and_comes_back(admin, two):
    one, other = two
    host = await enter(admin, "esxi-1")
    await relate(admin, host, "hosts", other)
    before = [(await admin.get(f"/api/v1/devices/{device}")).json() for device in two]
    made = await merge(admin, one, other)
    assert (made["device_id"], made["merged_device_id"], made["is_automatic"]) == (one, other, False)
    merged = (await admin.get(f"/api/v1/devices/{one}")).json()
    assert (merged["owner"], merged["manufacturer"], merged["description"]) == (
        "Web team",
        "Dell",
        "In the corner",
    )
    assert await names(admin, one) == ["eth0", "eth1"]
    (relation,) = (await admin.get(f"/api/v1/device-relationships?device_id={one}")).json()["results"]
    assert relation["child_device_id"] == one
    assert (await admin.get("/api/v1/devices?name=web-01-old")).json()["count"] == 0
    gone = await admin.get(f"/api/v1/devices/{other}")
    assert gone.status_code == 404
    assert "merged into web-01" in gone.json()["detail"]
    notes = (await admin.get(f"/api/v1/notes?object=devices:{one}")).json()["results"]
    assert [note["body"] for note in notes] == ["Has a loose screw"]

    assert (await undo(admin, made))["undone_by"]
    after = [(await admin.get(f"/api/v1/devices/{device}")).json() for device in two]
    skipped = {"updated_at", "version", "first_seen"}
    for was, now in zip(before, after, strict=True):
        assert {k: v for k, v in now.items() if k not in skipped} == {
            k: v for k, v in was.items() if k not in skipped
        }
    assert (await names(admin, one), await names(admin, other)) == (["eth0"], ["eth0", "eth1"])
    (relation,) = (await admin.get(f"/api/v1/device-relationships?device_id={other}")).json()["results"]
    assert relation["child_device_id"] == other
    again = await admin.post(f"/api/v1/devices/{one}/merges/{made['id']}/undo", headers=REASON)
    assert again.status_code == 409


async def test_what_was_changed_since_stays_when_it_is_undone(admin, two):
    one, other = two
    made = await merge(admin, one, other)
    await admin.patch(f"/api/v1/devices/{one}", json={"description": "In the middle"})
    await undo(admin, made)
    kept = (await admin.get(f"/api/v1/devices/{one}")).json()
    assert (kept["description"], kept["manufacturer"]) == ("In the middle", None)


async def test_the_preview_says_what_will_be_and_changes_nothing(admin, two):
    one, other = two
    wanted = {"other_device_id": other, "take_from_other": ["name"]}
    answer = await admin.post(f"/api/v1/devices/{one}/merges/preview", json=wanted)
    preview = answer.json()
    told = {item["attribute"]: (item["result"], item["why"]) for item in preview["attributes"]}
    assert told["name"] == ("web-01-old", "You chose it.")
    assert told["description"] == ("In the corner", "Only the other device has it.")
    moves = {item["noun"]: item["number"] for item in preview["moves"]}
    assert (moves["network interfaces"], moves["notes"]) == (1, 1)
    assert (await admin.get("/api/v1/devices?name=web-01-old")).json()["count"] == 1
    made = await merge(admin, one, other, take_from_other=["name"])
    merged = (await admin.get(f"/api/v1/devices/{one}")).json()
    assert merged["name"] == "web-01-old"
    await undo(admin, made)
    assert (await admin.get(f"/api/v1/devices/{one}")).json()["name"] == "web-01"


@pytest.mark.parametrize(
    ("wrong", "status", "field"),
    [
        ({"other_device_id": "0198f6a0-0000-7000-8000-000000000001"}, 422, "other_device_id"),
        ({"take_from_other": ["color"]}, 422, "take_from_other"),
        ({"more": 1}, 422, "more"),
    ],
)
async def test_what_is_wrong_is_named(admin, two, wrong, status, field):
    one, other = two
    for path in ("merges", "merges/preview"):
        answer = await admin.post(
            f"/api/v1/devices/{one}/{path}", json={"other_device_id": other} | wrong, headers=REASON
        )
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (status, field)


async def test_a_device_is_not_merged_with_itself_or_twice(admin, two):
    one, other = two
    itself = await admin.post(f"/api/v1/devices/{one}/merges", json={"other_device_id": one}, headers=REASON)
    assert itself.status_code == 422
    await merge(admin, one, other)
    for path in (f"/api/v1/devices/{one}/merges", f"/api/v1/devices/{other}/merges"):
        body = {"other_device_id": other if path.endswith(f"{one}/merges") else one}
        assert (await admin.post(path, json=body, headers=REASON)).status_code in {404, 422}


async def test_merges_of_merges_come_apart_one_by_one(admin):
    a, b, c = [await enter(admin, name) for name in ("a", "b", "c")]
    first = await merge(admin, b, a)
    second = await merge(admin, c, b)
    assert (await admin.get("/api/v1/devices?name__in=a,b,c")).json()["count"] == 1
    await undo(admin, second)
    assert {one["name"] for one in (await admin.get("/api/v1/devices")).json()["results"]} >= {"b", "c"}
    await undo(admin, first)
    assert (await admin.get("/api/v1/devices?name__in=a,b,c")).json()["count"] == 3


async def test_departments_are_never_merged_and_never_shown(app, admin):
    async with neighbors(app) as people:
        mine = await enter(people.north, "n-1", department_id=people.north_id)
        theirs = await enter(people.south, "s-1", department_id=people.south_id)
        body = {"other_device_id": theirs}
        for path in ("merges", "merges/preview"):
            answer = await people.north.post(f"/api/v1/devices/{mine}/{path}", json=body, headers=REASON)
            assert answer.status_code == 422
            assert answer.json()["errors"][0]["message"] == "No such device"
        # Not even by who may do both.
        assert (
            await admin.post(f"/api/v1/devices/{mine}/merges", json=body, headers=REASON)
        ).status_code == 409
        assert (await people.south.get(f"/api/v1/devices/{mine}/merges")).status_code == 404
        second = await enter(people.north, "n-2", department_id=people.north_id)
        made = await merge(people.north, mine, second)
        assert (
            await people.south.post(f"/api/v1/devices/{mine}/merges/{made['id']}/undo", headers=REASON)
        ).status_code == 404
        assert (await undo(people.north, made))["undone_at"]


async def test_a_merge_needs_a_reason(admin, two):
    one, other = two
    answer = await admin.post(f"/api/v1/devices/{one}/merges", json={"other_device_id": other})
    assert answer.status_code == 422


async def test_the_device_whose_agent_works_stays(admin, app, two):
    """Its key is its own, so it goes on under it."""
    one, other = two
    async with app.state.database.session(TEST_CONTEXT) as session:
        await session.execute(
            text(
                "INSERT INTO device_keys (id, device_id, secret_hash, created_at) "
                "VALUES (gen_random_uuid(), :device, 'x', now())"
            ),
            {"device": other},
        )
    made = await merge(admin, one, other)
    assert (made["device_id"], made["merged_device_id"]) == (other, one)
    assert (await admin.get(f"/api/v1/devices/{other}")).json()["name"] == "web-01-old"


async def test_two_whose_agents_report_are_two(admin, app, two):
    one, other = two
    async with app.state.database.session(TEST_CONTEXT) as session:
        for device in two:
            await session.execute(
                text(
                    "INSERT INTO device_keys (id, device_id, secret_hash, created_at) "
                    "VALUES (gen_random_uuid(), :device, CAST(:hash AS bytea), now())"
                ),
                {"device": device, "hash": device.encode()},
            )
        await session.execute(text("UPDATE devices SET status = 'online'"))
    answer = await admin.post(
        f"/api/v1/devices/{one}/merges", json={"other_device_id": other}, headers=REASON
    )
    assert answer.status_code == 409
    assert "report now" in answer.json()["detail"]


async def test_a_merged_device_moves_with_the_one_that_stayed(app, admin):
    async with neighbors(app) as people:
        one, other = [await enter(admin, name, department_id=people.north_id) for name in ("a", "b")]
        made = await merge(admin, one, other)
        moved = await admin.patch(f"/api/v1/devices/{one}", json={"department_id": people.south_id})
        assert moved.status_code == 200
        await undo(admin, made)
        assert (await people.south.get(f"/api/v1/devices/{other}")).status_code == 200


async def test_alerts_and_silences_of_both_are_of_one(app, admin, two):
    """What rooms above declared goes along, and comes back."""
    one, other = two
    silence = {"name": "Work on it", "device_id": other, "ends_at": "2099-01-01T00:00:00Z"}
    made = await admin.post("/api/v1/alert-silences", json=silence)
    assert made.status_code == 201, made.text
    async with app.state.database.session(TEST_CONTEXT) as session:
        await session.execute(
            text(
                "INSERT INTO alert_logs (system_id, triggered_at, resolved_at, name, severity, fingerprint, status) "
                "VALUES (:device, now(), now(), 'Disk full', 'high', 'x', 'resolved')"
            ),
            {"device": other},
        )

    async def owners():
        silenced = (await admin.get(f"/api/v1/alert-silences/{made.json()['id']}")).json()["device_id"]
        past = {
            device: (await admin.get(f"/api/v1/alerts?system_id={device}&status=resolved")).json()["count"]
            for device in two
        }
        return silenced, past

    merged = await merge(admin, one, other)
    assert await owners() == (one, {one: 1, other: 0})
    await undo(admin, merged)
    assert await owners() == (other, {one: 0, other: 1})


async def test_two_that_would_close_a_circle_are_not_merged(admin):
    one, middle, last = [await enter(admin, name) for name in ("one", "middle", "last")]
    for parent, child in ((one, middle), (middle, last)):
        assert (await relate(admin, parent, "manages", child)).status_code == 201
    body = {"other_device_id": last}
    for path in ("merges/preview", "merges"):
        answer = await admin.post(f"/api/v1/devices/{one}/{path}", json=body, headers=REASON)
        assert answer.status_code == 409, answer.text
        assert "manages" in answer.json()["errors"][0]["message"]
    # What is between the two themselves goes away with the merge.
    assert (await merge(admin, one, middle))["undone_at"] is None
