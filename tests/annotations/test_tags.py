"""Tags: the vocabulary, devices that have them, filters by them, and whom they are nobody's business of."""

from uuid import UUID

import pytest
from sqlalchemy import text

from fleetkeeper.annotations.service import remove_leftovers
from fleetkeeper.annotations.tags.service import slug_of
from fleetkeeper.database.context import TransactionContext
from fleetkeeper.errors import InvalidInputError
from tests.fixtures.client import TEST_CONTEXT, enroll

TAGS = "/api/v1/tags"
STRANGER = "0198f6a0-0000-7000-8000-000000000001"


async def make_tag(client, name: str, **more: str) -> dict:
    answer = await client.post(TAGS, json={"name": name, **more})
    assert answer.status_code == 201, answer.text
    return answer.json()


def objects(tag: dict, device: str) -> str:
    return f"{TAGS}/{tag['id']}/objects/devices/{device}"


async def tagged(app) -> list[UUID]:
    async with app.state.database.session(TEST_CONTEXT) as session:
        return list(await session.scalars(text("SELECT object_id FROM tagged")))


@pytest.fixture
async def machines(app, admin) -> dict[str, str]:
    """Two devices by name."""
    made = {}
    for name in ("web-01", "db-01"):
        device = await enroll(app, admin, name)
        made[name] = str(device.id)
        await device.client.aclose()
    return made


@pytest.mark.parametrize(
    ("name", "slug"), [("Web servers", "web-servers"), ("  Ärger & Co.", "arger-co"), ("x" * 99, "x" * 60)]
)
def test_a_slug_is_made_of_the_name(name, slug):
    assert slug_of(name) == slug


def test_a_name_without_latin_letters_needs_a_slug():
    with pytest.raises(InvalidInputError):
        slug_of("サーバー")


class TestVocabulary:
    async def test_a_name_and_a_slug_are_there_once(self, admin):
        await make_tag(admin, "Web")
        for body, field in (({"name": "Web", "slug": "w"}, "name"), ({"name": "web!"}, "slug")):
            answer = await admin.post(TAGS, json=body)
            assert (answer.status_code, answer.json()["errors"][0]["field"]) == (409, field)

    async def test_a_renamed_tag_keeps_its_slug(self, admin):
        made = await make_tag(admin, "Web", color="teal")
        answer = await admin.put(
            f"{TAGS}/{made['id']}", json={"name": "Websites"}, headers={"If-Match": '"1"'}
        )
        assert (answer.json()["name"], answer.json()["slug"]) == ("Websites", "web")
        stale = await admin.put(f"{TAGS}/{made['id']}", json={"name": "X"}, headers={"If-Match": '"1"'})
        assert stale.status_code == 412

    @pytest.mark.parametrize(
        "body", [{"name": ""}, {"name": "a", "slug": "A b"}, {"name": "a", "color": "pink"}]
    )
    async def test_what_is_no_tag(self, admin, body):
        assert (await admin.post(TAGS, json=body)).status_code == 422


