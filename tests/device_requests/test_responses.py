"""Responses on their way to devices."""

import asyncio

import pytest

from tests.fixtures.client import enroll


@pytest.fixture
async def answered(desk) -> str:
    await desk.handler(kind="people")
    request = await desk.submit(slot=1)
    await desk.lease()
    assert (await desk.answer(request, content={"part": "A1"})).status_code == 200
    return request


class TestPolling:
    async def test_tells_how_far_it_is_and_then_the_answer(self, desk):
        await desk.handler(kind="people")
        request = await desk.submit(slot=1)
        first = await desk.poll(request)
        assert first.status_code == 200
        assert (first.json()["request_status"], first.json()["status"], first.json()["content"]) == (
            "pending",
            None,
            None,
        )
        assert (await desk.poll(request, first.headers["ETag"])).status_code == 304
        await desk.lease()
        await desk.answer(request, content={"part": "A1"})
        then = await desk.poll(request, first.headers["ETag"])
        assert (then.json()["status"], then.json()["content"]) == ("ready", {"part": "A1"})

    async def test_waits_until_there_is_news(self, desk):
        await desk.handler(kind="people")
        request = await desk.submit(slot=1)
        etag = (await desk.poll(request)).headers["ETag"]
        for_news = asyncio.create_task(desk.poll(request, etag, wait_seconds=20))
        for_answer = asyncio.create_task(desk.poll(request, wait_seconds=20))
        await desk.lease()
        # Who has an ETag is told of each change, and who has none of the answer.
        assert (await for_news).json()["request_status"] == "processing"
        assert not for_answer.done()
        await desk.answer(request)
        assert (await for_answer).json()["status"] == "ready"

    async def test_does_not_wait_for_longer_than_it_was_told(self, desk):
        request = await desk.submit(slot=1)
        etag = (await desk.poll(request)).headers["ETag"]
        assert (await desk.poll(request, etag, wait_seconds=0.1)).status_code == 304
        assert (await desk.poll(request, wait_seconds=21)).status_code == 422

    async def test_nobody_else_s(self, desk, answered):
        other = await enroll(desk.app, desk.admin, "web-02")
        async with other.client as client:
            assert (await client.get(f"/api/v1/requests/{answered}/response")).status_code == 404
            assert (await client.post(f"/api/v1/requests/{answered}/response/ack")).status_code == 404
            assert (await client.get("/api/v1/requests/undelivered")).json() == {"results": []}

    async def test_polls_are_one_connection(self, desk, answered, connection):
        await desk.poll(answered)
        await desk.poll(answered)
        rows = "SELECT device_id, connection_type, disconnected_at FROM device_connections"
        assert connection.execute(rows).fetchall() == [("web-01", "polling", None)]
        connection.execute("UPDATE request_connections SET connected_at = now() - interval '1 hour'")
        connection.execute("UPDATE request_connections SET last_seen_at = now() - interval '10 minutes'")
        await desk.run("upkeep")
        lasted = connection.execute("SELECT session_duration_seconds FROM device_connections").fetchone()
        assert lasted == (3000,)
        await desk.poll(answered)
        assert connection.execute("SELECT count(*) FROM device_connections").fetchone() == (2,)


class TestDelivery:
    async def test_counts_what_was_handed_over(self, desk, answered):
        etag = (await desk.poll(answered)).headers["ETag"]
        assert (await desk.poll(answered, etag)).status_code == 304
        assert (await desk.poll(answered, etag, wait_seconds=0.1)).status_code == 304
        assert (await desk.get(answered))["response"]["delivery_attempts"] == 1

    async def test_acknowledged_it_is_delivered(self, desk, answered):
        client = desk.device.client
        (waiting,) = (await client.get("/api/v1/requests/undelivered")).json()["results"]
        assert (waiting["request_id"], waiting["content"]) == (answered, {"part": "A1"})
        for _ in range(2):
            done = await client.post(f"/api/v1/requests/{answered}/response/ack")
            assert done.json()["status"] == "delivered"
            assert done.json()["delivered_at"] is not None
        assert (await client.get("/api/v1/requests/undelivered")).json() == {"results": []}

    async def test_nothing_to_acknowledge_before_there_is_an_answer(self, desk):
        request = await desk.submit(slot=1)
        answer = await desk.device.client.post(f"/api/v1/requests/{request}/response/ack")
        assert answer.status_code == 409

    @pytest.mark.parametrize(
        ("change", "said"),
        [
            ("ready_at = now() - interval '73 hours'", "within 72 hours"),
            ("delivery_attempts = 100", "after 100 attempts"),
        ],
    )
    async def test_what_nobody_takes_is_given_up_and_says_so(self, desk, answered, connection, change, said):
        connection.execute(f"UPDATE responses SET {change}")
        await desk.run("upkeep")
        response = (await desk.get(answered))["response"]
        assert response["status"] == "failed"
        assert said in response["failure"]
        assert (await desk.device.client.post(f"/api/v1/requests/{answered}/response/ack")).status_code == 409
