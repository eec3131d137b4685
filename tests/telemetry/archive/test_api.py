"""The doors: policies, dry run, runs, files, deletions."""

import asyncio
import time
from uuid import uuid4

import pytest

from fleetkeeper.identity.permissions import Role
from fleetkeeper.telemetry.archive import jobs, runs
from fleetkeeper.telemetry.archive.verification import verify
from fleetkeeper.telemetry.chunks import jobs as chunks
from fleetkeeper.telemetry.rollups import jobs as rollups
from tests.factories.telemetry import add_frames, make_channels, make_layout
from tests.fixtures.client import make_user
from tests.fixtures.jobs import run_job

PATH = "/api/v1/telemetry/archive"
DAY = 86_400_000_000
REASON = {"X-Change-Reason": "The machine was sold"}


@pytest.fixture
async def filled(app, device, connection, settings) -> str:
    """A device with a sealed day of twelve days ago; returns its id."""
    layout = make_layout(connection, device.id, make_channels(connection, "a", "b"))
    start = int(time.time()) // 86_400 * DAY - 12 * DAY
    add_frames(connection, device.id, layout, {start + n * 60_000_000: [1.0, float(n)] for n in range(50)})
    connection.execute("UPDATE metrics SET metric_type = 'other' WHERE name = 'b'")
    await chunks.seal_frames(app.state.database.url, settings.telemetry)
    await rollups.refresh_rollups(app.state.database.url, settings)
    return device.id


class TestPolicies:
    async def test_the_first_one_is_document_004_s(self, app, admin, connection):
        [policy] = (await admin.get(f"{PATH}/policies")).json()["results"]
        assert (policy["raw_days"], policy["archive_after_days"], policy["downsample_after_days"]) == (
            30,
            None,
            None,
        )
        assert policy["is_base"] is True
        row = connection.execute(
            "SELECT id, retention_days, archive_enabled, downsample_after_days, downsample_interval FROM archive_policy"
        ).fetchone()
        assert row == (1, 30, True, 7, "1 hour")

    async def test_the_documents_own_insert_works(self, app, admin, connection):
        connection.execute("INSERT INTO archive_policy (retention_days, archive_enabled) VALUES (30, true)")
        assert len((await admin.get(f"{PATH}/policies")).json()["results"]) == 2

    async def test_made_changed_and_deleted(self, app, admin):
        wanted = {"name": "Processors", "metric_group": "cpu", "archive_after_days": 10, "raw_days": 400}
        made = (await admin.post(f"{PATH}/policies", json=wanted)).json()
        assert made["archive_after_days"] == 10
        url = f"{PATH}/policies/{made['id']}"
        changed = (await admin.patch(url, json={"raw_days": None, "downsample_after_days": 90})).json()
        assert (changed["raw_days"], changed["downsample_after_days"], changed["name"]) == (
            None,
            90,
            "Processors",
        )
        assert (await admin.get(url)).json() == changed
        assert (await admin.delete(url)).status_code == 204
        assert (await admin.get(url)).status_code == 404

    async def test_the_base_policy_and_config_are_one(self, app, admin):
        await admin.patch(f"{PATH}/policies/1", json={"raw_days": 90})
        assert (await admin.get("/api/v1/config")).json()["retention"] == {
            "days": 90,
            "archive_enabled": True,
        }
        assert (await admin.get("/api/v1/archive-policy")).json()["retention_days"] == 90
        await admin.patch("/api/v1/archive-policy", json={"archive_enabled": False})
        assert (await admin.get(f"{PATH}/policies/1")).json()["raw_days"] is None

    async def test_the_base_policy_stays(self, app, admin):
        assert (await admin.delete(f"{PATH}/policies/1")).status_code == 409
        answer = await admin.patch(f"{PATH}/policies/1", json={"metric_group": "cpu"})
        assert answer.status_code == 422
        assert answer.json()["errors"][0]["field"] == "metric_group"

    async def test_two_for_the_same_are_refused(self, app, admin):
        await admin.post(f"{PATH}/policies", json={"metric_group": "cpu"})
        assert (await admin.post(f"{PATH}/policies", json={"metric_group": "cpu"})).status_code == 409
        answer = await admin.post(f"{PATH}/policies", json={"metric_group": "cpu", "priority": 5})
        assert answer.status_code == 201

    @pytest.mark.parametrize(
        ("body", "field"),
        [
            ({"archive_after_days": 30, "raw_days": 30}, "archive_after_days"),
            ({"archive_after_days": 8, "downsample_after_days": 7}, "archive_after_days"),
            ({"day_rollup_days": 39}, "day_rollup_days"),
            ({"department_id": str(uuid4())}, "department_id"),
            ({"name": "a\0b"}, "name"),
            ({"raw_days": 0}, "raw_days"),
            ({"raw_days": 3651}, "raw_days"),
            ({"archive_after_days": 10**12}, "archive_after_days"),
            ({"downsample_interval": "1 hour; DROP TABLE frames"}, "downsample_interval"),
            ({"metric_group": ""}, "metric_group"),
            ({"retention": 1}, "retention"),
        ],
    )
    async def test_bad_ones_are_refused(self, shared, body, field):
        answer = await shared.admin.post(f"{PATH}/policies", json={"metric_group": "bad"} | body)
        assert answer.status_code == 422
        assert answer.json()["errors"][0]["field"].rpartition(".")[2] == field

    async def test_which_one_holds_and_why(self, app, admin, filled):
        made = (
            await admin.post(
                f"{PATH}/policies", json={"name": "Mine", "metric_group": "other", "raw_days": 5}
            )
        ).json()
        found = (await admin.get(f"{PATH}/effective", params={"device": filled, "metric": "b"})).json()
        assert (found["policy"]["id"], found["metric_group"]) == (made["id"], "other")
        assert "names its metric group" in found["reason"]
        assert found["others"] == ["Everything else"]
        found = (await admin.get(f"{PATH}/effective", params={"device": filled, "metric": "a"})).json()
        assert found["policy"]["id"] == 1
        answer = await admin.get(f"{PATH}/effective", params={"device": str(uuid4()), "metric": "a"})
        assert answer.status_code == 404

    async def test_viewers_may_not(self, app, viewer):
        assert (await viewer.get(f"{PATH}/policies")).status_code == 403
        assert (await viewer.post(f"{PATH}/policies", json={})).status_code == 403
        assert (await viewer.post(f"{PATH}/runs")).status_code == 403
        assert (await viewer.get(f"{PATH}/deletions")).status_code == 403


