"""Silences in the console: the form that needs no IDs and no RRULE, and their pages."""

import re
from datetime import UTC, datetime

import pytest

from tests.factories.telemetry import make_device

HOME = "/alerts/silences"
WEEKLY = {
    "name": "Sundays",
    "matchers": "severity=warning",
    "starts_at": "2026-11-01T02:00",
    "ends": "after",
    "lasts": "2h",
    "repeats": "weekly",
    "week_days": "SU",
    "time_zone": "Europe/Berlin",
}
ONCE = {
    "name": "Upgrade",
    "matchers": "severity=warning",
    "ends": "after",
    "lasts": "30m",
    "repeats": "never",
}


@pytest.fixture
async def made(browser, admin):
    """Makes a silence by the form; returns it as the API has it."""

    async def make(**values):
        answer = await browser.send(HOME, **values)
        assert answer.status_code == 204, answer.text
        page = answer.headers["HX-Redirect"]
        return (await admin.get(f"/api/v1/alert-silences/{page.rpartition('/')[2]}")).json()

    return make


class TestForm:
    async def test_makes_the_rule(self, browser, made, monkeypatch):
        # A Wednesday: while it applies it has no next time.
        wednesday = datetime(2026, 11, 25, 12, tzinfo=UTC)
        monkeypatch.setattr("fleetkeeper.console.silence_list.utc_now", lambda: wednesday)
        silence = await made(**WEEKLY)
        assert silence["recurrence"] == "FREQ=WEEKLY;BYDAY=SU"
        assert silence["starts_at"] == "2026-11-01T01:00:00Z"
        assert silence["duration_seconds"] == 7200
        assert silence["ends_at"] is None
        page = await browser.page(f"{HOME}/{silence['id']}")
        assert "Every Sunday 02:00\N{EN DASH}04:00 Europe/Berlin" in page
        assert "Next on Sunday" in page
        assert "Every Sunday" in await browser.page(HOME)

    @pytest.mark.parametrize(
        ("chosen", "rule"),
        [
            ({"repeats": "daily"}, "FREQ=DAILY"),
            ({"repeats": "monthly_on_day", "month_day": "-1"}, "FREQ=MONTHLY;BYMONTHDAY=-1"),
            ({"repeats": "monthly_on_weekday", "ordinal": "1", "week_day": "TU"}, "FREQ=MONTHLY;BYDAY=1TU"),
            ({"repeats": "custom", "rule": "FREQ=DAILY;INTERVAL=3"}, "FREQ=DAILY;INTERVAL=3"),
        ],
    )
    async def test_each_choice_is_there_again_when_it_is_changed(self, browser, made, admin, chosen, rule):
        silence = await made(**WEEKLY | chosen)
        assert silence["recurrence"] == rule
        settings = await browser.page(f"{HOME}/{silence['id']}?tab=settings")
        assert re.search(rf'value="{chosen["repeats"]}"\s+selected', settings)
        assert 'value="2026-11-01T02:00"' in settings
        assert 'value="2h"' in settings

    async def test_end_may_be_a_moment(self, made):
        moment = {"starts_at": "2026-12-24T18:00", "ends": "at", "ends_at": "2026-12-24T20:30"}
        silence = await made(**ONCE | moment | {"time_zone": "America/New_York"})
        assert silence["starts_at"] == "2026-12-24T23:00:00Z"
        assert silence["ends_at"] == "2026-12-25T01:30:00Z"
        assert silence["recurrence"] is None

    async def test_device_is_chosen_by_name(self, browser, made, connection):
        desk = make_device(connection, "desk")
        offered = await browser.part("/suggestions/devices?device=des")
        assert 'value="desk"' in offered
        silence = await made(**ONCE | {"matchers": "", "device": "desk"})
        assert silence["device_id"] == str(desk)
        page = await browser.page(f"{HOME}/{silence['id']}")
        assert f'href="/devices/{desk}"' in page
        assert 'value="desk"' in await browser.page(f"{HOME}/{silence['id']}?tab=settings")

    async def test_namesakes_are_told_apart_by_id(self, browser, made, connection):
        first, second = make_device(connection, "twin"), make_device(connection, "twin")
        offered = await browser.part("/suggestions/devices?device=twin")
        assert f'value="{first}"' in offered
        assert f'value="{second}"' in offered
        answer = await browser.send(HOME, **ONCE | {"device": "twin"})
        assert "Several devices have this name" in answer.text
        assert (await made(**ONCE | {"device": str(second)}))["device_id"] == str(second)

    @pytest.mark.parametrize(
        ("wrong", "words"),
        [
            ({"matchers": ""}, "Enter a device, tag, department or label matchers"),
            ({"device": "nothing"}, "No device is named nothing"),
            ({"lasts": "soon"}, "Enter a duration such as"),
            ({"lasts": ""}, "Enter a duration such as 2h"),
            ({"ends": "at"}, "Enter when the silence ends"),
            (
                {"ends": "at", "starts_at": "2026-12-24T18:00", "ends_at": "2026-12-24T17:00"},
                "Must be after the start",
            ),
            ({"time_zone": "Europe/Nowhere"}, "Choose one of the time zones"),
            ({"repeats": "custom", "rule": "FREQ=SOMETIMES"}, "FREQ is one of"),
        ],
    )
    async def test_what_is_wrong_is_said_at_its_field(self, browser, wrong, words):
        answer = await browser.send(HOME, **ONCE | wrong)
        assert answer.status_code == 422
        assert words in answer.text
        assert 'value="Upgrade"' in answer.text

    async def test_all_that_is_wrong_is_said_in_one_round(self, browser):
        wrong = {"name": "", "device": "nothing", "lasts": "soon", "matchers": "a=", "time_zone": "Nowhere"}
        answer = await browser.send(HOME, **ONCE | wrong | {"repeats": "custom", "rule": "FREQ=SOMETIMES"})
        assert answer.status_code == 422
        for words in (
            "Must not be empty",
            "No device is named nothing",
            "Enter a duration such as",
            "Choose one of the time zones",
            "FREQ is one of",
        ):
            assert words in answer.text

    async def test_says_in_advance_what_it_needs(self, browser):
        assert "needs at least one of device, tag, department and label matchers" in await browser.page(HOME)

    async def test_late_change_is_told(self, browser, made):
        silence = await made(**WEEKLY)
        page = f"{HOME}/{silence['id']}"
        assert (await browser.send(page, **WEEKLY | {"version": "1", "lasts": "3h"})).status_code in {
            204,
            412,
        }
        assert (await browser.send(page, **WEEKLY | {"version": "0", "lasts": "4h"})).status_code == 412


class TestSuggestions:
    async def test_another_department_s_devices_are_not_offered(self, north_browser, connection):
        desk = make_device(connection, "desk")
        assert "desk" not in await north_browser.part("/suggestions/devices?device=desk")
        for name in ("desk", str(desk)):
            answer = await north_browser.send(HOME, **ONCE | {"device": name})
            assert "No device is named" in answer.text
