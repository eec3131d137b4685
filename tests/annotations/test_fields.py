"""Custom fields: definitions, values, lists by them, and whom they are nobody's business of."""

import json
from uuid import UUID

import pytest
from sqlalchemy import text

from fleetkeeper.annotations.fields.schemas import MASK
from fleetkeeper.annotations.fields.service import name_of
from fleetkeeper.database.context import TransactionContext
from fleetkeeper.errors import InvalidInputError
from tests.annotations.test_tags import STRANGER
from tests.fixtures.client import TEST_CONTEXT, enroll

FIELDS = "/api/v1/custom-fields"
SECRET = "s3cret-of-the-machine"


async def make_field(client, label: str, **more: object) -> dict:
    answer = await client.post(FIELDS, json={"label": label, **more})
    assert answer.status_code == 201, answer.text
    return answer.json()


def values_at(device: str) -> str:
    return f"{FIELDS}/objects/devices/{device}"


async def give(client, device: str, **values: object) -> dict:
    answer = await client.patch(values_at(device), json={"values": values})
    assert answer.status_code == 200, answer.text
    return answer.json()


async def named(client, query: str) -> list[str]:
    answer = await client.get(f"/api/v1/devices?{query}")
    assert answer.status_code == 200, answer.text
    return [one["name"] for one in answer.json()["results"]]


@pytest.fixture
async def machines(app, admin) -> dict[str, str]:
    """Three devices by name."""
    made = {}
    for name in ("db-01", "web-01", "web-02"):
        device = await enroll(app, admin, name)
        made[name] = str(device.id)
        await device.client.aclose()
    return made


@pytest.mark.parametrize(
    ("label", "name"), [("Asset tag", "asset_tag"), ("Größe (U)", "groe_u"), ("A" * 90, "a" * 60)]
)
def test_a_name_is_made_of_the_label(label, name):
    assert name_of(label) == name


@pytest.mark.parametrize("label", ["資産", "19-inch rack"])
def test_a_label_that_makes_no_name(label):
    with pytest.raises(InvalidInputError):
        name_of(label)


class TestDefinitions:
    @pytest.mark.parametrize(
        ("body", "field"),
        [
            ({"label": ""}, "label"),
            ({"name": "A b"}, "name"),
            ({"name": "a__b"}, "name"),
            ({"kind": "color"}, "kind"),
            ({"kind": "choice"}, "choices"),
            ({"choices": ["a"]}, "choices"),
            ({"kind": "choice", "choices": ["a", "a "]}, "choices"),
            ({"kind": "choice", "choices": ["a,b"]}, "choices"),
            ({"pattern": "("}, "pattern"),
            ({"pattern": r"(\pL{999}){999}"}, "pattern"),
            ({"pattern": "a" * 201}, "pattern"),
            ({"kind": "number", "pattern": "1"}, "pattern"),
            ({"kind": "number", "default": "many"}, "default"),
            ({"kind": "number", "is_sensitive": True}, "is_sensitive"),
            ({"is_sensitive": True, "default": "x"}, "default"),
            ({"object_type": "config"}, "object_type"),
            ({"department_id": STRANGER}, "department_id"),
        ],
    )
    async def test_what_is_no_field(self, shared, body, field):
        answer = await shared.admin.post(FIELDS, json={"label": "Asset tag"} | body)
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, field), answer.text

    async def test_a_name_is_there_once(self, admin):
        await make_field(admin, "Asset tag")
        answer = await admin.post(FIELDS, json={"label": "Asset TAG"})
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (409, "name")

    async def test_changes_need_the_version_that_was_seen(self, admin):
        made = await make_field(admin, "Asset tag")
        address, seen = f"{FIELDS}/{made['id']}", {"If-Match": '"1"'}
        changed = await admin.put(address, json={"label": "Asset number"}, headers=seen)
        assert (changed.json()["label"], changed.json()["name"]) == ("Asset number", "asset_tag")
        assert (await admin.put(address, json={"label": "X"}, headers=seen)).status_code == 412

    @pytest.mark.parametrize(
        ("before", "after", "field"),
        [
            ({"kind": "text"}, {"kind": "number"}, "kind"),
            ({"kind": "text"}, {"kind": "text", "is_sensitive": True}, "is_sensitive"),
            ({"kind": "choice", "choices": ["7", "8"]}, {"kind": "choice", "choices": ["8"]}, "choices"),
        ],
    )
    async def test_present_values_are_not_made_wrong(self, admin, machines, before, after, field):
        made = await make_field(admin, "Rack", **before)
        for device in ("web-01", "web-02"):
            await give(admin, machines[device], rack="7")
        address = f"{FIELDS}/{made['id']}"
        answer = await admin.put(address, json={"label": "Rack", **after})
        told = answer.json()["errors"][0]
        assert (answer.status_code, told["field"]) == (409, field)
        assert "2 objects have" in told["message"]
        for device in ("web-01", "web-02"):
            await give(admin, machines[device], rack=None)
        assert (await admin.put(address, json={"label": "Rack", **after})).status_code == 200

    async def test_a_deletion_says_how_many_values_went(self, app, admin, machines):
        made = await make_field(admin, "Rack")
        await give(admin, machines["web-01"], rack="7")
        address = f"{FIELDS}/{made['id']}"
        assert (await admin.get(address)).json()["value_count"] == 1
        assert (await admin.delete(address)).json() == {"values_deleted": 1}
        assert (await admin.get(address)).status_code == 404
        assert (await admin.get(f"/api/v1/devices/{machines['web-01']}")).json()["custom_fields"] == {}