async def test_a_deletion_whose_run_is_cancelled_does_not_happen(app, admin, filled, settings, connection):
    device = str(connection.execute("SELECT id FROM devices LIMIT 1").fetchone()[0])
    reason = {"X-Change-Reason": "by mistake"}
    asked = (await admin.post(f"{PATH}/deletions", json={"device": device}, headers=reason)).json()
    [run] = (await admin.get("/api/v1/jobs/runs?job=telemetry.delete&state=waiting")).json()["results"]
    assert run["key"] == asked["id"]
    assert (await admin.post(f"/api/v1/jobs/runs/{run['id']}/cancel")).status_code == 200
    found = (await admin.get(f"{PATH}/deletions/{asked['id']}")).json()
    assert (found["state"], found["finished_at"] is None) == ("cancelled", False)
    chunks_before = connection.execute("SELECT count(*) FROM chunks").fetchone()
    assert await runs.delete_requested(app.state.database, settings) == 0
    assert connection.execute("SELECT count(*) FROM chunks").fetchone() == chunks_before


class TestRuns:
    async def test_told_first_and_done_then(self, app, admin, filled, settings, connection):
        await admin.patch(f"{PATH}/policies/1", json={"archive_after_days": 10, "raw_days": 400})
        told = (await admin.get(f"{PATH}/dry-run")).json()
        [line] = told["lines"]
        assert (line["action"], line["tier"], line["samples"], line["devices"]) == (
            "archive",
            "chunks",
            100,
            1,
        )
        assert connection.execute("SELECT count(*) FROM chunks").fetchone() == (3,)
        asked = await admin.post(f"{PATH}/runs")
        assert asked.status_code == 202
        assert asked.json()["is_new"] is True
        await run_job(app, settings, runs.RETAIN_TASK, asked.json()["id"])
        run = (await admin.get(f"/api/v1/jobs/runs/{asked.json()['id']}")).json()
        assert (run["state"], run["error"], run["requested_by"]) == ("done", "", "admin")
        assert run["outcome"]["lines"] == told["lines"]
        state = (await admin.get(PATH)).json()
        assert (state["store"], state["files"], state["rows"]) == ("local", 1, 100)
        entry = connection.execute(
            "SELECT details FROM audit_log WHERE action = 'telemetry.retention'"
        ).fetchone()
        assert entry is not None

    async def test_what_cannot_be_done_fails_the_run(self, app, admin, filled, settings):
        await admin.patch(f"{PATH}/policies/1", json={"archive_after_days": 10, "raw_days": 400})
        (settings.home / "archive").write_text("a file where the folder should be")
        asked = (await admin.post(f"{PATH}/runs")).json()["id"]
        await run_job(app, settings, runs.RETAIN_TASK, asked)
        run = (await admin.get(f"/api/v1/jobs/runs/{asked}")).json()
        assert (run["state"], run["outcome"]["lines"]) == ("failed", [])
        assert "cannot be written" in run["error"]

    async def test_one_waits_while_others_are_at_the_archive(self, app, admin, settings, monkeypatch):
        monkeypatch.setattr(runs, "_LOOK_SECONDS", 0.01)
        asked = (await admin.post(f"{PATH}/runs")).json()["id"]
        async with jobs.archive_lock(app.state.database.url) as is_ours:
            assert is_ours
            work = asyncio.create_task(run_job(app, settings, runs.RETAIN_TASK, asked))
            phase = ""
            while "Waiting for other work" not in phase:
                await asyncio.sleep(0.01)
                phase = (await admin.get(f"/api/v1/jobs/runs/{asked}")).json()["phase"]
        await work
        assert (await admin.get(f"/api/v1/jobs/runs/{asked}")).json()["state"] == "done"

    async def test_files_and_their_check(self, app, admin, filled, settings):
        await admin.patch(f"{PATH}/policies/1", json={"archive_after_days": 10, "raw_days": 400})
        await runs.retain(app.state.database, settings)
        [file] = (await admin.get(f"{PATH}/files")).json()["results"]
        assert (file["rows"], file["problem"], file["checked_at"], len(file["sha256"])) == (100, "", None, 64)
        assert (await admin.post(f"{PATH}/verify")).status_code == 202
        checked = await verify(app.state.database.url, settings)
        assert (checked.files, checked.problems) == (1, [])
        path = settings.home / "archive" / file["path"]
        data = bytearray(path.read_bytes())
        data[100] ^= 1
        path.write_bytes(data)
        checked = await verify(app.state.database.url, settings)
        assert checked.problems == [(file["path"], "its content is not what was written")]
        [file] = (await admin.get(f"{PATH}/files", params={"problem__contains": "content"})).json()["results"]
        assert file["checked_at"] is not None
        path.unlink()
        checked = await verify(app.state.database.url, settings)
        assert checked.problems == [(file["path"], "the file is not there")]
        assert (await admin.get(PATH)).json()["problems"] == 1


