"""The fifteen kinds of queries of TSBS (cpu-only) on Fleetkeeper, hot and sealed, and on peers with the same data.

A kind's windows and hosts are drawn anew for each run, with one seed; every system gets the same ones, and its
answers are compared with those of plain SQL.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import numpy as np
import psycopg

import fleetkeeper.all_models  # noqa: F401 - foreign keys name tables of other rooms
from bench import tsbs_reference, tsbs_systems
from bench.options import Options
from bench.report import Section
from bench.series import clamped_walks, copy_frames
from bench.server import Server
from bench.tsbs_kinds import KINDS, METRICS, Case, cases_of
from fleetkeeper.database.engine import Database
from fleetkeeper.settings.telemetry import TelemetrySettings
from fleetkeeper.telemetry.chunks.blocks import DAY
from fleetkeeper.telemetry.chunks.jobs import merge_chunks, seal_frames
from fleetkeeper.telemetry.rollups.jobs import refresh_rollups

STEP_US = 10_000_000
STEPS = DAY // STEP_US
ROUNDS = 20
LAYOUT = 100_000
# Sealing is done by the benchmark itself, at its own time.
_NEVER = {
    "FLEETKEEPER_TELEMETRY__SEAL_AFTER_MINUTES": "1000000",
    "FLEETKEEPER_TELEMETRY__SEAL_AFTER_FRAMES": "100000000",
}


def run(options: Options, folder: Path) -> list[Section]:
    """Measure on a server of its own."""
    server = Server(folder, settings=_NEVER)
    try:
        return asyncio.run(_measure(server, options))
    finally:
        server.started.stop()


async def _measure(server: Server, options: Options) -> list[Section]:
    start = (datetime.now(UTC) - timedelta(days=2)).replace(hour=0, minute=0, second=0, microsecond=0)
    values = clamped_walks(options.hosts, STEPS)
    admin = server.command("db", "url")
    load = Section(f"TSBS cpu-only: {options.hosts} hosts, 24 h, every 10 s, 10 values")
    with psycopg.connect(admin, autocommit=True) as connection:
        devices = _devices(connection, options.hosts)
        began = time.perf_counter()
        connection.execute(
            "SELECT create_telemetry_partition(%s, %s)", (start.date(), start.date() + timedelta(days=1))
        )
        copy_frames(connection, [device.bytes for device in devices], LAYOUT, _us(start), STEP_US, values)
        connection.execute("VACUUM ANALYZE frames")
        _latest(connection)
        load.add(
            system="Fleetkeeper, hot",
            seconds=time.perf_counter() - began,
            bytes_per_sample=_size(connection, "frames") / values.size,
        )
        began = time.perf_counter()
        tsbs_reference.load(connection, start, values, [str(device) for device in devices])
        load.add(
            system="wide table (document 002)",
            seconds=time.perf_counter() - began,
            bytes_per_sample=tsbs_reference.size(connection) / values.size,
        )
        cases = {kind: cases_of(kind, start, len(devices), ROUNDS) for kind in KINDS}
        answers = {
            kind: [tsbs_reference.answer(connection, case, devices) for case in cases[kind]] for kind in KINDS
        }
        timings: dict[str, dict[str, list[float]]] = {}
        timings["wide table"] = await _times(
            cases, lambda case: _thread(tsbs_reference.answer, connection, case, devices)
        )
        database = Database(admin, pool_size=1)
        engine = tsbs_systems.Engine(database, devices, TelemetrySettings())
        await _check(cases, answers, engine.answer)
        timings["hot"] = await _times(cases, engine.answer)
        began = time.perf_counter()
        now = _us(start) / 1e6 + 2 * 86_400
        work = await seal_frames(admin, TelemetrySettings(seal_after_minutes=60), now=now)
        load.add(
            system="sealing",
            seconds=time.perf_counter() - began,
            samples_per_s=work.samples / (time.perf_counter() - began),
        )
        began = time.perf_counter()
        await merge_chunks(admin, now=now)
        load.add(system="merging", seconds=time.perf_counter() - began)
        began = time.perf_counter()
        await refresh_rollups(admin)
        load.add(system="rollups", seconds=time.perf_counter() - began)
        connection.execute("VACUUM FULL ANALYZE chunks")
        connection.execute("VACUUM ANALYZE rollups")
        load.add(system="Fleetkeeper, sealed", bytes_per_sample=_size(connection, "chunks") / values.size)
        load.add(system="its rollups", bytes_per_sample=_table_size(connection, "rollups") / values.size)
        await _check(cases, answers, engine.answer)
        timings["sealed"] = await _times(cases, engine.answer)
        await database.close()
        async with httpx.AsyncClient(
            base_url=server.url, headers={"Authorization": f"Bearer {server.token}"}, timeout=60
        ) as client:
            doors = tsbs_systems.Doors(client, devices)
            timings["over HTTP"] = await _times(cases, doors.answer)
    return [load, _table(timings)]


def _table(timings: dict[str, dict[str, list[float]]]) -> Section:
    section = Section(f"milliseconds, median and 95th percentile of {ROUNDS}")
    for kind in KINDS:
        row: dict[str, Any] = {"kind": kind.name}
        for system, taken in timings.items():
            row[system] = float(np.median(taken[kind.name]))
            row[f"{system} p95"] = float(np.percentile(taken[kind.name], 95))
        row["ratio"] = row["wide table"] / row["sealed"]
        section.add(**row)
    section.note("ratio: the wide table's median divided by the sealed one.")
    return section


async def _times(
    cases: dict[Any, Sequence[Case]], ask: Callable[[Case], Awaitable[Any]]
) -> dict[str, list[float]]:
    taken: dict[str, list[float]] = {}
    for kind, some in cases.items():
        await ask(some[0])
        for case in some:
            began = time.perf_counter()
            await ask(case)
            taken.setdefault(kind.name, []).append((time.perf_counter() - began) * 1000)
    return taken


async def _check(
    cases: dict[Any, Sequence[Case]], answers: dict[Any, list[Any]], ask: Callable[[Case], Awaitable[Any]]
) -> None:
    for kind, some in cases.items():
        for case, wanted in zip(some[:3], answers[kind], strict=False):
            found = await ask(case)
            if not tsbs_reference.same(found, wanted):
                raise RuntimeError(
                    f"{kind.name}: the answers differ: {str(found)[:300]} and {str(wanted)[:300]}"
                )


async def _thread(function: Callable[..., Any], *arguments: Any) -> Any:
    return function(*arguments)


def _devices(connection: psycopg.Connection, hosts: int) -> list[UUID]:
    for number, name in enumerate(METRICS, 1):
        connection.execute(
            "INSERT INTO metrics (id, name, metric_type) VALUES (%s, %s, 'cpu')", (100_000 + number, name)
        )
        connection.execute(
            "INSERT INTO channels (id, metric_id, key) VALUES (%s, %s, %s)",
            (100_000 + number, 100_000 + number, name),
        )
        connection.execute("INSERT INTO layout_channels VALUES (100000, %s, %s)", (number, 100_000 + number))
    connection.execute(
        "INSERT INTO layouts (id, channel_ids, digest) VALUES (100000, %s, 'tsbs')",
        ([100_001 + n for n in range(len(METRICS))],),
    )
    rows = connection.execute(
        "INSERT INTO devices (id, name, hostname) "
        "SELECT uuidv7(), 'host_' || i, 'host_' || i FROM generate_series(0, %s) i RETURNING id",
        (hosts - 1,),
    ).fetchall()
    connection.execute("INSERT INTO device_layouts (device_id, layout_id) SELECT id, 100000 FROM devices")
    connection.execute("ANALYZE")
    return [row[0] for row in rows]


def _latest(connection: psycopg.Connection) -> None:
    connection.execute(
        "INSERT INTO latest SELECT f.* FROM devices d CROSS JOIN LATERAL "
        "(SELECT * FROM frames WHERE device_id = d.id ORDER BY ts DESC LIMIT 1) f"
    )
    connection.execute("ANALYZE latest")


def _us(moment: datetime) -> int:
    return round(moment.timestamp() * 1e6)


def _size(connection: psycopg.Connection, table: str) -> int:
    row = connection.execute(
        "SELECT sum(pg_total_relation_size(inhrelid)) FROM pg_inherits WHERE inhparent = %s::regclass",
        (table,),
    ).fetchone()
    return int(row[0]) if row else 0


def _table_size(connection: psycopg.Connection, table: str) -> int:
    row = connection.execute("SELECT pg_total_relation_size(%s::regclass)", (table,)).fetchone()
    return int(row[0]) if row else 0
