"""Document 002's `hourly_performance_stats`: its own GROUP BY over its own table, and the product's rollups."""

import asyncio
import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np
import psycopg
from numpy.typing import NDArray

from bench.options import Options
from bench.report import Section
from bench.sizes import table_bytes
from bench.tiers import Builder, Machines, database
from bench.years import lab
from fleetkeeper.database.context import product_context
from fleetkeeper.database.engine import Database
from fleetkeeper.identity.actor import EVERYWHERE, Actor
from fleetkeeper.identity.permissions import Permission
from fleetkeeper.settings.telemetry import TelemetrySettings
from fleetkeeper.telemetry.explore.service import FleetQuery, query_fleet
from fleetkeeper.telemetry.frames import POSTGRES_EPOCH_SECONDS

AIM = 50.0
ROUNDS = 5
# What takes longer is asked once, and what takes long less often.
_SECONDS = 5.0
_ACTOR = Actor("user", "bench", {Permission.TELEMETRY_READ: EVERYWHERE})
_METRIC = "cpu_usage_percent"
_TABLE = "document_002.usage_metrics"
_AGGREGATES = ("avg", "max", "p95")
# The document's query; `time_bucket` of a whole hour or day is PostgreSQL's own `date_trunc`.
_QUERY = """
SELECT date_trunc('{unit}', timestamp) AS bucket, system_id, AVG(cpu_percent), MAX(cpu_percent),
       PERCENTILE_CONT(0.95) WITHIN GROUP (ORDER BY cpu_percent)
FROM document_002.usage_metrics WHERE timestamp >= %(start)s AND timestamp < %(end)s {of_one}
GROUP BY bucket, system_id
"""
# The same rows, as the product has them for SQL.
_VIEW = """
SELECT time_bucket, system_id, avg, max, percentile_cont FROM hourly_performance_stats
WHERE time_bucket >= %(start)s AND time_bucket < %(end)s {of_one}
"""

# By device and bucket: mean, maximum, 95th percentile.
Statistics = Mapping[tuple[str, float], tuple[float, ...]]


@dataclass(frozen=True)
class _Question:
    title: str
    unit: str
    step: str
    days: int | None
    is_of_one: bool


_QUESTIONS = (
    _Question("1 machine, all hours", "hour", "3600", None, is_of_one=True),
    _Question("1 machine, all days", "day", "86400", None, is_of_one=True),
    _Question("all machines, all hours", "hour", "3600", None, is_of_one=False),
    _Question("all machines, all days", "day", "86400", None, is_of_one=False),
    _Question("all machines, hours of 7 days", "hour", "3600", 7, is_of_one=False),
)


def run(options: Options, folder: Path) -> list[Section]:
    """Build both from the same values, and ask both the same."""
    machines = lab(options.days, options.machines)
    with database(folder) as url:
        return asyncio.run(_measure(url, machines, _build(url, machines)))


@dataclass
class _Data:
    devices: Sequence[UUID]
    # What it took to build each side.
    document: float = 0.0
    ours: dict[str, float] = field(default_factory=dict)


def _build(url: str, machines: Machines) -> _Data:
    builder, place = Builder(url, machines, rolls_up_daily=False), machines.channels.index(_METRIC)
    data = _Data(builder.built.devices)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CREATE SCHEMA document_002")
        connection.execute(
            f"CREATE TABLE {_TABLE} (system_id uuid NOT NULL, timestamp timestamptz NOT NULL, cpu_percent "
            f"double precision, {', '.join(f'c{n} double precision' for n in range(len(machines.channels) - 1))}, "
            "PRIMARY KEY (system_id, timestamp))"
        )
        for statement in (
            "(system_id, timestamp DESC)",
            "(timestamp DESC)",
            "(timestamp) WHERE cpu_percent > 80",
        ):
            connection.execute(f"CREATE INDEX ON {_TABLE} {statement}")
    for number in range(machines.days):
        start = machines.first_day + timedelta(days=number)
        values = machines.day(start)
        builder.add(start, values)
        began = time.perf_counter()
        with psycopg.connect(url, autocommit=True) as connection:
            _copy(connection, start, machines.step_seconds, data.devices, np.roll(values, -place, axis=2))
        data.document += time.perf_counter() - began
    data.ours = builder.finish().seconds
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"VACUUM ANALYZE {_TABLE}")
        connection.execute("VACUUM ANALYZE hourly_statistics")
    return data


