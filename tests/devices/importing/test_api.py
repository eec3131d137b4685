"""Imports of devices: mapping, dry run, applying, undo."""

import pytest

from tests.factories.devices import enter, neighbors
from tests.factories.imports import HOME, WHY, configure, dry_run, items, upload, work

FILE = """Host Name;Device name;S/N;Typ;Owner;Warranty end;IP;NIC;MAC
sw1.example.org;sw-1;FDO1;x;Net team;2028-03-01;192.0.2.10/24;mgmt0;52-54-00-12-34-56
;sw-2;FDO2;;;;;;
"""


async def test_columns_are_guessed_and_corrected(admin):
    made = await upload(admin, FILE)
    assert made["mapping"] == {
        "Host Name": "hostname",
        "Device name": "name",
        "S/N": "serial_number",
        "Typ": None,
        "Owner": "owner",
        "Warranty end": "warranty_until",
        "IP": "ip_address",
        "NIC": "interface",
        "MAC": "mac_address",
    }
    assert (made["row_count"], made["status"], made["identify_by"]) == (2, "uploaded", "name")
    answer = await admin.put(
        f"{HOME}/{made['id']}",
        json={"mapping": {"Typ": "colour", "Owner": "owner", "IP": "owner", "no": "name"}},
    )
    assert answer.status_code == 422
    assert {one["field"] for one in answer.json()["errors"]} == {"mapping.Typ", "mapping.IP", "mapping.no"}
    answer = await admin.put(f"{HOME}/{made['id']}", json={"mapping": {"Owner": "owner"}})
    assert answer.json()["errors"][0]["field"] == "identify_by"


async def test_rows_create_and_undo_deletes_what_is_unchanged(admin, app, settings):
    made = await upload(admin, FILE)
    rows = await dry_run(admin, made)
    assert [one["outcome"] for one in rows] == ["create", "create"]
    assert (await admin.get("/api/v1/devices?q=sw-")).json()["count"] == 0
    done = await work(app, settings, admin, made, "apply")
    assert (done["status"], done["counts"]) == ("applied", {"create": 2, "created": 2})
    first, second = (await admin.get("/api/v1/devices?q=sw-")).json()["results"]
    device = (await admin.get(f"/api/v1/devices/{first['id']}")).json()
    assert (device["serial_number"], device["owner"], device["hostname"]) == (
        "FDO1",
        "Net team",
        "sw1.example.org",
    )
    (interface,) = (await admin.get(f"/api/v1/network-interfaces?device_id={first['id']}")).json()["results"]
    assert (interface["mac_address"], interface["ip_addresses"]) == ("52:54:00:12:34:56", ["192.0.2.10/24"])
    await admin.patch(f"/api/v1/devices/{second['id']}", json={"owner": "Maria"})
    undone = await work(app, settings, admin, made, "undo")
    assert undone["status"] == "undone"
    assert (undone["counts"]["deleted"], undone["counts"]["kept"]) == (1, 1)
    assert [(one["undone"], one["detail"]) for one in await items(admin, made)][1] == (
        "kept",
        "Changed since: owner",
    )
    assert (await admin.get("/api/v1/devices?q=sw-")).json()["count"] == 1


