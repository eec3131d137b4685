"""The pages of retention, archive and deletion."""

import re
import time

import pytest

from fleetkeeper.console.retention_panels import outcome_table
from fleetkeeper.jobs.service import newest_run
from fleetkeeper.kit.sizes import size_text
from fleetkeeper.telemetry.archive import runs
from fleetkeeper.telemetry.archive.schemas import Outcome
from fleetkeeper.telemetry.chunks import jobs as chunks
from fleetkeeper.telemetry.rollups import jobs as rollups
from tests.factories.telemetry import add_frames, make_channels, make_device, make_layout
from tests.fixtures.client import TEST_CONTEXT
from tests.fixtures.jobs import run_job

HOME = "/settings/retention"
DAY = 86_400_000_000
# What the form of a policy has from the start.
PRESET = {"priority": "0", "downsample_interval": "1 hour"}


@pytest.fixture
async def device(app, connection, settings):
    """A device with a sealed day of twelve days ago."""
    device = make_device(connection, "an-old-one")
    layout = make_layout(connection, device, make_channels(connection, "a"))
    start = int(time.time()) // 86_400 * DAY - 12 * DAY
    add_frames(connection, device, layout, {start + n * 60_000_000: [float(n)] for n in range(50)})
    await chunks.seal_frames(app.state.database.url, settings.telemetry)
    await rollups.refresh_rollups(app.state.database.url, settings)
    return device


class TestPolicies:
    async def test_the_settings_page_leads_there(self, browser):
        assert f'href="{HOME}"' in await browser.page("/settings")
        page = await browser.page(HOME)
        assert "Everything else" in page
        assert "30 days" in page

    async def test_made_changed_and_deleted(self, browser, connection):
        fields = {
            "name": "Short <b>",
            "metric_group": "",
            "device_type": "",
            "raw_days": "9",
            "priority": "3",
            "downsample_interval": "1 hour",
        }
        answer = await browser.send(f"{HOME}/policies", **fields)
        assert answer.headers["HX-Redirect"] == HOME
        page = await browser.page(HOME)
        assert "Short &lt;b&gt;" in page
        number = connection.execute("SELECT id FROM archive_policy WHERE priority = 3").fetchone()[0]
        form = await browser.page(f"{HOME}/policies/{number}")
        assert 'value="9"' in form
        fields |= {"raw_days": "", "archive_after_days": "20", "change_reason": "asked for"}
        await browser.send(f"{HOME}/policies/{number}", **fields)
        row = connection.execute(
            "SELECT archive_enabled, archive_after_days FROM archive_policy WHERE id = %s", (number,)
        ).fetchone()
        assert row == (False, 20)
        await browser.send(f"{HOME}/policies/{number}/delete")
        assert "Short" not in await browser.page(HOME)

    async def test_an_error_stands_at_its_field(self, browser):
        answer = await browser.send(
            f"{HOME}/policies", **PRESET, name="x", raw_days="5", archive_after_days="9"
        )
        assert answer.status_code == 422
        assert 'id="new-policy-archive_after_days-error"' in answer.text
        assert 'value="9"' in answer.text
        answer = await browser.send(f"{HOME}/policies/1", **PRESET, name="x", raw_days="never")
        assert answer.status_code == 422
        assert "Must be a whole number" in answer.text

    async def test_the_base_policy_stays_for_everything(self, browser):
        page = await browser.page(f"{HOME}/policies/1")
        assert 'name="raw_days"' in page
        assert 'name="metric_group"' not in page
        values = {"name": "All", "raw_days": "30", "metric_group": "cpu"}
        answer = await browser.send(f"{HOME}/policies/1", **PRESET, **values)
        assert answer.status_code == 422
        assert "This is the policy for everything" in answer.text

    async def test_the_base_policy_has_no_button_to_delete_it(self, browser):
        assert f"{HOME}/policies/1/delete" not in await browser.page(HOME)

    async def test_a_viewer_sees_nothing_of_it(self, viewer_browser):
        for address in (HOME, f"{HOME}/preview", f"{HOME}/files", f"{HOME}/deletions"):
            await viewer_browser.page(address, 403)