class TestValues:
    async def test_each_kind_is_kept_as_it_is(self, admin, machines):
        kinds = {
            "text": "A-1",
            "number": 12.5,
            "boolean": False,
            "date": "2028-03-31",
            "url": "https://a.example/x",
        }
        for kind in kinds:
            await make_field(admin, kind, kind=kind)
        await make_field(admin, "choice", kind="choice", choices=["red", "blue"])
        wanted = kinds | {"choice": "blue"}
        told = await give(admin, machines["web-01"], **wanted)
        assert told["values"] == wanted
        device = (await admin.get(f"/api/v1/devices/{machines['web-01']}")).json()
        assert device["custom_fields"] == wanted
        assert (await give(admin, machines["web-01"], text="", number=None))["values"].keys() == {
            "boolean",
            "date",
            "url",
            "choice",
        }

    async def test_errors_name_the_field(self, admin, machines):
        await make_field(admin, "Asset tag", pattern="A-[0-9]+")
        await make_field(admin, "Height", kind="number", is_required=True)
        values = {"asset_tag": "B-1", "none": 1}
        answer = await admin.patch(values_at(machines["web-01"]), json={"values": values})
        assert answer.status_code == 422
        assert {one["field"]: one["message"] for one in answer.json()["errors"]} == {
            "asset_tag": "Must match the pattern A-[0-9]+",
            "height": "Required",
            "none": "There is no such field of this device",
        }
        await give(admin, machines["web-01"], asset_tag="A-1", height="2")
        missing = await admin.patch(values_at(machines["web-01"]), json={"values": {"height": None}})
        assert (missing.status_code, missing.json()["errors"][0]["field"]) == (422, "height")

    async def test_nobody_overwrites_what_they_did_not_see(self, admin, machines):
        await make_field(admin, "Rack")
        first = await admin.get(values_at(machines["web-01"]))
        seen = {"If-Match": first.headers["ETag"]}
        body = {"values": {"rack": "7"}}
        assert (await admin.patch(values_at(machines["web-01"]), json=body, headers=seen)).status_code == 200
        body = {"values": {"rack": "8"}}
        assert (await admin.patch(values_at(machines["web-01"]), json=body, headers=seen)).status_code == 412

    async def test_new_devices_get_defaults(self, app, admin):
        await make_field(admin, "Owner", default="ops")
        await make_field(admin, "Height", kind="number", default="1")
        device = await enroll(app, admin, "new-01")
        await device.client.aclose()
        found = (await admin.get(f"/api/v1/devices/{device.id}")).json()
        assert found["custom_fields"] == {"owner": "ops", "height": 1}

    async def test_a_device_s_values_go_with_it(self, app, admin, machines):
        await make_field(admin, "Rack")
        await give(admin, machines["web-01"], rack="7")
        await admin.delete(f"/api/v1/devices/{machines['web-01']}", headers={"X-Change-Reason": "Sold"})
        async with app.state.database.session(TEST_CONTEXT) as session:
            assert not list(await session.scalars(text("SELECT object_id FROM custom_values")))


