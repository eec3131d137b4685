"""The page of jobs and their runs."""

import json
import re
from uuid import UUID

import pytest

from fleetkeeper.console.job_panels import progress_text, schedule_words
from fleetkeeper.database.status_history import changes_of
from fleetkeeper.jobs.schemas import RunRead
from fleetkeeper.jobs.service import enqueue
from fleetkeeper.kit.clock import utc_now
from fleetkeeper.kit.ids import uuid7
from tests.fixtures.client import TEST_CONTEXT


async def test_a_job_is_run_watched_and_cancelled(app, browser):
    page = await browser.page("/jobs")
    assert "No runs yet" in page
    assert 'action="/jobs/telemetry.measure_space/run"' in page
    # What comes by itself every minute needs no button.
    assert 'action="/jobs/audit.seal/run"' not in page
    answer = await browser.send("/jobs/telemetry.measure_space/run")
    assert answer.status_code == 204
    assert json.loads(answer.headers["HX-Trigger"])["toast"]["text"] == "Queued “Measure storage”"
    page = await browser.page("/jobs")
    assert "data-refresh-seconds" in page
    assert "never" not in page
    cancel = re.search(r'action="(/jobs/runs/[^"]+/cancel)"', page)[1]
    assert (await browser.send(cancel)).status_code == 204
    page = await browser.page("/jobs")
    assert "cancelled" in page
    assert "/cancel" not in page


async def test_the_logs_keep_who_ran_and_cancelled(app, admin, browser):
    await browser.send("/jobs/telemetry.measure_space/run")
    run = (await admin.get("/api/v1/jobs/runs")).json()["results"][0]
    await browser.send(f"/jobs/runs/{run['id']}/cancel")
    entries = (await admin.get("/api/v1/audit?resource_type=jobs")).json()["results"]
    kept = [(one["action"], one["actor_name"], one["record_id"]) for one in entries]
    assert kept == [("jobs.cancel", "maria", run["id"]), ("jobs.run", "maria", run["id"])]
    async with app.state.database.session(TEST_CONTEXT) as session:
        (move,) = await changes_of(session, UUID(run["id"]))
    assert (move.old_status, move.new_status, move.changed_by) == ("waiting", "cancelled", "maria")


async def test_who_may_only_look_sees_no_buttons(app, browser, viewer_browser):
    async with app.state.database.session(TEST_CONTEXT) as session:
        await enqueue(session, "telemetry.measure_space")
    assert (await viewer_browser.client.get("/jobs")).status_code == 403
    assert 'action="/jobs' in await browser.page("/jobs")


def test_progress_is_a_share_where_the_whole_is_known():
    def words(**values: object) -> str:
        fields = {"phase": "Counting", "done": 0, "total": None, "error": "", "reason": "", "outcome": {}}
        fields |= {"requested_by": "", "started_at": None, "finished_at": None, "cancel_requested_at": None}
        fields |= {
            "id": uuid7(),
            "job": "x",
            "key": "",
            "state": "running",
            "requested_at": utc_now(),
            "attempts": 1,
        }
        return progress_text(RunRead(**(fields | values)))

    assert words(phase="") == ""
    assert words() == "Counting"
    assert words(done=1234) == "Counting: 1,234"
    assert words(done=1, total=3) == "Counting: 33 %"
    assert words(done=9, total=3) == "Counting: 100 %"


@pytest.mark.parametrize(
    ("cron", "words"),
    [
        ("", "On request"),
        ("* * * * *", "Every minute"),
        ("*/5 * * * *", "Every 5 minutes"),
        ("7 * * * *", "Hourly at :07"),
        ("37 2 * * *", "Daily at 02:37"),
        ("53 3 * * 0", "Sundays at 03:53"),
        ("0 0 29 2 *", "0 0 29 2 *"),
    ],
)
def test_schedules_are_said_in_words(cron, words):
    assert schedule_words(cron) == words