def _copy(
    connection: psycopg.Connection,
    start: datetime,
    step_seconds: int,
    devices: Sequence[UUID],
    values: NDArray[np.float64],
) -> None:
    """Write a day by binary COPY, in the order of time."""
    _, steps, columns = values.shape
    row = np.dtype(
        [
            ("head", ">i2"), ("l1", ">i4"), ("device", "V16"), ("l2", ">i4"), ("ts", ">i8"),
            ("values", [("l", ">i4"), ("v", ">f8")], (columns,)),
        ]
    )  # fmt: skip
    rows = np.zeros((steps, len(devices)), row)
    rows["head"], rows["l1"], rows["l2"] = 2 + columns, 16, 8
    rows["device"] = np.array([device.bytes for device in devices], "V16")
    first = round((start.timestamp() - POSTGRES_EPOCH_SECONDS) * 1e6)
    rows["ts"] = (first + step_seconds * 1_000_000 * np.arange(steps))[:, np.newaxis]
    rows["values"]["l"], rows["values"]["v"] = 8, values.swapaxes(0, 1)
    with connection.cursor() as cursor, cursor.copy(f"COPY {_TABLE} FROM STDIN (FORMAT binary)") as copy:
        copy.write(b"PGCOPY\n\xff\r\n\0" + bytes(8))
        copy.write(rows.tobytes())
        copy.write(b"\xff\xff")


async def _measure(url: str, machines: Machines, data: _Data) -> list[Section]:
    about = f"{machines.count} machines, {machines.days} days, every 5 minutes"
    engine = Section(f"hourly_performance_stats of document 002, by the engine: {about}")
    in_sql = Section("The same in SQL: the product's view of that name")
    end = machines.first_day + timedelta(days=machines.days)
    store = Database(url, pool_size=1)
    with psycopg.connect(url, autocommit=True) as connection:
        for question in _QUESTIONS:
            start = max(machines.first_day, end - timedelta(days=question.days or 10**4))
            of_one = "AND system_id = %(device)s" if question.is_of_one else ""
            asked = _QUERY.format(unit=question.unit, of_one=of_one), {
                "start": start, "end": end, "device": data.devices[0],
            }  # fmt: skip
            planned_ms, wanted = _time(connection, *asked)
            connection.execute("SET enable_indexscan = off")
            other_ms, _ = _time(connection, *asked)
            connection.execute("RESET enable_indexscan")
            best_ms = min(planned_ms, other_ms)
            ours_ms, found, sources = await _ask(store, question, data.devices, start, end)
            _compare(wanted, found)
            engine.add(
                question=question.title,
                rows=len(wanted),
                document_as_planned_ms=planned_ms,
                document_best_ms=best_ms,
                fleetkeeper_ms=ours_ms,
                times_faster=best_ms / ours_ms,
                read_from=sources,
            )
            if question.unit != "hour":
                continue
            view = _VIEW.format(of_one=of_one), asked[1]
            view_ms, seen = _time(connection, *view)
            _compare(wanted, seen)
            view_server_ms = _on_server(connection, *view)
            connection.execute(f"SET enable_indexscan = {'on' if planned_ms == best_ms else 'off'}")
            server_ms = _on_server(connection, *asked)
            connection.execute("RESET enable_indexscan")
            in_sql.add(
                question=question.title,
                rows=len(seen),
                document_best_ms=best_ms,
                view_ms=view_ms,
                times_faster=best_ms / view_ms,
                document_on_server_ms=server_ms,
                view_on_server_ms=view_server_ms,
                times_faster_on_server=server_ms / view_server_ms,
            )
        sizes = {
            name: table_bytes(connection, name) / machines.samples
            for name in (_TABLE, "rollups", "hourly_statistics")
        }
    await store.close()
    _notes(engine, in_sql, data, sizes)
    return [engine, in_sql]