class TestSensitive:
    @pytest.fixture
    async def secret_of(self, admin, machines) -> str:
        """A device with a sensitive value."""
        await make_field(admin, "BIOS password", is_sensitive=True)
        told = await give(admin, machines["web-01"], bios_password=SECRET)
        assert told["values"] == {"bios_password": MASK}
        return machines["web-01"]

    async def test_it_is_masked_in_each_answer(self, admin, secret_of):
        for address in (
            values_at(secret_of),
            "/api/v1/devices",
            f"/api/v1/devices/{secret_of}",
            "/api/v1/devices/export?format=csv",
            "/api/v1/devices/export?format=json&fields=name,cf_bios_password",
            f"/api/v1/audit?device_id={secret_of}",
        ):
            told = (await admin.get(address)).text
            assert SECRET not in told, address
        assert MASK in (await admin.get("/api/v1/devices/export?format=csv")).text

    async def test_it_is_encrypted_at_rest(self, app, secret_of):
        async with app.state.database.session(TEST_CONTEXT) as session:
            rows = (await session.execute(text("SELECT * FROM custom_values"))).all()
            log = (await session.execute(text("SELECT old_values, new_values FROM audit_log"))).all()
        assert len(rows) == 1
        assert SECRET.encode() not in repr(rows).encode()
        assert SECRET not in repr(log)
        assert "[secret]" in repr(log) or "value_sealed" not in repr(log)

    async def test_revealing_leaves_an_entry(self, admin, secret_of):
        answer = await admin.post(f"{values_at(secret_of)}/bios_password/reveal")
        assert (answer.json()["value"], answer.headers["Cache-Control"]) == (SECRET, "no-store")
        query = f"device_id={secret_of}&action=custom_values.reveal"
        [entry] = (await admin.get(f"/api/v1/audit?{query}")).json()["results"]
        assert (entry["actor_name"], entry["record_name"]) == ("admin", "BIOS password of web-01")

    async def test_the_mask_keeps_it(self, admin, secret_of):
        await give(admin, secret_of, bios_password=MASK)
        assert (await admin.post(f"{values_at(secret_of)}/bios_password/reveal")).json()["value"] == SECRET
        assert (await give(admin, secret_of, bios_password=None))["values"] == {}
        assert (await admin.post(f"{values_at(secret_of)}/bios_password/reveal")).status_code == 404

    async def test_a_value_that_was_moved_elsewhere_does_not_open(self, app, admin, machines, secret_of):
        """Who may write to the database cannot have one device's value shown as another's."""
        async with app.state.database.session(TEST_CONTEXT) as session:
            await session.execute(
                text("UPDATE custom_values SET object_id = :other"), {"other": machines["web-02"]}
            )
        answer = await admin.post(f"{values_at(machines['web-02'])}/bios_password/reveal")
        assert SECRET not in answer.text
        assert answer.status_code == 409

    async def test_lists_tell_only_whether_it_is_there(self, admin, secret_of):
        assert await named(admin, "cf_bios_password__isnull=false") == ["web-01"]
        for query in ("cf_bios_password=x", "cf_bios_password__gte=a", "ordering=cf_bios_password"):
            assert (await admin.get(f"/api/v1/devices?{query}")).status_code == 422

    async def test_who_only_sees_it_may_not_reveal_it(self, viewer, secret_of):
        assert (await viewer.get(values_at(secret_of))).json()["values"] == {"bios_password": MASK}
        assert (await viewer.post(f"{values_at(secret_of)}/bios_password/reveal")).status_code == 403


class TestLists:
    @pytest.fixture
    async def filled(self, admin, machines) -> dict[str, str]:
        await make_field(admin, "Owner")
        await make_field(admin, "Height", kind="number")
        await make_field(admin, "Until", kind="date")
        await make_field(admin, "Leased", kind="boolean")
        await make_field(admin, "Color", kind="choice", choices=["red", "blue"])
        await give(
            admin, machines["db-01"], owner="data", height=4, until="2027-01-01", leased=True, color="red"
        )
        await give(admin, machines["web-01"], owner="web 100%", height=1, until="2028-01-01", leased=False)
        return machines

    @pytest.mark.parametrize(
        ("query", "names"),
        [
            ("cf_owner=data", ["db-01"]),
            ("cf_owner__contains=100%25", ["web-01"]),
            ("cf_owner__in=data,none", ["db-01"]),
            ("cf_owner__isnull=true", ["web-02"]),
            ("cf_height__gte=1", ["db-01", "web-01"]),
            ("cf_height__gt=1", ["db-01"]),
            ("cf_height=4&cf_owner=data", ["db-01"]),
            ("cf_until__lte=2027-06-30", ["db-01"]),
            ("cf_leased=false", ["web-01"]),
            ("cf_color=red", ["db-01"]),
            ("ordering=cf_height", ["web-02", "web-01", "db-01"]),
            ("ordering=-cf_until", ["web-01", "db-01", "web-02"]),
            ("ordering=cf_leased", ["web-01", "web-02", "db-01"]),
        ],
    )
    async def test_by_a_field(self, admin, filled, query, names):
        found = await named(admin, query)
        # The order of equals is that of their keys.
        assert found == names or (query == "ordering=cf_leased" and found[-1] == "db-01")

    @pytest.mark.parametrize("ordering", ["cf_owner", "-cf_height", "cf_until", "-cf_leased"])
    async def test_pages_go_through_all(self, admin, filled, ordering):
        seen, address = [], f"/api/v1/devices?ordering={ordering}&limit=1"
        while address:
            page = (await admin.get(address)).json()
            seen += [one["name"] for one in page["results"]]
            address = page["next"]
        assert sorted(seen) == ["db-01", "web-01", "web-02"]

    @pytest.mark.parametrize(
        ("query", "field"),
        [
            ("cf_none=1", "cf_none"),
            ("cf_height=tall", "cf_height"),
            ("cf_until__gte=soon", "cf_until__gte"),
            ("cf_color=pink", "cf_color"),
            ("cf_owner__like=a", "cf_owner__like"),
            ("cf_height__contains=1", "cf_height__contains"),
            ("ordering=cf_none", "ordering"),
        ],
    )
    async def test_what_is_no_filter(self, admin, filled, query, field):
        answer = await admin.get(f"/api/v1/devices?{query}")
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, field)

    async def test_files_have_a_column_for_each(self, admin, filled):
        answer = await admin.get(
            "/api/v1/devices/export?format=csv&fields=name,cf_owner,cf_height&cf_height__gte=4"
        )
        assert answer.text.splitlines() == ["name,cf_owner,cf_height", "db-01,data,4"]
        whole = json.loads((await admin.get("/api/v1/devices/export?format=json&q=web-01")).text)
        assert whole[0]["cf_leased"] is False
        assert "custom_fields" not in whole[0]
        assert (await admin.get("/api/v1/devices/export?fields=cf_none")).status_code == 422

    async def test_many_are_changed_by_a_filter(self, admin, filled):
        body = {"matching": "cf_height__gte=1", "changes": {"location": "Berlin"}, "dry_run": True}
        assert (await admin.post("/api/v1/devices/bulk", json=body)).json()["changed"] == 2


