"""An organisation with two departments that must not see each other, and somebody in each."""

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from uuid import UUID, uuid4

import httpx
import psycopg
import pytest

from fleetkeeper.kit.secrets import hash_secret, make_secret
from tests.fixtures.client import RunningApp, enroll

MARK = "zz-mark-of-south"


@dataclass
class Side:
    """One department: somebody who manages it, a viewer, and a machine with a name that is found nowhere else."""

    department: UUID
    manager: httpx.AsyncClient
    viewer: httpx.AsyncClient
    device: str
    device_client: httpx.AsyncClient
    enrollment_token: str


@dataclass
class TwoSides:
    """North looks; South must stay hidden."""

    app: RunningApp
    admin: httpx.AsyncClient
    north: Side
    south: Side


def add_person(connection: psycopg.Connection, username: str, role: str, department: UUID | None) -> str:
    """An account with a role there; returns an API token."""
    user, token = uuid4(), make_secret("fkt")
    connection.execute(
        "INSERT INTO users (id, username, name) VALUES (%s, %s, %s)", (user, username, username)
    )
    connection.execute(
        "INSERT INTO memberships (id, user_id, role_id, department_id) "
        "SELECT gen_random_uuid(), %s, id, %s FROM roles WHERE name = %s",
        (user, department, role),
    )
    connection.execute(
        "INSERT INTO api_tokens (id, user_id, name, secret_hash, created_at) "
        "VALUES (gen_random_uuid(), %s, 'test', %s, now())",
        (user, hash_secret(token)),
    )
    return token


async def make_side(
    app: RunningApp, admin: httpx.AsyncClient, connection: psycopg.Connection, name: str, hostname: str
) -> Side:
    department = uuid4()
    connection.execute("INSERT INTO departments (id, name) VALUES (%s, %s)", (department, name))
    manager = app.client(add_person(connection, f"{name}-manager", "manager", department))
    viewer = app.client(add_person(connection, f"{name}-viewer", "viewer", department))
    enrolled = await enroll(app, admin, hostname)
    await admin.patch(f"/api/v1/devices/{enrolled.id}", json={"department_id": str(department)})
    body = {"name": f"token {hostname}", "department_id": str(department)}
    token = (await manager.post("/api/v1/enrollment-tokens", json=body)).json()["id"]
    return Side(department, manager, viewer, enrolled.id, enrolled.client, token)


@pytest.fixture
async def sides(app, admin, connection) -> AsyncIterator[TwoSides]:
    north = await make_side(app, admin, connection, "north", "north-01")
    south = await make_side(app, admin, connection, "south", MARK)
    async with contextlib.AsyncExitStack() as stack:
        for side in (north, south):
            for client in (side.manager, side.viewer, side.device_client):
                stack.push_async_callback(client.aclose)
        yield TwoSides(app, admin, north, south)
