"""Devices that fall silent: offline after the grace, without vital signs, and back with their next frame."""

import time
from datetime import timedelta

from fleetkeeper.devices.queries import mark_silent_offline
from fleetkeeper.kit.clock import utc_now
from tests.fixtures.client import TEST_CONTEXT


async def listed(admin, device):
    answer = (await admin.get("/api/v1/devices", params={"name": "web-01"})).json()
    (found,) = [item for item in answer["results"] if item["id"] == device.id]
    return found


async def test_silent_device_goes_offline_and_comes_back(app, device, admin, connection):
    signs = {"cpu_usage_percent": 50.0, "memory_usage_percent": 40.0, "disk_usage_percent": 30.0}
    await device.send((time.time(), signs))
    await app.state.door.freshness._try_flush()
    found = await listed(admin, device)
    assert (found["status"], found["cpu_percent"], found["disk_percent"]) == ("online", 50.0, 30.0)

    async with app.state.database.session(TEST_CONTEXT) as session:
        assert await mark_silent_offline(session, utc_now() + timedelta(seconds=1)) == 1
    found = await listed(admin, device)
    assert (found["status"], found["cpu_percent"]) == ("offline", None)
    assert connection.execute("SELECT cpu_percent FROM device_vitals").fetchone() == (None,)

    app.state.door.freshness._present_until.clear()  # what the passing of presence_seconds does
    await device.send((time.time(), signs | {"cpu_usage_percent": 60.0}))
    await app.state.door.freshness._try_flush()
    found = await listed(admin, device)
    assert (found["status"], found["cpu_percent"]) == ("online", 60.0)


async def test_device_that_reports_stays_online(app, device, admin):
    await device.send((time.time(), {"cpu_usage_percent": 50.0}))
    await app.state.door.freshness._try_flush()
    async with app.state.database.session(TEST_CONTEXT) as session:
        assert await mark_silent_offline(session, utc_now() - timedelta(seconds=30)) == 0
    assert (await listed(admin, device))["status"] == "online"