async def test_rows_update_tell_before_and_after_and_are_restored(admin, app, settings):
    tag = {"name": "Core", "slug": "core"}
    await admin.post("/api/v1/tags", json=tag)
    await admin.post("/api/v1/custom-fields", json={"label": "Rack units", "kind": "number"})
    key = await enter(admin, "db-1", serial_number="S1", owner="Old", location="Rack 1")
    made = await upload(
        admin, "serial,owner,location,cf_rack_units,tags,description\nS1,New,Rack 1,2,Core,\n"
    )
    made = await configure(admin, made, identify_by="serial_number")
    (row,) = await dry_run(admin, made)
    assert (row["outcome"], row["device_id"], row["name"]) == ("update", key, "db-1")
    assert row["changes"] == [
        {"field": "owner", "before": "Old", "after": "New"},
        {"field": "cf_rack_units", "before": "", "after": "2"},
        {"field": "tags", "before": "", "after": "core"},
    ]
    await work(app, settings, admin, made, "apply")
    device = (await admin.get(f"/api/v1/devices/{key}")).json()
    assert (device["owner"], device["tags"], device["custom_fields"]) == ("New", ["core"], {"rack_units": 2})
    sources = (await admin.get(f"/api/v1/devices/{key}/sources")).json()
    assert sources["sources"][0]["attributes"]["owner"] == "New"
    again = await configure(admin, await upload(admin, "serial,owner\nS1,New\n"), identify_by="serial_number")
    assert [one["outcome"] for one in await dry_run(admin, again)] == ["unchanged"]
    undone = await work(app, settings, admin, made, "undo")
    assert undone["counts"]["restored"] == 1
    device = (await admin.get(f"/api/v1/devices/{key}")).json()
    assert (device["owner"], device["tags"], device["custom_fields"]) == ("Old", [], {})
    assert (await admin.post(f"{HOME}/{made['id']}/undo", headers=WHY)).status_code == 409


@pytest.mark.parametrize(
    ("text", "field", "words"),
    [
        ("name,device_type\nx,toaster\n", "device_type", "Must be"),
        ("name,warranty_until\nx,soon\n", "warranty_until", "date"),
        ("name,department\nx,Nowhere/At all\n", "department", "no department"),
        ("name,location_path\nx,Moon\n", "location_path", "no location"),
        ("name,tags\nx,unheard-of\n", "tags", "no tag"),
        ("name,serial\n,S9\n", "name", "Required"),
        ("id,name\n0198f6a0-0000-7000-8000-000000000001,x\n", "id", "no such device"),
        ("name,nic,mac\nx,eth0,zz\n", "mac_address", "MAC"),
        ("name,nic,ip\nx,,10.0.0.1\n", "interface", "Required"),
    ],
)
async def test_a_wrong_row_names_field_and_cure(admin, text, field, words):
    (row,) = await dry_run(admin, await upload(admin, text))
    assert row["outcome"] == "wrong"
    assert row["problems"][0]["field"] == field
    assert words in row["problems"][0]["message"]


async def test_rows_about_one_device_are_refused(admin):
    await enter(admin, "a")
    rows = await dry_run(admin, await upload(admin, "name,owner\na,x\na,y\nb,x\nb,y\n"))
    assert [one["outcome"] for one in rows] == ["update", "wrong", "create", "wrong"]


async def test_existing_devices_may_be_left_and_empty_cells_may_clear(admin):
    await enter(admin, "a", owner="x")
    made = await upload(admin, "name,owner\na,\n")
    assert [one["outcome"] for one in await dry_run(admin, made)] == ["unchanged"]
    made = await configure(admin, made, empty_cells="clear")
    assert (await dry_run(admin, made))[0]["changes"] == [{"field": "owner", "before": "x", "after": ""}]
    made = await configure(admin, made, existing="leave")
    assert [one["outcome"] for one in await dry_run(admin, made)] == ["unchanged"]


async def test_a_file_is_imported_as_a_whole_or_row_by_row(admin, app, settings):
    made = await upload(admin, "name\na\nb\n")
    await dry_run(admin, made)
    await enter(admin, "b")
    done = await work(app, settings, admin, made, "apply")
    assert done["counts"] == {"create": 2, "created": 1, "failed": 1}
    whole = await configure(admin, await upload(admin, "name\nc\nd\n"), all_or_nothing="file")
    await dry_run(admin, whole)
    await enter(admin, "d")
    failed = await work(app, settings, admin, whole, "apply")
    assert (failed["status"], failed["counts"]) == ("failed", {"create": 2, "failed": 1})
    assert "row 3" in failed["problem"]
    assert (await admin.get("/api/v1/devices?name=c")).json()["count"] == 0
    wrong = await configure(admin, await upload(admin, "name,type\ne,\nf,toaster\n"), all_or_nothing="file")
    await dry_run(admin, wrong)
    answer = await admin.post(f"{HOME}/{wrong['id']}/apply", headers=WHY)
    assert answer.status_code == 409


