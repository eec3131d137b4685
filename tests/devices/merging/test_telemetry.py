"""A machine that was installed again: its telemetry is one line, and two lines once the merge is undone."""

from datetime import UTC, datetime

import pytest

from tests.devices.merging.test_api import REASON, merge, undo
from tests.fixtures.client import enroll

METRIC = "cpu_usage_percent"
COUNT = 6


@pytest.fixture
async def twice(app, admin, device):
    """One machine with two devices: the first reported for a minute, then the second did."""
    start = datetime.now(UTC).timestamp() // 60 * 60 - 600
    again = await enroll(app, admin, "web-01")
    for number, one in enumerate((device, again)):
        frames = [(start + 60 * number + 10 * n, {METRIC: float(10 * number + n)}) for n in range(COUNT)]
        assert (await one.send(*frames)).json()["accepted"] == COUNT
    return device, again, start


async def in_range(admin, device, start):
    asked = {"device": device.id, "metric": METRIC, "from": start, "to": start + 120, "agg": "raw"}
    (series,) = (await admin.get("/api/v1/telemetry/range", params=asked)).json()["series"]
    return [value for _, value in series["points"]]


async def by_promql(admin, start):
    asked = {"query": METRIC, "start": start, "end": start + 119, "step": 10}
    answer = (await admin.get("/prometheus/api/v1/query_range", params=asked)).json()
    return {
        one["metric"]["device_id"]: [float(value) for _, value in one["values"]]
        for one in answer["data"]["result"]
    }


async def test_both_are_read_as_one(admin, twice):
    before, again, start = twice
    first, second = [float(n) for n in range(COUNT)], [10.0 + n for n in range(COUNT)]
    assert await in_range(admin, again, start) == second
    made = await merge(admin, again.id, before.id)
    assert made["device_id"] == again.id
    assert await in_range(admin, again, start) == first + second
    found = await by_promql(admin, start)
    assert list(found) == [again.id]
    assert found[again.id] == first + second
    # What its key sent, it sends no more; the agent that works goes on.
    assert (await before.client.get("/api/v1/agent/config")).status_code == 401
    assert (await again.send((start + 200, {METRIC: 1.0}))).status_code == 200
    await undo(admin, made)
    assert await in_range(admin, again, start) == second
    assert await in_range(admin, before, start) == first
    assert set(await by_promql(admin, start)) == {before.id, again.id}
    assert (await before.client.get("/api/v1/agent/config")).status_code == 200


async def test_hours_are_read_of_both(admin, twice):
    before, again, start = twice
    await merge(admin, again.id, before.id)
    day = start // 86_400 * 86_400
    asked = {
        "device": again.id,
        "metric": METRIC,
        "from": day,
        "to": day + 86_400,
        "step": 86_400,
        "agg": "count",
    }
    answer = await admin.get("/api/v1/telemetry/range", params=asked)
    assert answer.status_code == 200, answer.text
    (series,) = answer.json()["series"]
    assert sum(value or 0 for _, value in series["points"]) == 2 * COUNT


async def test_a_machine_that_enrolls_again_is_proposed(app, admin, device):
    again = await enroll(app, admin, "web-01")
    (review,) = (await admin.get("/api/v1/identity-reviews")).json()["results"]
    assert {review["device_id"], review["other_device_id"]} == {device.id, again.id}
    assert any("machine ID" in one["sentence"] for one in review["explanation"])
    answer = await admin.post(
        f"/api/v1/devices/{again.id}/merges", json={"other_device_id": device.id}, headers=REASON
    )
    assert answer.status_code == 201
