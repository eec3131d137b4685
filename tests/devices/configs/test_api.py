"""Configurations: a version for each change, compared, searched, and out of others' reach."""

from uuid import UUID

from fleetkeeper.devices.configs.comparing import MOST_LINES, unified
from tests.factories.devices import enter, neighbors

FIRST = "hostname a\ninterface Ethernet1\n no shutdown\nenable secret 5 Geh3im-X\n"


async def store(client, device, text, **more):
    return await client.post(f"/api/v1/devices/{device}/configs", json={"config_text": text, **more})


async def test_a_version_for_each_change(admin):
    device = await enter(admin, "a")
    first = await store(admin, device, FIRST, source_system="oxidized")
    assert first.status_code == 201
    again = await store(admin, device, FIRST.replace("\n", "\r\n"))
    assert (again.status_code, again.json()["is_new"], again.json()["config"]["version"]) == (200, False, 1)
    second = (await store(admin, device, FIRST + "vlan 7\n")).json()["config"]
    assert second["version"] == 2
    startup = (await store(admin, device, FIRST, config_type="startup")).json()["config"]
    assert startup["version"] == 1
    told = (await admin.get(f"/api/v1/device-configs/{second['id']}")).json()
    assert (
        told["config_text"]
        == "hostname a\ninterface Ethernet1\n no shutdown\nenable secret 5 <masked>\nvlan 7\n"
    )
    one = first.json()["config"]["id"]
    diff = (await admin.get(f"/api/v1/device-configs/{one}/diff/{second['id']}")).json()
    assert (diff["added"], diff["removed"]) == (1, 0)
    assert "+vlan 7" in diff["unified"]
    same = (await admin.get(f"/api/v1/device-configs/{one}/diff/{one}")).json()
    assert same == {"unified": "", "added": 0, "removed": 0}


async def test_the_last_ten_are_kept(admin):
    device = await enter(admin, "a")
    for number in range(13):
        await store(admin, device, f"hostname a{number}\n")
    found = (await admin.get(f"/api/v1/device-configs?device_id={device}&ordering=-version")).json()
    assert [one["version"] for one in found["results"]] == list(range(13, 3, -1))


async def test_texts_are_searched_without_their_secrets(admin):
    device = await enter(admin, "a")
    await store(admin, device, FIRST)
    assert (await admin.get("/api/v1/device-configs?q=Ethernet1")).json()["count"] == 1
    assert (await admin.get("/api/v1/device-configs?q=Geh3im")).json()["count"] == 0


async def test_what_is_wrong_is_named(admin):
    device = await enter(admin, "a")
    for wrong, field in (
        ({"config_text": ""}, "config_text"),
        ({"config_text": "a\x00"}, "config_text"),
        ({"config_text": "a", "config_type": "A b"}, "config_type"),
    ):
        answer = await admin.post(f"/api/v1/devices/{device}/configs", json=wrong)
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, field)


async def test_those_of_others_are_out_of_reach(app):
    async with neighbors(app) as people:
        theirs = await enter(people.north, "n", department_id=people.north_id)
        own = await enter(people.south, "s", department_id=people.south_id)
        secret = (await store(people.north, theirs, FIRST)).json()["config"]["id"]
        mine = (await store(people.south, own, FIRST)).json()["config"]["id"]
        assert (await store(people.south, theirs, "x")).status_code == 404
        assert (await people.south.get(f"/api/v1/device-configs/{secret}")).status_code == 404
        assert (await people.south.get(f"/api/v1/device-configs/{mine}/diff/{secret}")).status_code == 404
        listed = (await people.south.get("/api/v1/device-configs?q=hostname")).json()["results"]
        assert [UUID(one["id"]) for one in listed] == [UUID(mine)]


def test_texts_that_are_too_alike_are_told_as_replaced():
    """Each line occurs often, but none so often that the algorithm leaves it out: it would take the square."""
    kinds = 150
    before = ["head", *(f"line {number * 7 % kinds}" for number in range(MOST_LINES)), "tail"]
    after = ["head", *(f"line {number * 11 % kinds}" for number in range(MOST_LINES)), "tail"]
    lines = unified(before, after, ("a", "b"))
    assert lines[2] == f"@@ -1,{MOST_LINES + 1} +1,{MOST_LINES + 1} @@" or lines[2].startswith("@@ -1,")
    assert [line[1:] for line in lines[3:] if line[0] in " -"] == before
    assert [line[1:] for line in lines[3:] if line[0] in " +"] == after
