"""The page of space and health."""

import html
import re
import time

import pytest

from fleetkeeper.telemetry.chunks import jobs as chunks
from fleetkeeper.telemetry.space.jobs import MEASURE_TASK, measure_first, measure_space
from tests.factories.telemetry import add_frames, make_channels, make_device, make_layout

HOME = "/telemetry/space"
DAY = 86_400_000_000


@pytest.fixture
async def measured(app, connection, settings):
    """A device with a sealed day and some hot frames, measured twice."""
    device = make_device(connection, "the <b>large one")
    layout = make_layout(connection, device, make_channels(connection, "a"))
    start = int(time.time()) // 86_400 * DAY - 2 * DAY
    add_frames(connection, device, layout, {start + n * 60_000_000: [float(n)] for n in range(1200)})
    await chunks.seal_frames(app.state.database.url, settings.telemetry)
    now = int(time.time() * 1e6)
    add_frames(connection, device, layout, {now - n * 1_000_000: [float(n)] for n in range(50)})
    await measure_space(app.state.database)
    connection.execute(
        "INSERT INTO space_totals SELECT measured_at - interval '1 day', tier, samples, size_bytes FROM space_totals"
    )
    return device


def sample_facts(part: str) -> tuple[str, str]:
    """How many samples there are in all, and what is said of them."""
    cell = part.partition("<dt>Samples</dt>")[2].partition("</dd>")[0]
    number, detail = re.search(r"<dd>\s*([^<]*)<small[^>]*>([^<]*)</small>", cell).groups()
    return number.strip(), detail


class TestPage:
    async def test_nothing_yet(self, browser):
        page = await browser.page(HOME)
        assert "Not measured yet, next at" in page
        assert "No samples in the last 24 hours." in page
        assert "The chart starts with the second one." in page
        assert 'aria-current="page"' in page

    async def test_figures(self, browser, measured, connection):
        connection.execute(
            "INSERT INTO intake_minutes VALUES (now() - interval '10 minutes', 'native', 'accepted', '', 600000),"
            "(now() - interval '10 minutes', 'otlp', 'rejected', '<i>odd', 7)"
        )
        page = await browser.page(HOME)
        assert "the &lt;b&gt;large one" in page
        assert f'href="/devices/{measured}"' in page
        assert "times smaller" in page
        assert "1\u202f250" in page
        assert "600\u202f000 samples" in page
        assert "&lt;i&gt;odd" in page
        assert page.count('class="drawn-field"') == 3
        assert "Empty tables" in page
        assert "1 changed day waiting" in page
        assert "MAX_CHANNELS_PER_DEVICE" in page

    async def test_totals_hold_what_arrived_since_the_measurement(self, browser, app, device):
        """A measurement of an empty installation does not deny what comes in the hour after it."""
        await measure_space(app.state.database)
        assert sample_facts(await browser.part(HOME)) == ("0", "hot, sealed and archived")
        now = time.time()
        await device.send(*((now - age, {"cpu_usage_percent": 5.0}) for age in range(40)))
        await app.state.intake.flush()
        part = await browser.part(HOME)
        assert sample_facts(part) == ("40", "hot, sealed and archived, 40 of them since the measurement")
        table = part.partition('id="tiers"')[2].partition("</section>")[0]
        assert re.search(r">\s*0\s*<", table) is None
        assert "next at" in part
        assert await measure_first(app.state.database)
        assert "Measuring" in await browser.part(HOME)

    async def test_search(self, browser, measured):
        assert f'href="{HOME}/devices"' in await browser.page(HOME)
        page = await browser.part(f"{HOME}/devices?q=LARGE&ordering=name")
        assert "large one</b>" in page
        address = html.unescape(re.search(r'href="(/api/v1/telemetry/space/devices/export[^"]+)"', page)[1])
        assert "large one" in (await browser.client.get(address)).text
        assert "No devices match these filters" in await browser.page(f"{HOME}/devices?q=nothing")

    async def test_measuring_shows_how_far_it_is(self, browser, app, connection):
        assert 'data-refresh-seconds="30"' in await browser.part(HOME)
        answer = await browser.send(f"{HOME}/measure")
        assert answer.headers["HX-Redirect"] == HOME
        part = await browser.part(HOME)
        assert "0 of 4 tiers done" in part
        assert 'data-refresh-seconds="2"' in part
        assert "Measure now" not in part
        await measure_space(app.state.database)
        connection.execute("DELETE FROM procrastinate_jobs WHERE task_name = %s", (MEASURE_TASK,))
        assert "Measure now" in await browser.part(HOME)

    async def test_viewers_have_no_such_page(self, viewer_browser):
        await viewer_browser.page(HOME, 403)
        assert HOME not in await viewer_browser.page("/devices")
