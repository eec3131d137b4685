"""What row security costs: lists and range queries with it and without it, in turns, on one server."""

import asyncio
import statistics
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import psycopg
from sqlalchemy.ext.asyncio import AsyncSession

import fleetkeeper.all_models  # noqa: F401 - foreign keys name tables of other rooms
from bench.options import Options
from bench.report import Section
from fleetkeeper.database.context import TransactionContext, product_context
from fleetkeeper.database.embedded import EmbeddedServer
from fleetkeeper.database.engine import Database
from fleetkeeper.database.logins import with_login
from fleetkeeper.database.migrate import migrate
from fleetkeeper.database.roles import APPLICATION_ROLE
from fleetkeeper.devices import service as devices
from fleetkeeper.identity.actor import Actor, Scope, product_actor
from fleetkeeper.identity.permissions import Permission
from fleetkeeper.settings.telemetry import TelemetrySettings
from fleetkeeper.telemetry.range_query import RangeQuery, query_range

DEPARTMENTS = 50
METRICS = 12
FRAMES = 17_280
ROUNDS = 15
PASSWORD = "only on this machine"
EVERYBODY = product_actor("job", "bench")
LISTS = {
    "by name": [("ordering", "name")],
    "online, by name": [("status", "online"), ("ordering", "name")],
    "newest seen first": [("ordering", "-last_seen")],
    "part of the name": [("q", "0421")],
}
_ORGANISATION = """
    INSERT INTO departments (id, name) SELECT uuidv7(), 'Department ' || i FROM generate_series(1, %(departments)s) i;
"""
_DEVICES = """
    WITH d AS (SELECT array_agg(id ORDER BY id) AS ids FROM departments)
    INSERT INTO devices (id, name, hostname, department_id, status, os_name, last_seen)
    SELECT uuidv7(), 'host-' || lpad(i::text, 6, '0'), 'host-' || i, d.ids[1 + i %% %(departments)s],
           CASE WHEN i %% 4 = 0 THEN 'offline' ELSE 'online' END, 'Debian', now() - (i %% 3600) * interval '1 second'
    FROM generate_series(1, %(devices)s) i, d
"""
_LAYOUT = """
    INSERT INTO metrics (id, name, metric_type) SELECT i, 'bench_' || i, 'bench' FROM generate_series(1, %(metrics)s) i;
    INSERT INTO channels (id, metric_id, key) SELECT i, i, 'bench_' || i FROM generate_series(1, %(metrics)s) i;
    INSERT INTO layouts (id, channel_ids, digest)
    SELECT 1, array_agg(i), 'bench' FROM generate_series(1, %(metrics)s) i;
    INSERT INTO layout_channels SELECT 1, i, i FROM generate_series(1, %(metrics)s) i;
"""
_FRAMES = """
    INSERT INTO device_layouts (device_id, layout_id) VALUES (%(device)s, 1);
    INSERT INTO frames SELECT %(device)s, %(start)s + i * interval '5 seconds', 1,
        ARRAY(SELECT (i * j %% 1000) / 10.0 FROM generate_series(1, %(metrics)s) j)
    FROM generate_series(0, %(frames)s - 1) i;
"""


def run(options: Options, folder: Path) -> list[Section]:
    """Measure on a server of its own, with the settings that the product gives it."""
    (folder / "home").mkdir()
    server = EmbeddedServer(folder / "home")
    server.start()
    try:
        with psycopg.connect(server.url("postgres"), autocommit=True) as connection:
            connection.execute("CREATE DATABASE bench")
        url = server.url("bench")
        migrate(url)
        start = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
        department, device = _fill(url, options.devices, start)
        return [asyncio.run(_measure(url, options.devices, department, device, start))]
    finally:
        server.stop()