async def test_what_changed_since_the_dry_run_is_not_overwritten(admin, app, settings):
    key = await enter(admin, "a", owner="x")
    made = await upload(admin, "name,owner\na,y\n")
    await dry_run(admin, made)
    await admin.patch(f"/api/v1/devices/{key}", json={"owner": "z"})
    done = await work(app, settings, admin, made, "apply")
    assert done["counts"] == {"update": 1, "failed": 1}
    assert (await admin.get(f"/api/v1/devices/{key}")).json()["owner"] == "z"


async def test_it_needs_a_dry_run_and_a_reason(admin):
    made = await upload(admin, "name\na\n")
    assert (await admin.post(f"{HOME}/{made['id']}/apply", headers=WHY)).status_code == 409
    await dry_run(admin, made)
    assert (await admin.post(f"{HOME}/{made['id']}/apply")).status_code == 422
    assert (await admin.delete(f"{HOME}/{made['id']}")).status_code == 204
    assert (await admin.get(f"{HOME}/{made['id']}")).status_code == 404


async def test_departments_bound_what_rows_may_do(app, admin, settings):
    async with neighbors(app) as people:
        theirs = await enter(people.north, "n-1", department_id=people.north_id)
        text = f"id,name,department\n,s-1,{people.south_id}\n,n-2,{people.north_id}\n,none,\n{theirs},x,\n"
        made = await upload(people.south, text)
        rows = await dry_run(people.south, made)
        assert [one["outcome"] for one in rows] == ["create", "wrong", "wrong", "wrong"]
        assert rows[3]["problems"][0]["message"].startswith("There is no such device")
        assert (await people.north.get(f"{HOME}/{made['id']}")).status_code == 404
        assert (await people.north.get(f"{HOME}/{made['id']}/items")).status_code == 404
        assert (await people.north.get(HOME)).json()["count"] == 0
        assert (await admin.get(f"{HOME}/{made['id']}")).status_code == 200
        done = await work(app, settings, people.south, made, "apply")
        assert done["counts"]["created"] == 1
        assert (await people.south.get("/api/v1/devices?name=s-1")).json()["count"] == 1


async def test_the_template_and_the_fields_fit_each_other(admin):
    answer = await admin.get(f"{HOME}/template?format=yaml")
    made = await upload(admin, answer.content, "template.yaml")
    assert set(made["mapping"].values()) == set(made["columns"])
    assert [one["outcome"] for one in await dry_run(admin, made)] == ["create"]
    names = {one["name"] for one in (await admin.get(f"{HOME}/fields")).json()}
    assert set(made["columns"]) <= names


async def test_a_plain_list_of_machines_is_guessed_whole(admin):
    made = await upload(admin, "Hostname;S/N;MAC;IP\nweb-1;S1;52-54-00-12-34-56;192.0.2.10\n")
    assert made["mapping"] == {"Hostname": "name", "S/N": "serial_number", "MAC": None, "IP": None}
    assert [one["outcome"] for one in await dry_run(admin, made)] == ["create"]
    wrong = {"mapping": {"Hostname": "name", "MAC": "mac_address"}}
    answer = await admin.put(f"{HOME}/{made['id']}", json=wrong)
    (told,) = answer.json()["errors"]
    assert told["field"] == "mapping.MAC"
    assert "Interface name" in told["message"]
    unknown = await admin.put(f"{HOME}/{made['id']}", json={"mapping": {"Hostname": "nam"}})
    assert "the fields are id, name, hostname" in unknown.json()["errors"][0]["message"]
