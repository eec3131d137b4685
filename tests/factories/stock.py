"""Parts, places and stock, entered through the API as tests need them."""

from typing import Any

import httpx
import psycopg


async def post(client: httpx.AsyncClient, path: str, **body: Any) -> dict[str, Any]:
    """Make something by the API; returns the answer."""
    answer = await client.post(f"/api/v1/{path}", json=body)
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


async def make_part(client: httpx.AsyncClient, code: str = "RAM-16", **more: Any) -> str:
    """A part; returns its ID."""
    return str((await post(client, "parts", part_code=code, name=f"Part {code}", **more))["id"])


async def make_location(client: httpx.AsyncClient, name: str = "Depot", **more: Any) -> str:
    """A depot; returns its ID."""
    return str((await post(client, "locations", name=name, location_type="depot", **more))["id"])


async def move(
    client: httpx.AsyncClient, kind: str, part: str, location: str, quantity: Any, **more: Any
) -> httpx.Response:
    """Move stock."""
    body = {"kind": kind, "part_id": part, "location_id": location, "quantity": str(quantity), **more}
    return await client.post("/api/v1/stock-movements", json=body)


async def receive(client: httpx.AsyncClient, part: str, location: str, quantity: Any, **more: Any) -> None:
    """Receive so many."""
    answer = await move(client, "receipt", part, location, quantity, **more)
    assert answer.status_code == 201, answer.text


async def stock_of(client: httpx.AsyncClient, part: str, location: str) -> dict[str, Any]:
    """What lies of a part at a location."""
    asked = {"part_id": part, "location_id": location}
    (found,) = (await client.get("/api/v1/inventory", params=asked)).json()["results"]
    return dict(found)


def move_before(
    connection: psycopg.Connection, kind: str, part: str, location: str, quantity: int, weeks_ago: int
) -> None:
    """A movement of some weeks ago: the API books what happens now."""
    connection.execute(
        "INSERT INTO stock_movements (id, kind, part_id, location_id, quantity, moved_at) "
        "VALUES (gen_random_uuid(), %s, %s, %s, %s, now() - make_interval(weeks => %s))",
        (kind, part, location, quantity, weeks_ago),
    )