class TestDevices:
    async def test_lists_show_and_filter_by_tags(self, admin, machines):
        web, busy = await make_tag(admin, "Web"), await make_tag(admin, "Busy")
        for tag in (web, busy):
            assert (await admin.put(objects(tag, machines["web-01"]))).status_code == 204
        await admin.put(objects(busy, machines["db-01"]))
        for query, names in (
            ("tag=web", ["web-01"]),
            ("tag=busy", ["db-01", "web-01"]),
            ("tag=busy&tag=web", ["web-01"]),
            ("tag__in=web,none", ["web-01"]),
            ("tag=none", []),
        ):
            page = (await admin.get(f"/api/v1/devices?{query}")).json()
            assert ([one["name"] for one in page["results"]], page["count"]) == (names, len(names)), query
        device = (await admin.get(f"/api/v1/devices/{machines['web-01']}")).json()
        assert device["tags"] == ["busy", "web"]
        await admin.delete(objects(web, machines["web-01"]))
        assert (await admin.get("/api/v1/devices?tag=web")).json()["count"] == 0

    async def test_many_at_once_with_a_preview(self, admin, machines):
        web = await make_tag(admin, "Web")
        await make_tag(admin, "Old")
        await admin.put(objects(web, machines["web-01"]))
        body = {"ids": list(machines.values()), "changes": {"add_tags": ["web"], "remove_tags": ["old"]}}
        preview = (await admin.post("/api/v1/devices/bulk", json=body | {"dry_run": True})).json()
        assert {one["name"]: one["outcome"] for one in preview["results"]} == {
            "web-01": "unchanged",
            "db-01": "changed",
        }
        assert (await admin.get("/api/v1/devices?tag=web")).json()["count"] == 1
        await admin.post("/api/v1/devices/bulk", json=body)
        assert (await admin.get("/api/v1/devices?tag=web")).json()["count"] == 2
        unknown = await admin.post("/api/v1/devices/bulk", json=body | {"changes": {"add_tags": ["none"]}})
        assert unknown.status_code == 422

    async def test_what_is_gone_leaves_nothing(self, app, admin, machines):
        web = await make_tag(admin, "Web")
        for device in machines.values():
            await admin.put(objects(web, device))
        await admin.delete(f"/api/v1/devices/{machines['web-01']}", headers={"X-Change-Reason": "Sold"})
        assert await tagged(app) == [UUID(machines["db-01"])]
        await admin.delete(f"{TAGS}/{web['id']}")
        assert await tagged(app) == []

    async def test_leftovers_of_a_deletion_go(self, app, admin, machines):
        web = await make_tag(admin, "Web")
        await admin.put(objects(web, machines["db-01"]))
        async with app.state.database.session(TEST_CONTEXT) as session:
            late = text("INSERT INTO tagged VALUES (:tag, 'devices', :device)")
            await session.execute(late, {"tag": web["id"], "device": STRANGER})
            await remove_leftovers(session)
        assert await tagged(app) == [UUID(machines["db-01"])]

    async def test_the_log_tells_who_tagged_a_device(self, admin, machines):
        await admin.put(objects(await make_tag(admin, "Web"), machines["web-01"]))
        query = f"device_id={machines['web-01']}&resource_type=tagged"
        [entry] = (await admin.get(f"/api/v1/audit?{query}")).json()["results"]
        assert (entry["action"], entry["actor_name"]) == ("tagged.insert", "admin")

    async def test_of_no_kind_that_there_is(self, admin, machines):
        web = await make_tag(admin, "Web")
        for path in (f"users/{machines['web-01']}", f"devices/{STRANGER}"):
            assert (await admin.put(f"{TAGS}/{web['id']}/objects/{path}")).status_code == 404


class TestOthers:
    async def test_another_department_s_device_is_not_there(self, app, sides):
        web = await make_tag(sides.admin, "Web")
        for side in (sides.north, sides.south):
            assert (await side.manager.put(objects(web, side.device))).status_code == 204
        for method in ("PUT", "DELETE"):
            for person in (sides.north.manager, sides.north.viewer):
                answer = await person.request(method, objects(web, sides.south.device))
                assert answer.status_code == 404
        own = await sides.north.viewer.put(objects(web, sides.north.device))
        assert own.status_code == 403
        found = (await sides.north.viewer.get("/api/v1/devices?tag=web")).json()
        assert [one["id"] for one in found["results"]] == [sides.north.device]
        in_north = TransactionContext(departments=frozenset({UUID(str(sides.north.department))}))
        async with app.state.database.session(in_north) as session:
            seen = list(await session.scalars(text("SELECT object_id FROM tagged")))
        assert seen == [UUID(sides.north.device)]

    async def test_who_may_use_tags_may_not_make_them(self, sides):
        assert (await sides.north.viewer.get(TAGS)).status_code == 200
        assert (await sides.north.manager.post(TAGS, json={"name": "Mine"})).status_code == 403
