"""The catalog of metrics offers what integrations send, to those who may see a device that has it."""

import pytest

from tests.factories.senders import WRITE, headers_of, metadata, now_ms, series, snappy


@pytest.fixture
async def sent(admin) -> None:
    body = series({"__name__": "node_load1", "instance": "web1"}, [(now_ms(), 0.5)])
    body += metadata("node_load1", 2, "1m load average.")
    answer = await admin.post(WRITE, content=snappy(body), headers=headers_of())
    assert answer.status_code == 204, answer.text


async def names(client) -> list[str]:
    answer = await client.get("/api/v1/telemetry/metrics")
    return [item["name"] for item in answer.json()["results"]]


async def test_metrics_of_integrations_are_there_once(sent, admin):
    found = await names(admin)
    assert len(set(found)) == len(found)
    assert {"node_load1", "cpu_usage_percent"} <= set(found)


async def test_metrics_of_devices_out_of_sight_are_not(app, sent, admin):
    place = (await admin.post("/api/v1/departments", json={"name": "Berlin"})).json()["id"]
    wanted = {"name": "t", "permissions": ["telemetry:read", "devices:read"], "departments": [place]}
    token = (await admin.post("/api/v1/tokens", json=wanted)).json()["token"]
    async with app.client(token) as limited:
        found = await names(limited)
    assert "node_load1" not in found
    assert "cpu_usage_percent" in found