class TestOthers:
    async def test_another_department_s_device_is_not_there(self, sides):
        await make_field(sides.admin, "Rack")
        await make_field(sides.admin, "Code", is_sensitive=True)
        for side in (sides.north, sides.south):
            await give(side.manager, side.device, rack="7", code=SECRET)
        south = values_at(sides.south.device)
        for person in (sides.north.manager, sides.north.viewer):
            assert (await person.get(south)).status_code == 404
            assert (await person.patch(south, json={"values": {"rack": "8"}})).status_code == 404
        assert (await sides.north.manager.post(f"{south}/code/reveal")).status_code == 404
        own = values_at(sides.north.device)
        assert (await sides.north.viewer.patch(own, json={"values": {"rack": "8"}})).status_code == 403
        assert (await sides.north.manager.post(f"{own}/code/reveal")).json()["value"] == SECRET
        assert await named(sides.north.manager, "cf_rack=7") == ["north-01"]

    async def test_a_field_of_a_department_is_for_its_people(self, sides):
        south = str(sides.south.department)
        made = await make_field(sides.south.manager, "Customer", department_id=south)
        await give(sides.south.manager, sides.south.device, customer="Acme")
        address = f"{FIELDS}/{made['id']}"
        for person in (sides.north.manager, sides.north.viewer):
            assert (await person.get(address)).status_code == 404
            assert (await person.get(FIELDS)).json()["count"] == 0
            assert (await person.get("/api/v1/devices?cf_customer=Acme")).status_code == 422
        body = {"label": "Mine", "department_id": south}
        assert (await sides.north.manager.put(address, json=body)).status_code == 404
        assert (await sides.north.manager.delete(address)).status_code == 404
        assert (await sides.north.manager.post(FIELDS, json=body)).status_code == 422
        # A device of another department does not have it.
        answer = await sides.admin.patch(values_at(sides.north.device), json={"values": {"customer": "X"}})
        assert answer.status_code == 422

    async def test_who_manages_one_department_makes_no_field_of_all(self, sides):
        made = await make_field(sides.admin, "Rack")
        manager, address = sides.north.manager, f"{FIELDS}/{made['id']}"
        assert (await manager.post(FIELDS, json={"label": "Mine"})).status_code == 403
        assert (await manager.put(address, json={"label": "Mine"})).status_code == 403
        assert (await manager.delete(address)).status_code == 403
        assert (await sides.north.viewer.post(FIELDS, json={"label": "Mine"})).status_code == 403

    async def test_the_database_shows_a_department_its_own(self, app, sides):
        await make_field(sides.admin, "Rack")
        for side in (sides.north, sides.south):
            await give(side.manager, side.device, rack="7")
        in_north = TransactionContext(departments=frozenset({UUID(str(sides.north.department))}))
        async with app.state.database.session(in_north) as session:
            seen = list(await session.scalars(text("SELECT object_id FROM custom_values")))
        assert seen == [UUID(sides.north.device)]
