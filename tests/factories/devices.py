"""Devices that people enter, and people of two departments, as tests need them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx

from fleetkeeper.identity.models import Department
from fleetkeeper.identity.permissions import Role
from tests.factories.identity import give, make_token, make_tree, make_user
from tests.fixtures.client import TEST_CONTEXT


async def enter(client: httpx.AsyncClient, name: str, **more: Any) -> str:
    """Enter a device; returns its ID."""
    answer = await client.post("/api/v1/devices", json={"name": name, **more})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


async def relate(
    client: httpx.AsyncClient, parent: str, kind: str, child: str, **more: Any
) -> httpx.Response:
    """Relate two devices."""
    body = {"parent_device_id": parent, "child_device_id": child, "relationship_type": kind, **more}
    return await client.post("/api/v1/device-relationships", json=body)


@dataclass
class Neighbors:
    """Managers of two departments that do not see each other."""

    north: httpx.AsyncClient
    south: httpx.AsyncClient
    north_id: str
    south_id: str


@asynccontextmanager
async def neighbors(app: Any) -> AsyncIterator[Neighbors]:
    """Two departments, each with a manager."""
    async with app.state.database.session(TEST_CONTEXT) as session:
        north, _, south = await make_tree(session)
        tokens = [await _manager(session, one) for one in (north, south)]
    async with app.client(tokens[0]) as first, app.client(tokens[1]) as second:
        yield Neighbors(first, second, str(north.id), str(south.id))


async def _manager(session: Any, department: Department) -> str:
    user = await make_user(session)
    await give(session, user, Role.MANAGER, department)
    return await make_token(session, user)
