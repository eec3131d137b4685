"""Responses over a WebSocket, by an ordinary client, through the server as it runs."""

import asyncio
import json
import socket
from typing import Any

import pytest
import uvicorn
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from fleetkeeper.cli.web_process import server_config
from fleetkeeper.device_requests.responses import sockets
from fleetkeeper.kit.connections import Connections
from tests.fixtures.client import TEST_WEB


@pytest.fixture
async def address(app):
    """The door's address at the product's own server."""
    bounds = Connections(most=50, max_head_bytes=65_536, head_seconds=15, max_unfinished_per_address=50)
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        config = server_config(
            app.asgi, TEST_WEB, bounds, lifespan="off", loop="asyncio", timeout_graceful_shutdown=1
        )
        server = uvicorn.Server(config)
        task = asyncio.create_task(server.serve([listener]))
        yield f"ws://localhost:{listener.getsockname()[1]}/api/v1/requests/connect"
        server.should_exit = True
        await task


def open_as(address: str, key: str, **more: Any) -> connect:
    return connect(address, additional_headers={"Authorization": f"Bearer {key}"} | more, proxy=None)


async def next_message(connection: ClientConnection) -> dict[str, Any]:
    return json.loads(await asyncio.wait_for(connection.recv(), 30))


async def acknowledge(connection: ClientConnection, request: str) -> dict[str, Any]:
    await connection.send(json.dumps({"type": "ack", "request_id": request}))
    return await next_message(connection)


async def answered(desk, **payload: Any) -> str:
    request = await desk.submit(**payload)
    await desk.lease()
    assert (await desk.answer(request, content={"part": "A1"})).status_code == 200
    return request


async def test_a_response_comes_as_soon_as_it_is_ready(desk, address):
    await desk.handler(kind="people")
    async with open_as(address, desk.device.key) as connection:
        request = await answered(desk, slot=1)
        told = await next_message(connection)
        assert (told["type"], told["response"]["request_id"]) == ("response", request)
        assert told["response"]["content"] == {"part": "A1"}
        assert await acknowledge(connection, request) == {"type": "acknowledged", "request_id": request}
        assert (await desk.get(request))["response"]["status"] == "delivered"


async def test_what_was_not_acknowledged_comes_again_after_a_lost_connection(desk, address, connection):
    await desk.handler(kind="people")
    first = await answered(desk, slot=1)
    lost = await open_as(address, desk.device.key)
    assert (await next_message(lost))["response"]["request_id"] == first
    lost.transport.abort()
    second = await answered(desk, slot=2)
    async with open_as(address, desk.device.key) as again:
        assert [(await next_message(again))["response"]["request_id"] for _ in range(2)] == [first, second]
        for request in (first, second, first):
            assert (await acknowledge(again, request))["type"] == "acknowledged"
    async with open_as(address, desk.device.key) as empty:
        third = await answered(desk, slot=3)
        assert (await next_message(empty))["response"]["request_id"] == third
    rows = connection.execute(
        "SELECT connection_type, session_duration_seconds >= 0 FROM device_connections "
        "WHERE disconnected_at IS NOT NULL"
    ).fetchall()
    assert ("websocket", True) in rows


async def test_what_is_no_acknowledgement_is_told_and_changes_nothing(desk, address):
    await desk.handler(kind="people")
    open_request = await desk.submit(slot=1)
    async with open_as(address, desk.device.key) as connection:
        for text in ("", "[]", "{", '{"type": "ack"}', '{"type": "ack", "request_id": "\x00"}', "9" * 5000):
            await connection.send(text)
            assert (await next_message(connection))["type"] == "error"
        told = await acknowledge(connection, open_request)
        assert (told["type"], told["detail"]) == ("error", "There is no response yet.")
        told = await acknowledge(connection, "01939c3e-0000-7000-8000-000000000000")
        assert told["detail"] == "There is no such request of this device."
        await connection.send("x" * 100_000)
        with pytest.raises(ConnectionClosed):
            await next_message(connection)


@pytest.mark.parametrize("key", ["fkd_wrong", "", "fkt_0"])
async def test_nobody_connects_without_a_device_s_key(address, key):
    with pytest.raises(InvalidStatus) as refused:
        await open_as(address, key)
    assert refused.value.response.status_code == 401
    assert json.loads(refused.value.response.body)["title"] == "Sign-in needed"
    assert refused.value.response.headers["x-content-type-options"] == "nosniff"


async def test_another_host_name_is_refused(desk, address):
    with pytest.raises(InvalidStatus) as refused:
        await open_as(address.replace("localhost", "127.0.0.1"), desk.device.key)
    assert refused.value.response.status_code == 400


async def test_a_device_connects_twice_and_no_more(desk, address):
    async with open_as(address, desk.device.key), open_as(address, desk.device.key):
        with pytest.raises(InvalidStatus) as refused:
            await open_as(address, desk.device.key)
    assert refused.value.response.status_code == 429


async def test_a_revoked_key_ends_the_connection(desk, address, connection, monkeypatch):
    monkeypatch.setattr(sockets, "LIFE_SECONDS", 0.05)
    async with open_as(address, desk.device.key) as socket_:
        connection.execute("UPDATE device_keys SET revoked_at = now()")
        with pytest.raises(ConnectionClosed) as ended:
            await next_message(socket_)
    assert ended.value.rcvd.code == sockets.KEY_ENDED