class TestDeletions:
    async def test_seen_asked_and_done(self, app, admin, filled, settings, connection):
        told = (await admin.get(f"{PATH}/deletions/preview", params={"device": filled, "metric": "b"})).json()
        assert (told["chunk_samples"], told["frames"], told["login_sessions"]) == (50, 0, 0)
        body = {"device": filled, "metric": "b"}
        answer = await admin.post(f"{PATH}/deletions", json=body)
        assert answer.status_code == 422
        assert answer.json()["errors"][0]["field"] == "change_reason"
        asked = await admin.post(f"{PATH}/deletions", json=body, headers=REASON)
        assert asked.status_code == 202
        assert asked.json()["state"] == "waiting"
        assert await runs.delete_requested(app.state.database, settings) == 1
        found = (await admin.get(f"{PATH}/deletions/{asked.json()['id']}")).json()
        assert (found["state"], found["reason"], found["outcome"]["chunks"]) == (
            "done",
            "The machine was sold",
            1,
        )
        assert (await admin.get(f"{PATH}/deletions")).json()["count"] == 1
        actions = connection.execute(
            "SELECT action FROM audit_log WHERE action LIKE 'telemetry.delet%' ORDER BY id"
        ).fetchall()
        assert actions == [("telemetry.deletion_asked",), ("telemetry.deleted",)]

    async def test_states_go_with_their_metric(self, app, admin, device, settings, connection):
        frame = {"ts": time.time(), "values": {}, "states": {'door{side="left"}': "open", "lit": True}}
        await device.client.post("/api/v1/telemetry", json={"frames": [frame]})
        body = {"device": device.id, "metric": "door"}
        assert (await admin.get(f"{PATH}/deletions/preview", params=body)).json()["states"] == 1
        await admin.post(f"{PATH}/deletions", json=body, headers=REASON)
        assert await runs.delete_requested(app.state.database, settings) == 1
        left = connection.execute(
            "SELECT c.key FROM states s JOIN channels c ON c.id = s.channel_id"
        ).fetchall()
        assert left == [("lit",)]

    @pytest.mark.parametrize(
        ("body", "field"),
        [
            ({"metric": "nothing"}, "metric"),
            ({"metric": "a\0"}, "metric"),
            ({"first_day": "2026-02-01", "last_day": "2026-01-01"}, "last_day"),
            ({"first_day": "0001-01-01"}, "first_day"),
            ({"first_day": "yesterday"}, "first_day"),
            ({"everything": True}, "everything"),
        ],
    )
    async def test_bad_ones_are_refused(self, app, admin, device, body, field):
        answer = await admin.post(f"{PATH}/deletions", json={"device": device.id} | body, headers=REASON)
        assert answer.status_code == 422
        assert answer.json()["errors"][0]["field"].rpartition(".")[2] == field

    async def test_of_an_unknown_device(self, app, admin):
        body = {"device": str(uuid4())}
        assert (await admin.post(f"{PATH}/deletions", json=body, headers=REASON)).status_code == 404

    async def test_an_operator_may_not(self, app, device):
        token = await make_user(app.state.database, "operator", Role.OPERATOR)
        async with app.client(token) as operator:
            answer = await operator.post(f"{PATH}/deletions", json={"device": device.id}, headers=REASON)
        assert answer.status_code == 403

    async def test_a_deleted_device_leaves_nothing(self, app, admin, filled, settings, connection):
        await admin.patch(f"{PATH}/policies/1", json={"archive_after_days": 10, "raw_days": 400})
        await runs.retain(app.state.database, settings)
        assert (
            await admin.delete(f"/api/v1/devices/{filled}", headers={"X-Change-Reason": "Sold"})
        ).status_code == 204
        job = connection.execute(
            "SELECT count(*) FROM procrastinate_jobs WHERE task_name = 'telemetry.delete'"
        ).fetchone()
        assert job == (1,)
        assert await runs.delete_requested(app.state.database, settings) == 1
        for table in ("chunks", "rollups", "archive_parts", "device_layouts"):
            assert connection.execute(f"SELECT count(*) FROM {table}").fetchone() == (0,), table

    async def test_a_deleted_device_leaves_no_state_either(self, app, admin, device, settings, connection):
        frame = {"ts": time.time(), "values": {}, "states": {"lit": True}}
        await device.client.post("/api/v1/telemetry", json={"frames": [frame]})
        assert (
            await admin.delete(f"/api/v1/devices/{device.id}", headers={"X-Change-Reason": "Sold"})
        ).status_code == 204
        assert await runs.delete_requested(app.state.database, settings) == 1
        assert connection.execute("SELECT count(*) FROM states").fetchone() == (0,)
        assert await runs.delete_requested(app.state.database, settings) == 0

    async def test_two_jobs_at_once(self, app, admin, filled, settings):
        await admin.post(f"{PATH}/deletions", json={"device": filled}, headers=REASON)
        done = await asyncio.gather(*[runs.delete_requested(app.state.database, settings) for _ in range(3)])
        assert sum(one or 0 for one in done) == 1
