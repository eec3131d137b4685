"""Rules are kept in step with a folder of the server; what people imported is not touched."""

import os

import pytest
from structlog.testing import capture_logs

from fleetkeeper.alerts.rule_files.folder import MOST_FILES
from tests.fixtures.jobs import run_job

ONE = "groups: [{name: g, rules: [{alert: Full, expr: vector(1), for: 90s}]}]"
TWO = "groups: [{name: g, rules: [{alert: Full, expr: vector(2)}, {record: 'a:b', expr: vector(3)}]}]"
REASON = {"X-Change-Reason": "test"}
BROKEN = "groups: [{name: g, rules: [{alert: Full, expr: 'sum('}]}]"


@pytest.fixture
def folder(settings, tmp_path):
    settings.alerts.rule_files = tmp_path / "rules"
    settings.alerts.rule_files.mkdir()
    return settings.alerts.rule_files


@pytest.fixture
def sync(app, settings):
    async def run():
        with capture_logs() as logs:
            await run_job(app, settings, "alerts.sync_rule_files")
        return [entry for entry in logs if entry["log_level"] == "warning"]

    return run


async def files(client):
    answer = await client.get("/api/v1/alert-rules/files")
    assert answer.status_code == 200, answer.text
    return {one["name"]: one for one in answer.json()}


async def rules(client):
    answer = await client.get("/api/v1/alert-rules?origin=file")
    return {one["name"]: one for one in answer.json()["results"]}


async def import_by_hand(client, name, text):
    return await client.post(f"/api/v1/alert-rules/import?file={name}", content=text)


async def test_rules_follow_files_that_are_added_changed_and_removed(admin, folder, sync):
    (folder / "node.yml").write_text(ONE)
    (folder / "notes.txt").write_text("no rules")
    (folder / ".node.yml").write_text(BROKEN)
    assert await sync() == []
    first = (await files(admin))["node.yml"]
    assert (first["rules"], first["error"]) == (1, "")
    full = (await rules(admin))["Full"]
    assert full["for_seconds"] == 90
    await sync()
    assert (await files(admin))["node.yml"] == first, "what is unchanged is not imported again"
    (folder / "node.yml").write_text(TWO)
    (folder / "net.yaml").write_text(ONE.replace("Full", "Down"))
    await sync()
    assert {name: one["rules"] for name, one in (await files(admin)).items()} == {
        "net.yaml": 1,
        "node.yml": 2,
    }
    changed = (await rules(admin))["Full"]
    assert (changed["id"], changed["for_seconds"]) == (full["id"], 0)
    (folder / "node.yml").unlink()
    await sync()
    assert set(await files(admin)) == {"net.yaml"}
    assert set(await rules(admin)) == {"Down"}


async def test_a_broken_file_leaves_its_rules_and_is_told_once(admin, folder, sync):
    (folder / "node.yml").write_text(ONE)
    (folder / "net.yml").write_text(BROKEN)
    (warning,) = await sync()
    assert warning["file"] == "net.yml"
    (folder / "node.yml").write_text(BROKEN)
    (warning,) = await sync()
    assert (warning["file"], await sync()) == ("node.yml", [])
    listed = await files(admin)
    assert "group 'g', rule 'Full', expr" in listed["node.yml"]["error"]
    assert (listed["node.yml"]["rules"], listed["net.yml"]["synced_at"]) == (1, None)
    (folder / "node.yml").write_text(ONE)
    (folder / "net.yml").unlink()
    await sync()
    assert {name: one["error"] for name, one in (await files(admin)).items()} == {"node.yml": ""}


async def test_a_file_that_cannot_be_stored_says_where(admin, folder, sync):
    (folder / "node.yml").write_text(ONE.replace("Full", "x" * 200))
    (folder / "bytes.yml").write_bytes(b"\xff")
    (folder / "large.yml").write_bytes(b"#" * 600_000)
    (folder / "folder.yml").mkdir()
    os.mkfifo(folder / "pipe.yml")
    await sync()
    errors = {name: one["error"] for name, one in (await files(admin)).items()}
    assert errors.pop("node.yml").startswith("Line 1, group 'g', rule 'xxx")
    assert errors == {
        "bytes.yml": "The file is not UTF-8",
        "large.yml": "The file is larger than 512 KiB",
        "folder.yml": "This is no file",
        "pipe.yml": "This is no file",
    }


async def test_files_that_people_imported_stay_theirs(admin, folder, sync):
    await import_by_hand(admin, "hand.yml", ONE.replace("Full", "By hand"))
    (folder / "hand.yml").write_text(BROKEN)
    await sync()
    (folder / "hand.yml").unlink()
    await sync()
    (rule,) = (await rules(admin)).values()
    assert await files(admin) == {}
    assert (await admin.delete(f"/api/v1/alert-rules/{rule['id']}", headers=REASON)).status_code == 204


async def test_the_folder_takes_over_the_rules_of_a_file_with_the_same_name(admin, folder, sync):
    await import_by_hand(admin, "node.yml", ONE)
    before = (await rules(admin))["Full"]
    (folder / "node.yml").write_text(ONE)
    await sync()
    assert (await rules(admin))["Full"] == before
    (folder / "node.yml").unlink()
    await sync()
    assert await rules(admin) == {}


@pytest.mark.parametrize("problem", ["missing", "many", "name"])
async def test_a_folder_that_cannot_be_read_changes_nothing(admin, folder, sync, problem):
    (folder / "node.yml").write_text(ONE)
    await sync()
    (folder / "node.yml").unlink()
    if problem == "missing":
        folder.rmdir()
    elif problem == "many":
        for number in range(MOST_FILES + 1):
            (folder / f"{number}.yml").touch()
    else:
        (folder / os.fsdecode(b"\xff.yml")).touch()
    (warning,) = await sync()
    assert str(folder) in warning["problem"] or "\\udcff" in warning["problem"]
    assert await sync() == []
    assert set(await rules(admin)) == {"Full"}


async def test_rules_of_the_folder_are_only_enabled_and_disabled(admin, folder, sync):
    (folder / "node.yml").write_text(ONE)
    await sync()
    rule = (await rules(admin))["Full"]
    url = f"/api/v1/alert-rules/{rule['id']}"
    told = {"id", "origin", "origin_key", "version", "created_at", "updated_at"}
    given = {name: value for name, value in rule.items() if name not in told}
    for answer in (
        await admin.put(url, json=given | {"severity": "critical"}),
        await admin.delete(url, headers=REASON),
        await import_by_hand(admin, "node.yml", ""),
    ):
        assert answer.status_code == 409, answer.text
        assert "node.yml" in answer.json()["detail"]
    answer = await admin.put(url, json=given | {"enabled": False})
    assert answer.status_code == 200, answer.text
    (folder / "node.yml").write_text(TWO)
    await sync()
    assert (await rules(admin))["Full"]["enabled"] is False


async def test_without_the_setting_rules_become_peoples(admin, folder, sync, settings):
    (folder / "node.yml").write_text(ONE)
    await sync()
    settings.alerts.rule_files = None
    await sync()
    assert set(await rules(admin)) == {"Full"}
    assert (await import_by_hand(admin, "node.yml", "")).json()["removed"] == 1


async def test_files_are_listed_for_those_who_see_all_alerts(token_for, place):
    within = await token_for(["alerts:read"], place)
    assert (await within.get("/api/v1/alert-rules/files")).status_code == 403
    everywhere = await token_for(["alerts:read"])
    assert (await everywhere.get("/api/v1/alert-rules/files")).json() == []
