"""What was: as of a time, between two times, and the feed of changes."""

import time
from datetime import UTC, datetime

import pytest

from tests.factories.devices import enter, neighbors, relate

REASON = {"X-Change-Reason": "Sold"}


def now() -> float:
    """The time, after which what comes is later."""
    moment = time.time()
    while time.time() <= moment:
        pass
    return moment


async def test_a_device_as_it_was(admin):
    before = now()
    device = await enter(admin, "old-name", owner="Web team")
    then = now()
    await admin.patch(f"/api/v1/devices/{device}", json={"name": "new-name", "owner": None})
    past = (await admin.get(f"/api/v1/devices/{device}?as_of={then}")).json()
    assert (past["name"], past["owner"], past["id"]) == ("old-name", "Web team", device)
    assert (await admin.get(f"/api/v1/devices/{device}")).json()["name"] == "new-name"
    assert (await admin.get(f"/api/v1/devices/{device}?as_of={before}")).status_code == 404
    listed = (await admin.get(f"/api/v1/devices?as_of={then}")).json()
    assert [one["name"] for one in listed["results"]] == ["old-name"]


async def test_a_list_as_it_was_has_pages_filters_and_what_is_deleted(admin):
    ids = [
        await enter(admin, f"d-{number}", device_type="storage" if number % 2 else "server")
        for number in range(5)
    ]
    then = now()
    assert (await admin.delete(f"/api/v1/devices/{ids[2]}", headers=REASON)).status_code == 204
    names, path = [], f"/api/v1/devices?as_of={then}&limit=2"
    while path:
        page = (await admin.get(path)).json()
        names += [one["name"] for one in page["results"]]
        path = page["next"]
    assert names == ["d-0", "d-1", "d-2", "d-3", "d-4"]
    storages = (await admin.get(f"/api/v1/devices?as_of={then}&device_type=storage&q=D-")).json()
    assert (storages["count"], [one["name"] for one in storages["results"]]) == (2, ["d-1", "d-3"])
    assert (await admin.get("/api/v1/devices?as_of=2001-01-01T00:00:00Z")).json()["count"] == 0


async def test_parts_and_relationships_as_they_were(admin):
    device, other = await enter(admin, "a"), await enter(admin, "b")
    body = {"device_id": device, "interface_name": "eth0", "mac_address": "52:54:00:12:34:56"}
    part = (await admin.post("/api/v1/network-interfaces", json=body)).json()
    relation = (await relate(admin, device, "powers", other, metadata={"outlet": 3})).json()
    then = now()
    await admin.delete(f"/api/v1/network-interfaces/{part['id']}", headers=REASON)
    await admin.delete(f"/api/v1/device-relationships/{relation['id']}", headers=REASON)
    asked = f"device_id={device}&as_of={then}"
    (past,) = (await admin.get(f"/api/v1/network-interfaces?{asked}")).json()["results"]
    assert (past["id"], past["mac_address"]) == (part["id"], "52:54:00:12:34:56")
    for end in (device, other):
        path = f"/api/v1/device-relationships?device_id={end}&as_of={then}"
        (related,) = (await admin.get(path)).json()["results"]
        assert (related["relationship_type"], related["metadata"]) == ("powers", {"outlet": 3})
    everything = await admin.get(f"/api/v1/network-interfaces?as_of={then}")
    assert (everything.status_code, everything.json()["errors"][0]["field"]) == (422, "device_id")


async def test_what_changed_since(admin):
    device, other = await enter(admin, "a"), await enter(admin, "b")
    part = (await admin.post("/api/v1/vms", json={"device_id": other, "cpu_count": 2})).json()
    then = now()
    assert (await admin.get(f"/api/v1/devices?changed_since={then}")).json()["count"] == 0
    await admin.patch(f"/api/v1/devices/{device}", json={"location": "Hall 3"})
    changed = (await admin.get(f"/api/v1/devices?changed_since={then}")).json()["results"]
    assert [one["name"] for one in changed] == ["a"]
    await admin.put(f"/api/v1/vms/{part['id']}", json={"device_id": other, "cpu_count": 4})
    assert (await admin.get(f"/api/v1/vms?changed_since={then}")).json()["count"] == 1


async def test_a_diff_of_a_device_and_of_the_fleet(admin):
    device, other = await enter(admin, "a"), await enter(admin, "gone")
    start = now()
    await admin.patch(f"/api/v1/devices/{device}", json={"owner": "Web team"})
    await admin.post("/api/v1/network-interfaces", json={"device_id": device, "interface_name": "eth0"})
    await admin.delete(f"/api/v1/devices/{other}", headers=REASON)
    between = f"from={start}&to={now()}"
    own = (await admin.get(f"/api/v1/devices/{device}/differences?{between}")).json()["results"]
    assert [(one["object_type"], one["operation"], one["name"]) for one in own] == [
        ("devices", "changed", "a"),
        ("network_interfaces", "added", "eth0"),
    ]
    assert own[0]["fields"] == [{"field": "owner", "before": None, "after": "Web team"}]
    fleet = (await admin.get(f"/api/v1/device-differences?{between}")).json()
    assert ("gone", "removed") in {(one["name"], one["operation"]) for one in fleet["results"]}
    backwards = await admin.get(f"/api/v1/device-differences?from={start}&to={start - 1}")
    assert (backwards.status_code, backwards.json()["errors"][0]["field"]) == (422, "to")


