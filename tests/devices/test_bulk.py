"""Many devices at once: as files, and changed together."""

import csv
import io
import json
import zipfile
from xml.etree import ElementTree as ET

import pytest

from fleetkeeper.identity.permissions import Role
from fleetkeeper.kit.ids import uuid7
from tests.factories.identity import give, make_department, make_token, make_user
from tests.fixtures.client import TEST_CONTEXT, enroll

EXPORT, BULK = "/api/v1/devices/export", "/api/v1/devices/bulk"


async def make_devices(app, admin, *names: str) -> dict[str, str]:
    made = {}
    for name in names:
        device = await enroll(app, admin, name)
        await device.client.aclose()
        made[name] = str(device.id)
    return made


def texts_of_sheet(content: bytes) -> dict[str, str]:
    """The cells that are text, by their place; a formula is none."""
    space = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
    with zipfile.ZipFile(io.BytesIO(content)) as file:
        tree = ET.fromstring(file.read("xl/worksheets/sheet1.xml"))
    cells = (one for one in tree.iter(f"{space}c") if one.get("t") == "inlineStr")
    return {one.get("r"): "".join(one.itertext()) for one in cells}


class TestExport:
    async def test_a_file_has_what_the_list_has(self, app, admin, monkeypatch):
        monkeypatch.setattr("fleetkeeper.database.exports.PAGE", 2)
        made = await make_devices(app, admin, "web-1", "web-2", "web-3", "db-1")
        asked = f"{EXPORT}?q=web&ordering=-name&fields=name,id,cpu_percent"
        answer = await admin.get(f"{asked}&format=csv")
        assert answer.headers["content-disposition"] == 'attachment; filename="devices.csv"'
        rows = list(csv.reader(io.StringIO(answer.text)))
        assert rows == [
            ["name", "id", "cpu_percent"],
            *([name, made[name], ""] for name in ("web-3", "web-2", "web-1")),
        ]
        listed = json.loads((await admin.get(f"{asked}&format=json")).text)
        assert [one["name"] for one in listed] == ["web-3", "web-2", "web-1"]
        sheet = texts_of_sheet((await admin.get(f"{asked}&format=xlsx")).content)
        assert [sheet[f"A{line}"] for line in (1, 2, 3, 4)] == ["name", "web-3", "web-2", "web-1"]

    async def test_nothing_in_it_is_a_formula(self, app, admin):
        await make_devices(app, admin, "=1+1")
        rows = list(csv.reader(io.StringIO((await admin.get(f"{EXPORT}?fields=name")).text)))
        assert rows[1] == ["'=1+1"]
        sheet = texts_of_sheet((await admin.get(f"{EXPORT}?fields=name&format=xlsx")).content)
        assert sheet["A2"] == "=1+1"

    async def test_an_empty_list_is_a_file_all_the_same(self, admin):
        assert json.loads((await admin.get(f"{EXPORT}?format=json&q=nothing")).text) == []
        assert (await admin.get(f"{EXPORT}?q=nothing&fields=name")).text == "name\r\n"

    async def test_the_audit_log_keeps_who_took_it(self, admin):
        await admin.get(f"{EXPORT}?status=offline&format=csv")
        entries = (await admin.get("/api/v1/audit?action=devices.export")).json()["results"]
        assert entries[0]["details"] == {"format": "csv", "filters": {"status": "offline"}}

    @pytest.mark.parametrize(
        ("query", "field"),
        [("fields=password", "fields"), ("secret=1", "secret"), ("cpu_cores__gte=many", "cpu_cores__gte")],
    )
    async def test_what_is_wrong_is_said_before_it_begins(self, admin, query, field):
        answer = await admin.get(f"{EXPORT}?{query}")
        assert answer.status_code == 422
        assert answer.json()["errors"][0]["field"] == field


class TestBulk:
    async def test_a_dry_run_says_what_the_change_then_does(self, app, admin):
        made = await make_devices(app, admin, "web-1", "web-2", "db-1")
        wanted = {"matching": "q=web", "changes": {"location": "Hall 1"}}
        await admin.patch(f"/api/v1/devices/{made['web-2']}", json={"location": "Hall 1"})
        preview = (await admin.post(BULK, json={**wanted, "dry_run": True})).json()
        assert (preview["dry_run"], preview["changed"], preview["unchanged"], preview["refused"]) == (
            True,
            1,
            1,
            0,
        )
        assert (await admin.get(f"/api/v1/devices/{made['web-1']}")).json()["location"] is None
        done = (await admin.post(BULK, json=wanted)).json()
        assert done == {**preview, "dry_run": False}
        device = (await admin.get(f"/api/v1/devices/{made['web-1']}")).json()
        assert (device["location"], device["version"]) == ("Hall 1", 2)
        assert (await admin.get(f"/api/v1/devices/{made['db-1']}")).json()["location"] is None

    async def test_each_one_that_may_not_be_changed_says_why_and_the_rest_is(self, app, admin):
        made = await make_devices(app, admin, "north", "south", "hidden")
        async with app.state.database.session(TEST_CONTEXT) as session:
            north, south = await make_department(session, "North"), await make_department(session, "South")
            user = await make_user(session, "nora")
            await give(session, user, Role.OPERATOR, north)
            await give(session, user, Role.VIEWER, south)
            token = await make_token(session, user)
        for name, place in (("north", north), ("south", south)):
            await admin.patch(f"/api/v1/devices/{made[name]}", json={"department_id": str(place.id)})
        stranger = str(uuid7())
        wanted = {"ids": [*made.values(), stranger], "changes": {"lifecycle": "maintenance"}}
        answer = (await admin.post(BULK, json=wanted, headers={"Authorization": f"Bearer {token}"})).json()
        outcomes = {one["id"]: one["outcome"] for one in answer["results"]}
        assert outcomes == {
            made["north"]: "changed",
            made["south"]: "refused",
            made["hidden"]: "refused",
            stranger: "refused",
        }
        details = {one["id"]: (one["name"], one["detail"]) for one in answer["results"]}
        assert details[made["hidden"]] == details[stranger] == ("", "There is no such device")
        assert (await admin.get(f"/api/v1/devices/{made['north']}")).json()["lifecycle"] == "maintenance"
        assert (await admin.get(f"/api/v1/devices/{made['south']}")).json()["lifecycle"] == "active"

    @pytest.mark.parametrize(
        "body",
        [
            {"changes": {"location": "x"}},
            {"ids": [], "matching": "q=a", "changes": {"location": "x"}},
            {"matching": "q=", "changes": {}},
            {"matching": "q=", "changes": {"device_type": None}},
            {"matching": "q=", "changes": {"name": "all the same"}},
            {"matching": "password=x", "changes": {"location": "x"}},
            {"matching": "q=", "changes": {"department_id": str(uuid7())}},
        ],
    )
    async def test_what_is_no_change_is_refused(self, app, admin, body):
        made = await make_devices(app, admin, "web-1")
        assert (await admin.post(BULK, json=body)).status_code == 422
        assert (await admin.get(f"/api/v1/devices/{made['web-1']}")).json()["version"] == 1
