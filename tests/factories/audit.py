"""Entries of the audit log as somebody with SQL would write them, and a home for the key of the seals."""

import json
from collections.abc import Mapping
from datetime import date
from pathlib import Path

import psycopg

from fleetkeeper.audit import jobs, newest_seal
from fleetkeeper.audit.verification import Report
from fleetkeeper.database.engine import Database
from fleetkeeper.settings import Settings

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


class Log:
    """An audit log, its superuser and its sealer."""

    def __init__(
        self, connection: psycopg.Connection, database: Database, keeper: Database, home: Path
    ) -> None:
        self.connection = connection
        self.database = database
        self.keeper = keeper
        self.settings = Settings(home=home)

    async def seal(self) -> list[int]:
        """Seal; returns the number of entries of each new seal."""
        return [seal.entries for seal in await jobs.seal(self.keeper, self.settings)]

    async def verify(self, expected: bytes | None = None) -> Report:
        return await jobs.verify(self.database, self.settings, expected=expected)

    def run(self, statement: str, *values: object) -> list[tuple]:
        cursor = self.connection.execute(statement, values)
        return cursor.fetchall() if cursor.description else []

    def reset(self) -> None:
        self.run("DELETE FROM audit_log")
        self.run("DELETE FROM audit_seals")
        newest_seal.forget(self.settings.home)

    async def archive(self) -> list[str]:
        return await jobs.archive_old_months(self.keeper, self.settings)

    def add_to(self, month: date, count: int) -> list[int]:
        """Entries of one transaction, made in that month; returns their numbers."""
        add_events(self.connection, count)
        rows = self.run(
            "UPDATE audit_log SET \"timestamp\" = %s::timestamptz + i * interval '1 minute' "
            "FROM (SELECT id AS number, row_number() OVER () AS i FROM audit_log ORDER BY id DESC LIMIT %s) AS new "
            "WHERE id = number RETURNING id",
            f"{month}T00:00Z",
            count,
        )
        return sorted(row[0] for row in rows)
