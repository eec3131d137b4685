"""Document 002's `hourly_performance_stats`: its own GROUP BY over its own table, and the product's rollups."""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
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
from fleetkeeper.telemetry.explore.schemas import FleetAnswer
from fleetkeeper.telemetry.explore.service import FleetQuery, query_fleet
from fleetkeeper.telemetry.rollups.sketches import ACCURACY

AIM = 50.0
ROUNDS = 5
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
        return [asyncio.run(_measure(url, machines, _build(url, machines)))]


@dataclass(frozen=True)
class _Data:
    devices: Sequence[UUID]
    values: NDArray[np.float64]
    """The metric of (machines, moments)."""


def _build(url: str, machines: Machines) -> _Data:
    builder, place = Builder(url, machines), machines.channels.index(_METRIC)
    devices, kept = builder.built.devices, []
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
        kept.append(values[:, :, place].copy())
        builder.add(start, values)
        with psycopg.connect(url, autocommit=True) as connection:
            _copy(connection, start, machines.step_seconds, devices, np.roll(values, -place, axis=2))
    builder.finish()
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"VACUUM ANALYZE {_TABLE}")
    return _Data(devices, np.concatenate(kept, axis=1))


def _copy(
    connection: psycopg.Connection,
    start: datetime,
    step_seconds: int,
    devices: Sequence[UUID],
    values: NDArray[np.float64],
) -> None:
    with connection.cursor() as cursor, cursor.copy(f"COPY {_TABLE} FROM STDIN") as copy:
        for step in range(values.shape[1]):
            moment = start + timedelta(seconds=step * step_seconds)
            for device, row in zip(devices, values[:, step].tolist(), strict=True):
                copy.write(f"{device}\t{moment}\t" + "\t".join(map(repr, row)) + "\n")


async def _measure(url: str, machines: Machines, data: _Data) -> Section:
    section = Section(
        f"hourly_performance_stats of document 002: {machines.count} machines, {machines.days} days, every 5 minutes"
    )
    end = machines.first_day + timedelta(days=machines.days)
    store = Database(url, pool_size=1)
    with psycopg.connect(url, autocommit=True) as connection:
        for question in _QUESTIONS:
            start = max(machines.first_day, end - timedelta(days=question.days or 10**4))
            of_one = "AND system_id = %(device)s" if question.is_of_one else ""
            statement = _QUERY.format(unit=question.unit, of_one=of_one)
            parameters = {"start": start, "end": end, "device": data.devices[0]}
            own_ms, rows = _time(lambda s=statement, p=parameters: connection.execute(s, p).fetchall())  # type: ignore[misc]
            ours_ms, found, sources = await _ask(store, question, data.devices, start, end)
            wanted = {(str(row[1]), row[0].timestamp()): row[2:] for row in rows}
            worst = _compare(wanted, found, machines, data, int(question.step))
            section.add(
                question=question.title,
                rows=len(rows),
                document_ms=own_ms,
                fleetkeeper_ms=ours_ms,
                times_faster=own_ms / ours_ms,
                read_from=sources,
                p95_off_by_percent=worst * 100,
            )
        _view(connection, section)
        size = table_bytes(connection, _TABLE) / machines.samples
        rollups = table_bytes(connection, "rollups") / machines.samples
    await store.close()
    _notes(section, size, rollups)
    return section


async def _ask(
    store: Database, question: _Question, devices: Sequence[UUID], start: datetime, end: datetime
) -> tuple[float, Statistics, str]:
    """The three aggregates, one question each: median milliseconds of all three, the answer, the tiers it came from."""
    taken: list[float] = []
    answers: list[FleetAnswer] = []
    for _ in range(ROUNDS + 1):
        began = time.perf_counter()
        answers = []
        async with store.session(product_context("job", "bench")) as session:
            for aggregate in _AGGREGATES:
                query = FleetQuery(
                    metrics=[_METRIC],
                    start=start,
                    end=end,
                    aggregate=aggregate,
                    by=("device",),
                    step=question.step,
                    devices=[devices[0]] if question.is_of_one else (),
                    explain=True,
                )
                answers.append(await query_fleet(session, _ACTOR, query, TelemetrySettings()))
        taken.append((time.perf_counter() - began) * 1000)
    columns = [
        {
            (series.group["device"], at): value
            for series in answer.series
            for at, value in series.points
            if value is not None
        }
        for answer in answers
    ]
    sources = [
        "+".join(sorted({part.source for part in answer.plan})) if answer.plan else "" for answer in answers
    ]
    told = {key: tuple(column[key] for column in columns) for key in columns[0]}
    return float(np.median(taken[1:])), told, ", ".join(sources)


def _time(action: Callable[[], Any]) -> tuple[float, Any]:
    taken, result = [], action()
    for _ in range(ROUNDS):
        began = time.perf_counter()
        result = action()
        taken.append((time.perf_counter() - began) * 1000)
    return float(np.median(taken)), result


def _compare(
    wanted: Statistics, found: Statistics, machines: Machines, data: _Data, step_seconds: int
) -> float:
    """How far percentiles are off from the sample of that rank, or from what lies between it and the next.

    Raises RuntimeError when rows, means or maxima differ, or a percentile by more than a sketch may.
    """
    if wanted.keys() != found.keys():
        raise RuntimeError(f"{len(wanted.keys() ^ found.keys())} rows are in one answer only")
    per_bucket = step_seconds // machines.step_seconds
    first, numbers = machines.first_day.timestamp(), {str(one): n for n, one in enumerate(data.devices)}
    worst = 0.0
    for key, (mean, highest, interpolated) in wanted.items():
        ours = found[key]
        if not np.allclose((mean, highest), ours[:2], rtol=1e-9):
            raise RuntimeError(f"{key}: {ours} instead of {(mean, highest)}")
        place = round((key[1] - first) / machines.step_seconds)
        samples = np.sort(data.values[numbers[key[0]], place : place + per_bucket])
        exact = float(samples[int(0.95 * (len(samples) - 1))])
        off = min(abs(ours[2] - right) / max(abs(right), 1e-12) for right in (exact, interpolated))
        worst = max(worst, off)
    if worst > ACCURACY * 1.0001:
        raise RuntimeError(f"a percentile is off by {worst:.4f} of its value")
    return worst


def _view(connection: psycopg.Connection, section: Section) -> None:
    """The product's own view of that name, where it has one."""
    row = connection.execute("SELECT to_regclass('public.hourly_performance_stats')").fetchone()
    if row is None or row[0] is None:
        return
    statement = "SELECT * FROM hourly_performance_stats"
    milliseconds, rows = _time(lambda: connection.execute(statement).fetchall())
    section.add(question="the product's view, all of it", rows=len(rows), fleetkeeper_ms=milliseconds)


def _notes(section: Section, size: float, rollups: float) -> None:
    for row in section.rows:
        ratio = row.get("times_faster")
        if ratio is not None and ratio < AIM:
            section.note(f"{row['question']}: {ratio:.1f} times faster, short of the aim of {AIM:g}.")
    section.note(
        f"Medians of {ROUNDS}. The document's side is one SQL statement; Fleetkeeper's is three questions to the "
        "engine: mean, maximum, p95, each read from the tiers that are named."
    )
    section.note(
        f"Means and maxima are the same in every row. A p95 of merged sketches is at most {ACCURACY:.0%} off the "
        "sample of its rank; one of samples lies between two of them in proportion, as PERCENTILE_CONT has it."
    )
    section.note(
        f"Bytes per sample: the document's table {size:.1f}, the rollups {rollups:.2f}. The table is in memory."
    )
