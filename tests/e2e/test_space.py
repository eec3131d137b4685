"""The page of space and health in a browser: figures, charts, asking for a measurement, phone and dark."""

import time

import psycopg
import pytest
from playwright.async_api import expect

from fleetkeeper.identity.permissions import Role
from fleetkeeper.telemetry.chunks import jobs as chunks
from fleetkeeper.telemetry.space.jobs import MEASURE_TASK, measure_space
from tests.e2e.browsers import NEEDS_BROWSER
from tests.factories.telemetry import add_frames, make_channels, make_device, make_layout
from tests.fixtures.client import PASSWORD, make_user

pytestmark = NEEDS_BROWSER
HOME = "/telemetry/space"
DAY = 86_400_000_000


@pytest.fixture
async def fleet(app, connection: psycopg.Connection, settings) -> None:
    """Three devices with sealed and hot samples, and a day of arrivals."""
    await make_user(app.state.database, "maria", Role.ADMIN)
    start = int(time.time()) // 86_400 * DAY - 2 * DAY
    now = int(time.time() * 1e6)
    channels = make_channels(connection, "cpu_usage_percent", "memory_used_bytes")
    for name in ("web-01", "web-02", "database-with-a-rather-long-name.example.org"):
        device = make_device(connection, name)
        layout = make_layout(connection, device, channels)
        rows = {start + n * 60_000_000: [float(n % 90), float(n)] for n in range(1000)}
        add_frames(connection, device, layout, rows)
    await chunks.seal_frames(app.state.database.url, settings.telemetry)
    add_frames(connection, device, layout, {now - n * 1_000_000: [1.0, float(n)] for n in range(100)})
    connection.execute(
        "INSERT INTO intake_minutes SELECT date_trunc('minute', now()) - n * interval '1 minute', 'native', "
        "'accepted', '', 60000 + (n % 7) * 9000 FROM generate_series(0, 1400) n"
    )
    connection.execute("INSERT INTO intake_minutes VALUES (now(), 'native', 'rejected', 'time', 40)")
    await measure_space(app.state.database)
    connection.execute(
        "INSERT INTO space_totals SELECT measured_at - n * interval '1 day', tier, samples, size_bytes * (25 - n) / 25 "
        "FROM space_totals, generate_series(1, 24) n"
    )


async def test_the_page_of_space(app, fleet, visit, connection: psycopg.Connection, tmp_path):
    maria = await visit()
    await maria.sign_in("maria", PASSWORD)
    await maria.page.click("nav a[href='/telemetry/space']")
    await expect(maria.page.locator("#tiers tbody tr")).to_have_count(5)
    for chart in ("#growth", "#rate", "#new-channels"):
        box = await maria.page.locator(f"{chart} svg.drawn-field").bounding_box()
        assert box is not None
        assert box["height"] > 100
    await maria.page.screenshot(path=tmp_path / "light.png", full_page=True)

    await maria.page.click("text=Measure now")
    await expect(maria.page.locator("#measurement")).to_contain_text("Measuring")
    # What the worker does.
    await measure_space(app.state.database)
    connection.execute("DELETE FROM procrastinate_jobs WHERE task_name = %s", (MEASURE_TASK,))
    await expect(maria.page.locator("#measurement button")).to_be_visible()
    assert not maria.problems

    await maria.page.click("text=Storage by device >> nth=-1")
    await expect(maria.page.locator("#devices tbody tr")).to_have_count(3)
    await maria.page.fill("[data-search-field]", "web-02")
    await expect(maria.page.locator("#devices tbody tr")).to_have_count(1)
    assert not maria.problems

    phone = await visit("phone", "dark")
    await phone.sign_in("maria", PASSWORD)
    assert await phone.open(HOME) == 200
    assert await phone.is_within_its_width()
    await phone.page.screenshot(path=tmp_path / "phone.png", full_page=True)
    assert not phone.problems