async def test_the_feed_has_each_change_once_with_before_and_after(admin):
    start = (await admin.get("/api/v1/device-changes?limit=1000")).json()["next"]
    device = await enter(admin, "a")
    await admin.patch(f"/api/v1/devices/{device}", json={"owner": "Web team"})
    seen, cursor = [], start
    for _ in range(4):
        page = (await admin.get(f"/api/v1/device-changes?limit=1&after={cursor}")).json()
        cursor = page["next"]
        seen += page["results"]
    assert [(one["operation"], one["changed"]) for one in seen] == [("insert", []), ("update", ["owner"])]
    assert "owner" not in seen[1]["before"] or seen[1]["before"]["owner"] is None
    assert (seen[1]["after"]["owner"], seen[1]["actor_name"]) == ("Web team", "admin")


async def test_the_feed_waits_for_transactions_that_still_run(admin, connection):
    start = (await admin.get("/api/v1/device-changes?limit=1000")).json()["next"]
    with connection.transaction():
        connection.execute("SELECT pg_current_xact_id()")
        await enter(admin, "later")
        held_back = (await admin.get(f"/api/v1/device-changes?after={start}")).json()
        assert held_back == {"results": [], "next": start}
    assert len((await admin.get(f"/api/v1/device-changes?after={start}")).json()["results"]) == 1


@pytest.mark.parametrize(
    ("path", "field"),
    [
        ("devices?as_of=yesterday", "as_of"),
        ("devices?as_of=1&cpu_cores=4", "cpu_cores"),
        ("devices?as_of=1&cursor=x", "cursor"),
        ("devices?as_of=1&limit=0", "limit"),
        ("devices?changed_since=soon", "changed_since"),
        ("vms?as_of=x&device_id=0198f6a0-0000-7000-8000-000000000001", "as_of"),
        ("device-changes?after=x", "cursor"),
        ("device-changes?after=WyJhIiwiYiJd", "after"),
        ("device-differences?from=x&to=2", "query.from"),
    ],
)
async def test_what_is_wrong_is_named(shared, path, field):
    answer = await shared.admin.get(f"/api/v1/{path}")
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, field)


async def test_the_past_of_others_is_out_of_reach(app):
    async with neighbors(app) as people:
        theirs = await enter(people.north, "n", department_id=people.north_id)
        start = datetime(2026, 1, 1, tzinfo=UTC).timestamp()
        then = now()
        assert (await people.south.get(f"/api/v1/devices/{theirs}?as_of={then}")).status_code == 404
        assert (await people.south.get(f"/api/v1/devices?as_of={then}")).json()["results"] == []
        assert (await people.south.get(f"/api/v1/vms?as_of={then}&device_id={theirs}")).status_code == 404
        assert (await people.south.get("/api/v1/device-changes")).json()["results"] == []
        between = f"from={start}&to={then}"
        assert (await people.south.get(f"/api/v1/device-differences?{between}")).json()["results"] == []
        assert (await people.south.get(f"/api/v1/devices/{theirs}/differences?{between}")).status_code == 404
        assert len((await people.north.get("/api/v1/device-changes")).json()["results"]) == 1


async def test_relationships_with_devices_of_others_stay_hidden(app, admin):
    async with neighbors(app) as people:
        mine = await enter(people.north, "n-1", department_id=people.north_id)
        own = await enter(people.north, "n-2", department_id=people.north_id)
        theirs = await enter(people.south, "s-1", department_id=people.south_id)
        before = now()
        assert (await relate(admin, mine, "manages", own)).status_code == 201
        relation = (await relate(admin, mine, "manages", theirs)).json()
        then = now()
        await admin.delete(f"/api/v1/device-relationships/{relation['id']}", headers=REASON)
        after = now()
        paths = (
            "/api/v1/device-changes?object_type=device_relationships",
            f"/api/v1/device-changes?device_id={mine}",
            f"/api/v1/device-differences?from={before}&to={then}",
            f"/api/v1/device-differences?from={then}&to={after}",
            f"/api/v1/devices/{mine}/differences?from={before}&to={then}",
            f"/api/v1/device-relationships?device_id={mine}&as_of={then}",
            f"/devices/{mine}?tab=past",
        )
        for path in paths:
            answer = await people.north.get(path)
            assert answer.status_code == 200, path
            assert theirs not in answer.text, path
            assert relation["id"] not in answer.text, path
        for path in (*paths[:3], paths[5]):
            assert own in (await people.north.get(path)).text
            assert theirs in (await admin.get(path)).text
