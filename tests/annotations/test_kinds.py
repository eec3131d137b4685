"""Each kind of object that can be annotated: its policies, what goes with it, and who may see and change."""

import pytest

import fleetkeeper.all_models  # noqa: F401 - declares what can be annotated
from fleetkeeper.annotations.objects import KINDS
from fleetkeeper.identity.permissions import Role
from fleetkeeper.kit.ids import uuid7
from tests.factories.identity import give, make_department, make_token, make_user
from tests.fixtures.client import TEST_CONTEXT

NOTES = "/api/v1/notes"
ANNOTATIONS = ("attachments", "custom_values", "notes", "tagged")


@pytest.mark.parametrize("table", sorted(KINDS))
def test_the_database_knows_the_kind(connection, table):
    rows = connection.execute(
        "SELECT tablename FROM pg_policies WHERE policyname = %s ORDER BY 1", (f"{table}_read",)
    ).fetchall()
    assert tuple(row[0] for row in rows) == ANNOTATIONS
    trigger = "SELECT count(*) FROM pg_trigger WHERE tgname = 'forget_annotations' AND tgrelid = %s::regclass"
    assert connection.execute(trigger, (table,)).fetchone() == (1,)


def annotate(connection, table: str, key) -> None:
    """One of each."""
    tag, field = uuid7(), uuid7()
    connection.execute("INSERT INTO tags (id, name, slug) VALUES (%s, 'a', 'a')", (tag,))
    connection.execute("INSERT INTO tagged VALUES (%s, %s, %s)", (tag, table, key))
    connection.execute(
        "INSERT INTO notes (id, object_type, object_id, body) VALUES (%s, %s, %s, 'x')", (uuid7(), table, key)
    )
    connection.execute(
        "INSERT INTO custom_fields (id, object_type, name, label, kind) VALUES (%s, %s, 'a', 'A', 'text')",
        (field, table),
    )
    connection.execute(
        "INSERT INTO custom_values (field_id, field_name, object_type, object_id, value_text) "
        "VALUES (%s, 'a', %s, %s, 'x')",
        (field, table, key),
    )
    connection.execute(
        "INSERT INTO attachments (id, object_type, object_id, name, media_type, size_bytes, sha256) "
        "VALUES (%s, %s, %s, 'a', 'text/plain', 0, %s)",
        (uuid7(), table, key, bytes(32)),
    )


@pytest.mark.parametrize("table", ["devices", "groups"])
async def test_all_goes_with_its_object(app, admin, connection, device, table):
    key = device.id
    if table == "groups":
        key = (await admin.post("/api/v1/groups", json={"name": "night shift"})).json()["id"]
    annotate(connection, table, key)
    deleted = await admin.delete(f"/api/v1/{table}/{key}", headers={"X-Change-Reason": "Sold"})
    assert deleted.status_code == 204
    for name in ANNOTATIONS:
        assert connection.execute(f"SELECT count(*) FROM {name}").fetchone() == (0,), name


async def test_notes_on_people_are_for_those_who_manage_them(app, admin):
    async with app.state.database.session(TEST_CONTEXT) as session:
        nora = await make_user(session, "nora")
        await give(session, nora, Role.ADMIN, await make_department(session, "North"))
        token, name = await make_token(session, nora), f"users:{nora.id}"
    assert (await admin.post(NOTES, json={"object": name, "body": "on leave"})).status_code == 201
    assert (await admin.get(NOTES, params={"object": name})).json()["count"] == 1
    async with app.client(token) as client:
        assert (await client.get(NOTES, params={"object": name})).status_code == 404
        assert (await client.post(NOTES, json={"object": name, "body": "x"})).status_code == 404
