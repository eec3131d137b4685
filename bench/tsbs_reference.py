"""The same data in document 002's wide table, a native partition per day, and the queries in plain SQL."""

import math
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import numpy as np
import psycopg
from numpy.typing import NDArray

from bench.tsbs_kinds import METRICS, THRESHOLD, Case

# What a query answers, in one form for all systems: rows of a key and numbers.
Answer = dict[tuple[Any, ...], list[float | None]]


def load(
    connection: psycopg.Connection, start: datetime, values: NDArray[np.float64], devices: Sequence[str]
) -> None:
    """Make and fill the table."""
    columns = ", ".join(f"{name} double precision" for name in METRICS)
    connection.execute(
        f"CREATE TABLE cpu (timestamp timestamptz NOT NULL, device_id uuid NOT NULL, {columns}) "
        "PARTITION BY RANGE (timestamp)"
    )
    connection.execute(
        f"CREATE TABLE cpu_day PARTITION OF cpu FOR VALUES FROM ('{start}') TO ('{start + timedelta(days=1)}')"
    )
    connection.execute("CREATE INDEX ON cpu (device_id, timestamp DESC)")
    connection.execute("CREATE INDEX ON cpu (timestamp DESC)")
    with connection.cursor() as cursor, cursor.copy("COPY cpu FROM STDIN") as copy:
        for step in range(values.shape[1]):
            moment = start + timedelta(seconds=10 * step)
            lines = [
                f"{moment}\t{device}\t" + "\t".join(map(str, row))
                for device, row in zip(devices, values[:, step].tolist(), strict=True)
            ]
            copy.write("\n".join(lines) + "\n")
    connection.execute("VACUUM ANALYZE cpu")


def size(connection: psycopg.Connection) -> int:
    """Bytes of the table with its indexes."""
    row = connection.execute("SELECT pg_total_relation_size('cpu_day')").fetchone()
    return int(row[0]) if row else 0


def answer(connection: psycopg.Connection, case: Case, devices: Sequence[UUID]) -> Answer:
    """Ask in SQL."""
    names = list(case.metrics)
    parameters = {
        "start": case.start,
        "end": case.end,
        "hosts": [devices[n] for n in case.hosts or ()],
    }
    of_hosts = "" if case.hosts is None else "device_id = ANY(%(hosts)s) AND "
    window = f"{of_hosts}timestamp >= %(start)s AND timestamp < %(end)s"
    shape, unit = case.kind.shape, "minute" if case.kind.step_seconds == 60 else "hour"
    if shape == "max":
        picked = ", ".join(f"max({name})" for name in names)
        statement = f"SELECT date_trunc('{unit}', timestamp) t, {picked} FROM cpu WHERE {window} GROUP BY t ORDER BY t"
    elif shape == "double":
        picked = ", ".join(f"avg({name})" for name in names)
        statement = (
            f"SELECT date_trunc('hour', timestamp) t, device_id, {picked} FROM cpu WHERE {window} "
            "GROUP BY t, device_id ORDER BY t, device_id"
        )
    elif shape == "high":
        picked = ", ".join(names)
        statement = (
            f"SELECT timestamp, device_id, {picked} FROM cpu WHERE {window} AND usage_user > {THRESHOLD}"
        )
    elif shape == "last":
        statement = (
            f"SELECT d.id, c.* FROM devices d CROSS JOIN LATERAL (SELECT {', '.join(names)} FROM cpu "
            "WHERE device_id = d.id ORDER BY timestamp DESC LIMIT 1) c"
        )
    else:
        statement = (
            "SELECT date_trunc('minute', timestamp) t, max(usage_user) FROM cpu WHERE timestamp < %(end)s "
            "GROUP BY t ORDER BY t DESC LIMIT 5"
        )
    rows = connection.execute(statement, parameters).fetchall()
    keys = len(rows[0]) - len(names) if rows else 0
    return {
        tuple(str(part) if isinstance(part, UUID) else part.timestamp() for part in row[:keys]): list(
            row[keys:]
        )
        for row in rows
    }


def same(one: Answer, other: Answer) -> bool:
    """Whether two answers say the same."""
    if one.keys() != other.keys():
        return False
    for key, values in one.items():
        for a, b in zip(values, other[key], strict=True):
            if (a is None) != (b is None) or (
                a is not None and b is not None and not math.isclose(a, b, rel_tol=1e-9)
            ):
                return False
    return True
