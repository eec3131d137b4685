"""An organization with two departments that must not see each other, and somebody in each."""

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from uuid import UUID, uuid4

import httpx
import psycopg
import pytest

from fleetkeeper.kit.secrets import hash_secret, make_secret
from tests.fixtures.clean_database import Recording
from tests.fixtures.client import Recorder, RunningApp, enroll

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


@dataclass(frozen=True)
class SideKeys:
    """What was made for one department, and what its people and its machine are known by."""

    department: UUID
    manager: str
    viewer: str
    device: str
    device_key: str
    enrollment_token: str

    def arrive(self, app: RunningApp) -> Side:
        """Let them call an application."""
        people = (app.client(key) for key in (self.manager, self.viewer))
        return Side(self.department, *people, self.device, app.client(self.device_key), self.enrollment_token)


async def make_side(
    app: RunningApp, admin: httpx.AsyncClient, connection: psycopg.Connection, name: str, hostname: str
) -> SideKeys:
    department = uuid4()
    connection.execute("INSERT INTO departments (id, name) VALUES (%s, %s)", (department, name))
    manager = add_person(connection, f"{name}-manager", "manager", department)
    viewer = add_person(connection, f"{name}-viewer", "viewer", department)
    enrolled = await enroll(app, admin, hostname)
    await admin.patch(f"/api/v1/devices/{enrolled.id}", json={"department_id": str(department)})
    body = {"name": f"token {hostname}", "department_id": str(department)}
    answer = await app.client(manager).post("/api/v1/enrollment-tokens", json=body)
    return SideKeys(department, manager, viewer, enrolled.id, enrolled.key, answer.json()["id"])


@pytest.fixture(scope="session")
async def recorded_sides(
    recorder: Recorder, recorded_admin: Recording[str]
) -> Recording[tuple[SideKeys, SideKeys]]:
    async def make(app: RunningApp) -> tuple[SideKeys, SideKeys]:
        with psycopg.connect(recorder.database.url, autocommit=True) as connection:
            async with app.client(recorded_admin.made) as admin:
                north = await make_side(app, admin, connection, "north", "north-01")
                return north, await make_side(app, admin, connection, "south", MARK)

    return await recorder.record(make, recorded_admin)


@pytest.fixture
async def sides(app, admin, clean_database, recorded_sides) -> AsyncIterator[TwoSides]:
    north, south = (keys.arrive(app) for keys in await clean_database.write(recorded_sides))
    async with contextlib.AsyncExitStack() as stack:
        for side in (north, south):
            for client in (side.manager, side.viewer, side.device_client):
                stack.push_async_callback(client.aclose)
        yield TwoSides(app, admin, north, south)