def _fill(url: str, count: int, start: datetime) -> tuple[UUID, UUID]:
    """Make the fleet; returns a department and a device of it that has reported for a day."""
    values = {
        "departments": DEPARTMENTS,
        "devices": count,
        "metrics": METRICS,
        "frames": FRAMES,
        "start": start,
    }
    with psycopg.connect(url, autocommit=True, cursor_factory=psycopg.ClientCursor) as connection:
        connection.execute(_ORGANISATION, values)
        connection.execute("SET session_replication_role = replica")  # no entry of the audit log per device
        connection.execute(_DEVICES, values)
        connection.execute("INSERT INTO device_vitals (device_id) SELECT id FROM devices")
        connection.execute("SET session_replication_role = origin")
        connection.execute(_LAYOUT, values)
        department, device = connection.execute(
            "SELECT department_id, id FROM devices ORDER BY id LIMIT 1"
        ).fetchone()
        connection.execute(_FRAMES, values | {"device": device})
        connection.execute(f"ALTER ROLE {APPLICATION_ROLE} LOGIN PASSWORD '{PASSWORD}'")
        connection.execute("VACUUM ANALYZE")
    return department, device


async def _measure(url: str, count: int, department: UUID, device: UUID, start: datetime) -> Section:
    scope = Scope(departments=frozenset({department}))
    member = Actor(
        "user", "bench", dict.fromkeys((Permission.DEVICES_READ, Permission.TELEMETRY_READ), scope)
    )
    limited = TransactionContext(departments=scope.departments)
    owner, application = Database(url), Database(with_login(url, APPLICATION_ROLE, PASSWORD))
    section = Section(f"Row security, {count:,} devices in {DEPARTMENTS} departments, medians in ms")
    query = RangeQuery(
        [device],
        [f"bench_{n + 1}" for n in range(METRICS)],
        start,
        start + timedelta(days=1),
        None,
        600,
        ["avg"],
    )
    calls: dict[str, Callable[[AsyncSession, Actor], Awaitable[object]]] = {
        f"list, {name}": _list(parameters) for name, parameters in LISTS.items()
    }
    calls[f"{METRICS} charts of a day, {FRAMES:,} frames"] = lambda session, actor: query_range(
        session, actor, query, TelemetrySettings()
    )
    whole = product_context("job", "bench")
    try:
        for name, call in calls.items():
            # As the owner of the tables the same statements run without row security.
            without, with_it, narrow_without, narrow_with = await _in_turns(
                (owner, TransactionContext(audit=whole.audit), EVERYBODY, call),
                (application, whole, EVERYBODY, call),
                (owner, TransactionContext(audit=whole.audit), member, call),
                (application, limited, member, call),
            )
            section.add(
                what=name,
                whole_fleet_without=without,
                whole_fleet_with=with_it,
                ratio=with_it / without,
                department_without=narrow_without,
                department_with=narrow_with,
                department_ratio=narrow_with / narrow_without,
            )
    finally:
        await owner.close()
        await application.close()
    section.note("without: connected as the tables' owner, whom row security does not concern")
    section.note(f"department: somebody who may see one department, {count // DEPARTMENTS:,} devices")
    return section


def _list(parameters: list[tuple[str, str]]) -> Callable[[AsyncSession, Actor], Awaitable[object]]:
    return lambda session, actor: devices.list_devices(session, actor, [*parameters, ("limit", "100")])


async def _in_turns(
    *ways: tuple[Database, TransactionContext, Actor, Callable[[AsyncSession, Actor], Awaitable[object]]],
) -> list[float]:
    """Medians in milliseconds; each round goes through all ways, so that the machine's moods concern all alike."""
    times: list[list[float]] = [[] for _ in ways]
    for round_ in range(ROUNDS + 2):
        for kept, (database, context, actor, call) in zip(times, ways, strict=True):
            begin = time.perf_counter()
            async with database.session(context) as session:
                await call(session, actor)
            if round_ >= 2:
                kept.append((time.perf_counter() - begin) * 1000)
    return [statistics.median(kept) for kept in times]
