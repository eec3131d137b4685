"""What is asked of this moment: the newest values, of devices that are there."""

import asyncio
import time

import pytest

from tests.fixtures.client import enroll

HOME = "/api/v1/dashboards"


@pytest.fixture
async def fleet(app, admin):
    """Idle now after six busy hours, busy now after six idle ones, and one that went a minute ago at its busiest."""
    now = time.time()
    devices = {}
    for name, before, newest in (("was", 95.0, 5.0), ("is", 10.0, 90.0), ("gone", 99.0, 99.0)):
        device = devices[name] = await enroll(app, admin, name)
        frames = [(now - 20_000 + age, {"cpu_usage_percent": before}) for age in range(0, 19_800, 200)]
        assert (await device.send(*frames)).status_code == 200
        newest_at = now - (60 if name == "gone" else 1)
        assert (await device.send((newest_at, {"cpu_usage_percent": newest}))).status_code == 200
    await app.state.door.freshness._try_flush()
    yield devices
    for device in devices.values():
        await device.client.aclose()


async def ask(client, query: dict, end: float | None = None) -> dict:
    end = time.time() if end is None else end
    variables = (await client.get(f"{HOME}/built-in-fleet")).json()["definition"]["variables"]
    question = {"variables": variables, "queries": [query], "from": f"{end - 21_600:.3f}", "to": f"{end:.3f}"}
    answer = await client.post(f"{HOME}/query", json=question)
    assert answer.status_code == 200, answer.text
    return answer.json()["answers"][0]


async def panel_of_fleet(client, title: str) -> dict:
    definition = (await client.get(f"{HOME}/built-in-fleet")).json()["definition"]
    return next(one for row in definition["rows"] for one in row["panels"] if one["title"] == title)


def named(answer: dict) -> dict[str, list]:
    return {one["labels"]["device_name"]: one["values"] for one in answer["series"]}


async def test_the_busiest_now_are_those_of_the_overview(admin, fleet, connection):
    await asyncio.to_thread(connection.execute, "UPDATE devices SET status = 'offline' WHERE name = 'gone'")
    panel = await panel_of_fleet(admin, "Highest CPU")
    answer = await ask(admin, panel["queries"][0])
    assert list(named(answer).items()) == [("is", [90.0]), ("was", [5.0])]
    devices = (await admin.get("/api/v1/devices?ordering=-cpu_percent&status=online")).json()["results"]
    assert [(one["name"], one["cpu_percent"]) for one in devices] == [("is", 90.0), ("was", 5.0)]


async def test_those_of_the_range_are_others_and_say_so(admin, fleet):
    panel = await panel_of_fleet(admin, "Highest mean CPU")
    assert panel["calc"] == "mean"
    assert not panel["queries"][0]["instant"]
    assert list(named(await ask(admin, panel["queries"][0]))) == ["gone", "was", "is"]


async def test_the_end_of_a_range_in_the_past(admin, fleet, connection):
    """Whether a device is online says nothing of yesterday."""
    await asyncio.to_thread(connection.execute, "UPDATE devices SET status = 'offline'")
    end = time.time() - 7200
    panel = await panel_of_fleet(admin, "Highest CPU")
    answer = await ask(admin, panel["queries"][0], end)
    assert list(named(answer).items()) == [("gone", [99.0]), ("was", [95.0]), ("is", [10.0])]
    assert answer["times"] == [pytest.approx(end, abs=0.01)]


async def test_rates_are_of_the_last_five_minutes(app, admin, device):
    now = time.time()
    frames = [(now - age, {"network_receive_bytes_total": (400 - age) * 10.0}) for age in range(0, 400, 10)]
    await device.send(*frames)
    await app.state.door.freshness._try_flush()
    query = {"language": "fleet", "metrics": ["network_receive_bytes_total"], "by": ["device"], "agg": "rate"}
    (rate,) = named(await ask(admin, query | {"instant": True}))["web-01"]
    assert rate == pytest.approx(10.0, rel=0.05)
