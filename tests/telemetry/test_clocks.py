"""Clocks that are wrong hide nothing, and devices are judged by their own rhythm."""

import asyncio
import time
from datetime import timedelta

import pytest

from fleetkeeper.identity.permissions import Role
from fleetkeeper.telemetry.jobs import mark_silent_devices
from tests.console.conftest import sign_in

AHEAD = 290


async def flushed(app) -> None:
    await app.state.door.freshness._try_flush()


async def shown(admin, device) -> tuple[float, float, float]:
    """The value in `/latest`, in `/last`, and in the list of devices."""
    latest = (await admin.get(f"/api/v1/telemetry/latest?device={device.id}")).json()
    last = (await admin.get("/api/v1/telemetry/last?metric=cpu_usage_percent")).json()
    listed = (await admin.get(f"/api/v1/devices/{device.id}")).json()
    (newest,) = [one["value"] for one in latest["values"] if one["metric"] == "cpu_usage_percent"]
    return newest, last["results"][0]["values"]["cpu_usage_percent"], listed["cpu_percent"]


async def report(app, device, ts: float, value: float) -> None:
    answer = await device.send((ts, {"cpu_usage_percent": value}))
    assert answer.status_code == 200, answer.text
    await flushed(app)


class TestClocks:
    async def test_one_frame_ahead_does_not_hide_the_next(self, app, device, admin):
        now = time.time()
        await report(app, device, now - 10, 1.0)
        await report(app, device, now + AHEAD, 99.0)
        await report(app, device, now - 1, 2.0)
        assert await shown(admin, device) == (2.0, 2.0, 2.0)
        await report(app, device, now, 3.0)
        assert await shown(admin, device) == (3.0, 3.0, 3.0)

    async def test_another_process_does_not_hide_it_either(self, app, device, admin):
        now = time.time()
        await report(app, device, now + AHEAD, 99.0)
        app.state.door.freshness._flushed.clear()  # as in a process that knows nothing of it
        await report(app, device, now, 3.0)
        assert await shown(admin, device) == (3.0, 3.0, 3.0)

    async def test_a_device_that_is_ahead_shows_its_newest_and_its_skew(self, app, device, admin):
        for number in range(3):
            await report(app, device, time.time() + AHEAD - 3 + number, float(number))
        assert await shown(admin, device) == (2.0, 2.0, 2.0)
        read = (await admin.get(f"/api/v1/devices/{device.id}")).json()
        assert read["clock_skew_seconds"] == pytest.approx(AHEAD, abs=10)
        browser = await sign_in(app, "maria", Role.ADMIN)
        page = await browser.client.get(f"/devices/{device.id}")
        assert "s ahead" in page.text
        await browser.client.aclose()

    async def test_a_right_clock_has_no_skew(self, app, device, admin):
        await report(app, device, time.time(), 1.0)
        read = (await admin.get(f"/api/v1/devices/{device.id}")).json()
        assert read["clock_skew_seconds"] == 0.0

    async def test_an_old_frame_does_not_take_the_place_of_one_ahead(self, app, device, admin):
        now = time.time()
        await report(app, device, now + AHEAD, 99.0)
        await report(app, device, now - 7200, 1.0)
        assert (await shown(admin, device))[1:] == (99.0, 99.0)

    async def test_good_frames_beside_one_of_another_month_are_stored(self, app, device, admin):
        now = time.time()
        frames = [(now - number, {"cpu_usage_percent": 1.0}) for number in range(1, 50)]
        answer = await device.send(*frames, (now + 20 * 86_400, {"cpu_usage_percent": 2.0}))
        assert answer.json()["accepted"] == 49
        assert [one["index"] for one in answer.json()["rejected"]] == [49]


class TestRhythm:
    async def _pass(self, app, connection, seconds: float) -> None:
        """Let time pass, as far as presence goes."""
        app.state.door.freshness._present_until.clear()
        passed = (timedelta(seconds=seconds),)
        await asyncio.to_thread(connection.execute, "UPDATE devices SET last_seen = last_seen - %s", passed)
        connection.commit()

    async def test_one_report_a_minute_is_online_all_the_time(self, app, device, admin, connection):
        for number in range(5):
            await report(app, device, time.time(), float(number))
            await self._pass(app, connection, 55)
            if number:
                assert await mark_silent_devices(app.state.database, app.state.settings) == 0
            await self._pass(app, connection, 5)
        await report(app, device, time.time(), 9.0)
        read = (await admin.get(f"/api/v1/devices/{device.id}")).json()
        assert read["status"] == "online"
        assert read["report_interval_seconds"] == pytest.approx(60, abs=3)
        await self._pass(app, connection, 250)
        assert await mark_silent_devices(app.state.database, app.state.settings) == 1

    async def test_a_fast_device_is_offline_as_soon_as_before(self, app, device, connection):
        for number in range(4):
            await report(app, device, time.time(), float(number))
            await self._pass(app, connection, 10)
        await self._pass(app, connection, 40)
        assert await mark_silent_devices(app.state.database, app.state.settings) == 1
