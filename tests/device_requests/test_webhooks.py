"""Webhooks that answer requests, and those that responses are pushed to."""

import json

import pytest

from fleetkeeper.device_requests.webhooks import send_next
from fleetkeeper.notifications.channels.service import Outgoing
from tests.factories.notifications import LOCAL, receiving, worker_of


@pytest.fixture
async def receiver():
    async with receiving() as receiver:
        yield receiver


@pytest.fixture
async def channel(desk, receiver, settings) -> str:
    settings.outgoing.allowed_networks.append("127.0.0.0/8")
    body = {"name": "Hook", "kind": "webhook", "url": receiver.url}
    made = await desk.admin.post("/api/v1/notification-channels", json=body)
    assert made.status_code == 201, made.text
    return made.json()["id"]


@pytest.fixture
def send(desk):
    """What the worker does with requests for webhooks."""

    async def send() -> int:
        outgoing = Outgoing(desk.app.state.sealer, LOCAL, "")
        return await send_next(desk.app.state.database, outgoing)

    return send


class TestAnswering:
    async def test_the_answer_is_the_response(self, desk, channel, receiver, send):
        await desk.handler(name="Hook", kind="webhook", channel_id=channel)
        receiver.content = json.dumps({"part": "A1"}).encode()
        request = await desk.submit(slot=1)
        assert await send() == 1
        ((headers, body),) = receiver.requests
        assert headers["webhook-signature"].startswith("v1,")
        sent = json.loads(body)
        assert (sent["type"], sent["data"]["id"], sent["data"]["payload"]) == (
            "device_request",
            request,
            {"slot": 1},
        )
        assert "lease_token" not in sent["data"]
        assert (await desk.poll(request)).json()["content"] == {"part": "A1"}
        assert await send() == 0

    @pytest.mark.parametrize(
        ("status", "content", "left"),
        [
            (503, b"{}", "pending"),
            (422, b"{}", "failed"),
            (200, b"[1]", "pending"),
            (200, b"well", "pending"),
        ],
    )
    async def test_what_is_no_answer(self, desk, channel, receiver, send, status, content, left):
        await desk.handler(name="Hook", kind="webhook", channel_id=channel)
        receiver.status, receiver.content = status, content
        request = await desk.submit(slot=1)
        await send()
        found = await desk.get(request)
        assert (found["status"], bool(found["failure"]), found["response"]) == (left, True, None)

    async def test_needs_a_channel_that_is_a_webhook(self, desk, channel):
        for body, field in (
            ({"kind": "webhook"}, "channel_id"),
            ({"kind": "agent", "channel_id": channel}, "channel_id"),
            ({"kind": "agent", "response_channel_id": desk.device.id}, "response_channel_id"),
        ):
            answer = await desk.admin.post("/api/v1/request-handlers", json={"name": "Hook"} | body)
            assert answer.status_code == 422
            assert field in answer.text


async def test_responses_are_pushed_to_the_handler_s_channel(desk, channel, receiver):
    await desk.handler(kind="people", response_channel_id=channel)
    request = await desk.submit(slot=1)
    await desk.lease()
    await desk.answer(request, content={"part": "A1"})
    worker = worker_of(desk.app)
    await worker.dispatch()
    await worker.deliver()
    ((_, body),) = receiver.requests
    fields = json.loads(body)["data"]["fields"]
    assert (fields["request_id"], fields["content"]) == (request, {"part": "A1"})
    await desk.run("upkeep")
    assert (await desk.get(request))["response"]["status"] == "delivered"
