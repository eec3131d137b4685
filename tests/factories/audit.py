"""Entries of the audit log as somebody with SQL would write them, and a home for the key of the seals."""

import json
from collections.abc import Mapping

import psycopg

CONTEXT = {
    "kind": "user",
    "name": "maria",
    "user": "0198c0de-0000-7000-8000-000000000001",
    "token": "0198c0de-0000-7000-8000-000000000002",
    "session": "0198c0de-0000-7000-8000-000000000003",
    "address": "192.0.2.17",
    "agent": "Firefox",
    "request": "req-1",
    "reason": "because it moved",
}


def act_as(connection: psycopg.Connection, context: Mapping[str, str] | None = None) -> None:
    """Say who acts in the transaction that is open."""
    told = json.dumps(CONTEXT if context is None else dict(context))
    connection.execute("SELECT set_config('fleetkeeper.audit', %s, true)", [told])


def add_events(connection: psycopg.Connection, count: int, action: str = "test.event") -> None:
    """Events of one transaction."""
    connection.execute(
        "SELECT record_audit_event(%s, 'test', i::text, 'thing ' || i, NULL, jsonb_build_object('n', i)) "
        "FROM generate_series(1, %s) AS i",
        [action, count],
    )


def add_device(connection: psycopg.Connection, name: str = "web-01") -> str:
    """A device; returns its id."""
    statement = (
        "INSERT INTO devices (id, name, hostname) VALUES (gen_random_uuid(), %s, %s) RETURNING id::text"
    )
    return connection.execute(statement, [name, name]).fetchone()[0]
