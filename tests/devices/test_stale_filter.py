"""Lists, counts and rows tell the same devices as stale: by the configured interval and each one's own rhythm."""

import itertools
import re
from datetime import timedelta

import pytest

from fleetkeeper.config.schemas import ConfigValues
from fleetkeeper.devices.presence import shown_status, stale_after
from fleetkeeper.identity.permissions import Role
from fleetkeeper.kit.clock import utc_now
from tests.console.conftest import sign_in

SILENCES = (0, 15, 40, 70, 95, 200, None)
RHYTHMS = (None, 1.0, 10.0, 60.0, 120.5)
STATUSES = ("online", "offline", "unknown")


@pytest.fixture
def fleet(connection) -> None:
    """A device of each silence, rhythm and status."""
    for number, (silence, rhythm, status) in enumerate(itertools.product(SILENCES, RHYTHMS, STATUSES)):
        seen = None if silence is None else utc_now() - timedelta(seconds=silence)
        (device,) = connection.execute(
            "INSERT INTO devices (id, name, hostname, status, last_seen) "
            "VALUES (uuidv7(), %(name)s, %(name)s, %(status)s, %(seen)s) RETURNING id",
            {"name": f"d{number:03}", "status": status, "seen": seen},
        ).fetchone()
        connection.execute(
            "UPDATE device_vitals SET report_interval_seconds = %s WHERE device_id = %s", (rhythm, device)
        )


async def listed(client, **filters) -> dict[str, dict]:
    """A list by name, page by page."""
    found, path, asked = {}, "/api/v1/devices", {"limit": 7, **filters}
    while path:
        page = (await client.get(path, params=asked)).json()
        found |= {one["name"]: one for one in page["results"]}
        path, asked = page["next"], None
    assert page["count"] == len(found)
    return found


async def test_all_agree(app, admin, fleet):
    interval = ConfigValues().sampling.interval_seconds
    silence = stale_after(interval, app.state.settings.telemetry.presence_seconds)
    everything, late = await listed(admin), utc_now() - silence
    expected: dict[str, set[str]] = {"online": set(), "stale": set(), "offline": set(), "unknown": set()}
    for name, one in everything.items():
        seen = one["last_seen"] and utc_now().fromisoformat(one["last_seen"])
        expected[shown_status(one["status"], seen, late, one["report_interval_seconds"])].add(name)
    assert len(expected["stale"]) > 5
    assert len(expected["online"]) > 5
    assert set(await listed(admin, status="stale")) == expected["stale"]
    assert set(await listed(admin, status="stale", ordering="-cpu_percent")) == expected["stale"]
    assert set(await listed(admin, status="online")) == expected["online"] | expected["stale"]
    browser = await sign_in(app, "maria", Role.ADMIN)
    for status in ("online", "stale", "offline"):
        page = await browser.page(f"/devices?status={status}")
        assert set(re.findall(r"data-row-link><b>([^<]+)<", page)) == expected[status]
    overview = await browser.page("/")
    figures = dict(re.findall(r'status=(\w+)".*?figure-value">(\d+)<', overview))
    assert {status: int(figures[status]) for status in ("online", "stale")} == {
        status: len(expected[status]) for status in ("online", "stale")
    }
    await browser.client.aclose()
