"""Device requests are found by what people have of them at hand."""

import pytest

from tests.factories.devices import neighbors


async def found(client, text: str) -> list[str]:
    answer = await client.get("/api/v1/search", params={"q": text})
    assert answer.status_code == 200, answer.text
    return [one["id"] for one in answer.json()["results"] if one["kind"] == "request"]


@pytest.fixture
async def submitted(desk) -> dict[str, str]:
    body = {"type": "get_parts", "payload": {"slot": 1}, "metadata": {"ticket": "INC-4711"}}
    answer = await desk.device.client.post("/api/v1/requests", json=body)
    return (await desk.admin.get(f"/api/v1/requests/{answer.json()['id']}")).json()


async def test_by_id_digest_and_metadata(desk, submitted):
    for text in (submitted["id"], submitted["payload_hash"], "INC-4711", "inc-4711"):
        assert await found(desk.admin, text) == [submitted["id"]], text
    for text in ("INC-471", "4711", "%", "get_parts"):
        assert await found(desk.admin, text) == [], text


async def test_nothing_of_another_department(app, submitted):
    async with neighbors(app) as both:
        assert await found(both.south, submitted["id"]) == []
        assert await found(both.south, "INC-4711") == []
