"""The maintenance calendar."""

from datetime import timedelta

from fleetkeeper.kit.clock import utc_now

HOME = "/alerts/calendar"
WEEKLY = {
    "name": "Sundays",
    "matchers": "severity=warning",
    "starts_at": "2026-10-01T00:00:00Z",
    "recurrence": "FREQ=WEEKLY;BYDAY=SU",
    "time_zone": "Europe/Berlin",
    "duration_seconds": 7200,
}


async def test_month_has_each_recurrence_on_the_reader_s_clock(browser, admin):
    await admin.post("/api/v1/alert-silences", json=WEEKLY)
    page = await browser.page(f"{HOME}?month=2026-10&zone=Europe/Berlin")
    # The weeks of October, with November 1: on both sides of the change of the clock it is at 02:00.
    assert page.count("<small>02:00\N{EN DASH}04:00</small>") == 4
    assert "<small>02:00\N{EN DASH}03:00</small>" in page
    assert "October 2026" in page
    assert f"{HOME}?month=2026-11&amp;zone=Europe%2FBerlin" in page
    assert "data-zone-href" not in page
    assert "data-zone-href" in await browser.page(f"{HOME}?month=2026-10")


async def test_silence_of_several_days_is_on_each(browser, admin):
    start = utc_now().replace(hour=12, minute=0, second=0, microsecond=0)
    silence = {
        "name": "Move",
        "matchers": "severity=warning",
        "starts_at": start.isoformat(),
        "ends_at": (start + timedelta(days=2)).isoformat(),
    }
    await admin.post("/api/v1/alert-silences", json=silence)
    page = await browser.page(f"{HOME}?month={start:%Y-%m}")
    assert "from 12:00" in page


async def test_empty_month_says_what_to_do(browser, viewer_browser):
    assert "No silences in this month" in await browser.page(HOME)
    assert "/alerts/silences/new?day=" in await browser.page(HOME)
    assert "/alerts/silences/new" not in await viewer_browser.page(HOME)
    assert (await browser.client.get(f"{HOME}?month=nonsense&zone=nowhere")).status_code == 200
    assert (await browser.client.get(f"{HOME}?month=9999-12")).status_code == 200


async def test_silence_is_added_on_a_day(browser):
    page = await browser.page("/alerts/silences/new?day=2026-12-24&zone=Europe/Berlin")
    assert 'value="2026-12-24T00:00"' in page
    assert (await browser.client.get("/alerts/silences/new?day=nonsense")).status_code == 200


async def test_another_department_s_silences_are_not_shown(north_browser, admin):
    south = await admin.post("/api/v1/departments", json={"name": "South"})
    await admin.post("/api/v1/alert-silences", json=WEEKLY | {"department_id": south.json()["id"]})
    assert "Sundays" not in await north_browser.page(f"{HOME}?month=2026-10")