async def newest(app):
    async with app.state.database.session(TEST_CONTEXT) as session:
        return await newest_run(session, runs.RETAIN_TASK)


class TestRuns:
    async def test_told_first_and_done_then(self, app, browser, device, settings):
        assert "Nothing is due" in await browser.page(f"{HOME}/preview")
        await browser.send(f"{HOME}/policies/1", **PRESET, name="All", raw_days="", archive_after_days="10")
        page = await browser.page(f"{HOME}/preview")
        assert "Archived" in page
        assert "No raw samples are lost" in page
        await browser.send(f"{HOME}/run", change_reason="to see it")
        page = await browser.page(HOME)
        assert "A run is queued" in page
        run = await newest(app)
        assert run.reason == "to see it"
        await run_job(app, settings, runs.RETAIN_TASK, run.id)
        page = await browser.page(HOME)
        assert "50 samples to files" in page
        assert str(settings.home / "archive") in page
        assert "day=" in await browser.page(f"{HOME}/files")
        assert (await browser.send(f"{HOME}/verify")).headers["HX-Redirect"] == f"{HOME}/files"

    async def test_what_goes_for_good_is_said(self, browser, device):
        await browser.send(f"{HOME}/policies/1", **PRESET, name="All", raw_days="11")
        page = await browser.page(f"{HOME}/preview")
        assert "50 samples are deleted permanently" in page
        assert "btn-danger" in page


class TestDeletions:
    async def test_seen_confirmed_and_done(self, app, browser, device, settings, connection):
        assert str(device) in await browser.page(f"{HOME}/deletions?device={device}")
        answer = await browser.send(f"{HOME}/deletions/preview", device="an-old-one")
        assert f'value="{device}"' in answer.text
        assert "an-old-one" in answer.text
        assert "This cannot be undone" in answer.text
        refused = await browser.send(f"{HOME}/deletions", device=str(device))
        assert refused.status_code == 422
        answer = await browser.send(f"{HOME}/deletions", device=str(device), change_reason="sold")
        assert answer.headers["HX-Redirect"] == f"{HOME}/deletions"
        await runs.delete_requested(app.state.database, settings)
        page = await browser.page(f"{HOME}/deletions")
        assert "sold" in page
        assert "done" in page
        assert connection.execute("SELECT count(*) FROM chunks").fetchone() == (0,)

    async def test_a_day_that_is_none_stands_at_its_field(self, browser, device):
        address = f"{HOME}/deletions/preview"
        answer = await browser.send(address, device="an-old-one", first_day="tomorrow", last_day="2026-01-02")
        assert answer.status_code == 422
        assert 'id="deletion-first_day-error"' in answer.text
        assert 'value="2026-01-02"' in answer.text
        shown = await browser.send(address, device="an-old-one", metric="a", last_day="2026-01-02")
        hidden = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', shown.text))
        assert hidden | {"csrf_token": ""} == {
            "csrf_token": "",
            "device": str(device),
            "metric": "a",
            "first_day": "",
            "last_day": "2026-01-02",
        }

    @pytest.mark.parametrize("device_id", ["", "x", "0198f6a0-0000-7000-8000-000000000001"])
    async def test_a_wrong_device(self, browser, device_id):
        answer = await browser.send(f"{HOME}/deletions/preview", device=device_id)
        assert answer.status_code in {404, 422}


@pytest.mark.parametrize(
    ("size", "text"),
    [(0, "0 B"), (999, "999 B"), (1536, "1.5 KiB"), (123_456_789, "118 MiB"), (4 * 2**50, "4096 TiB")],
)
def test_sizes(size, text):
    assert size_text(size) == text


def test_small_files_that_became_larger_ones_are_told():
    table = outcome_table(Outcome(united_files=12), "Outcome", "", "Nothing")
    [row] = table.rows
    assert [cell.text for cell in row.cells][:3] == ["All policies", "", "small files: 12"]
    assert not outcome_table(Outcome(), "Outcome", "", "Nothing").rows