async def _ask(
    store: Database, question: _Question, devices: Sequence[UUID], start: datetime, end: datetime
) -> tuple[float, Statistics, str]:
    """The three aggregates in one question: median milliseconds, the answer, and the tiers it came from."""
    query = FleetQuery(
        metrics=[_METRIC],
        start=start,
        end=end,
        aggregate=_AGGREGATES[0],
        also=_AGGREGATES[1:],
        by=("device",),
        step=question.step,
        devices=[devices[0]] if question.is_of_one else (),
        explain=True,
    )

    async def ask() -> Any:
        async with store.session(product_context("job", "bench")) as session:
            return await query_fleet(session, _ACTOR, query, TelemetrySettings())

    taken: list[float] = []
    answer = await ask()
    for _ in range(ROUNDS):
        began = time.perf_counter()
        answer = await ask()
        taken.append((time.perf_counter() - began) * 1000)
    columns: dict[str, dict[tuple[str, float], float]] = {name: {} for name in _AGGREGATES}
    for series in answer.series:
        columns[series.agg] |= {
            (series.group["device"], at): value for at, value in series.points if value is not None
        }
    told = {key: tuple(columns[name][key] for name in _AGGREGATES) for key in columns[_AGGREGATES[0]]}
    return float(np.median(taken)), told, "+".join(sorted({part.source for part in answer.plan}))


def _time(
    connection: psycopg.Connection, statement: str, parameters: Mapping[str, Any]
) -> tuple[float, Statistics]:
    """Median milliseconds until all rows are here, and the rows."""
    rows: list[Any] = []
    taken: list[float] = []
    until = time.perf_counter() + _SECONDS
    while len(taken) <= ROUNDS and (not taken or time.perf_counter() < until):
        began = time.perf_counter()
        rows = connection.execute(statement, parameters).fetchall()
        taken.append((time.perf_counter() - began) * 1000)
    # The first one warms up, if there are others.
    return float(np.median(taken[1:] or taken)), {(str(row[1]), row[0].timestamp()): row[2:] for row in rows}


def _on_server(connection: psycopg.Connection, statement: str, parameters: Mapping[str, Any]) -> float:
    """Milliseconds of the execution itself, without sending rows and reading them."""
    rows = connection.execute(f"EXPLAIN (ANALYZE, TIMING OFF) {statement}", parameters).fetchall()
    match = re.search(r"Execution Time: ([\d.]+)", rows[-1][0])
    if match is None:
        raise RuntimeError("EXPLAIN does not say how long it took")
    return float(match[1])


def _compare(wanted: Statistics, found: Statistics) -> None:
    """Raises RuntimeError when rows differ in more than roundings."""
    if wanted.keys() != found.keys():
        raise RuntimeError(f"{len(wanted.keys() ^ found.keys())} rows are in one answer only")
    keys = list(wanted)
    one, other = (np.array([some[key] for key in keys]) for some in (wanted, found))
    if not np.allclose(one, other, rtol=1e-9):
        key = keys[int(np.argmax(np.abs(one - other).max(axis=1)))]
        raise RuntimeError(f"{key}: {found[key]} instead of {wanted[key]}")


def _notes(engine: Section, in_sql: Section, data: _Data, sizes: Mapping[str, float]) -> None:
    for section, name in ((engine, "times_faster"), (in_sql, "times_faster_on_server")):
        for row in section.rows:
            if row[name] < AIM:
                section.note(f"{row['question']}: {row[name]:.1f} times faster, short of the aim of {AIM:g}.")
    engine.note(
        f"Medians of {ROUNDS}, of slow ones fewer. The document's side is one SQL statement, as PostgreSQL plans it "
        "and without index scans: where the table does not fit into its buffers, the latter is often faster, and the "
        "better of the two counts. Fleetkeeper's is one question for mean, maximum and p95."
    )
    engine.note("All values are the same in every row, percentiles interpolated as PERCENTILE_CONT has them.")
    engine.note(
        f"Bytes per sample: the document's table {sizes[_TABLE]:.1f}, rollups {sizes['rollups']:.2f}, what SQL reads "
        f"{sizes['hourly_statistics']:.2f}. Built in {data.document:.0f} s (COPY); {sum(data.ours.values()):.0f} s ("
        + ", ".join(f"{name} {seconds:.0f}" for name, seconds in data.ours.items())
        + ")."
    )
    in_sql.note(
        "Most of what a client waits for is reading rows in Python, which both sides pay; on the server is the "
        "execution alone (EXPLAIN ANALYZE)."
    )
