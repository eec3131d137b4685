"""Document 001's query patterns at its sizes: as the document writes them, and through the API."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import psycopg

from bench.options import Options
from bench.report import Section
from bench.server import Server
from bench.supply_data import LEVELS, SUPPLIERS, insert_supply

_UNCOUNTED = 5
_TITLE = "Supply: {requests:,} requests, {locations:,} locations with {parts:,} parts each, {orders:,} orders"


@dataclass(frozen=True)
class Pattern:
    """A question of the document's with its estimate (milliseconds), and the same asked of the API."""

    name: str
    target_ms: float
    statement: str
    path: str


PATTERNS = (
    Pattern(
        "1 pending requests of a device",
        10,
        """SELECT * FROM requests WHERE device_id = %(name)s AND status = 'pending' ORDER BY created_at DESC""",
        "requests?device_id={device}&status=pending&limit=50",
    ),
    Pattern(
        "2 what to reorder at a location",
        15,
        """SELECT i.*, p.name FROM inventory i JOIN parts p ON i.part_id = p.id
           WHERE i.location_id = %(location)s AND i.quantity_available <= i.reorder_point
           ORDER BY i.quantity_available""",
        "inventory?location_id={location}&low=true&ordering=quantity_available&limit=100",
    ),
    Pattern(
        "3 suppliers of a variant",
        5,
        """SELECT ps.*, s.name, s.lead_time_days FROM part_suppliers ps JOIN suppliers s ON ps.supplier_id = s.id
           WHERE ps.part_id = %(part)s AND ps.variant_id = %(variant)s AND s.is_active = true
           ORDER BY ps.is_preferred DESC, ps.supplier_cost ASC""",
        "parts/{part}/choice-of-supplier?variant_id={variant}&quantity=10",
    ),
    Pattern(
        "4 approvals of an order",
        3,
        """SELECT oa.*, u.name, u.email FROM order_approvals oa JOIN users u ON oa.approver_id = u.id
           WHERE oa.order_id = %(order)s ORDER BY oa.approval_level""",
        "approvals?subject_id={order}",
    ),
)


def run(options: Options, folder: Path) -> list[Section]:
    """Measure on a server of its own."""
    server = Server(folder, web_processes=options.web_processes)
    try:
        begin = time.perf_counter()
        insert_supply(server, options)
        section = Section(_TITLE.format(**vars(options)))
        section.note(f"{SUPPLIERS} suppliers a part, {LEVELS} levels an order")
        section.note(f"The data was made in {time.perf_counter() - begin:.0f} s")
        with psycopg.connect(server.database_url, autocommit=True) as connection, server.client() as client:
            for pattern, values in zip(PATTERNS, _ids(server), strict=True):
                _measure(section, pattern, values, connection, client, options)
        return [section]
    finally:
        server.stop()


def _measure(
    section: Section,
    pattern: Pattern,
    values: list[dict[str, str]],
    connection: psycopg.Connection,
    client: httpx.Client,
    options: Options,
) -> None:
    counts: list[int] = []

    def ask(number: int) -> None:
        counts.append(len(connection.execute(pattern.statement, values[number % len(values)]).fetchall()))  # type: ignore[arg-type]

    def call(number: int) -> None:
        path = pattern.path.format(**values[number % len(values)])
        client.get(f"/api/v1/{path}").raise_for_status()

    in_sql, in_api = _timed(ask, options), _timed(call, options)
    section.add(
        pattern=pattern.name,
        rows=max(counts),
        p50_ms=float(np.quantile(in_sql, 0.5)),
        p99_ms=float(np.quantile(in_sql, 0.99)),
        target_p99_ms=pattern.target_ms,
        api_p50_ms=float(np.quantile(in_api, 0.5)),
        api_p99_ms=float(np.quantile(in_api, 0.99)),
    )
    section.note(f"Pattern {pattern.name[0]} reads by {_plan(connection, pattern.statement, values[0])}")


def _ids(server: Server) -> tuple[list[dict[str, str]], ...]:
    """Some objects that each pattern asks for."""

    def some(columns: str, table: str) -> list[list[str]]:
        told = server.sql(
            f"SELECT string_agg(concat_ws(' ', {columns}), ',') FROM (SELECT * FROM {table}) AS t"
        )
        return [one.split(" ") for one in told.split(",")]

    trucks = some("id, name", "devices WHERE name LIKE 'truck-%' ORDER BY name LIMIT 100")
    depots = some("id", "locations WHERE name LIKE 'Depot %' ORDER BY name LIMIT 100")
    variants = some("part_id, id", "part_variants ORDER BY id LIMIT 100")
    orders = some("id", "orders ORDER BY id LIMIT 100")
    return (
        [{"device": device, "name": name} for device, name in trucks],
        [{"location": one[0]} for one in depots],
        [{"part": part, "variant": variant} for part, variant in variants],
        [{"order": one[0]} for one in orders],
    )


def _timed(ask: Callable[[int], None], options: Options) -> list[float]:
    """Milliseconds of each answer, but for the first few."""
    taken = []
    for number in range(max(20, min(300, int(options.seconds * 30))) + _UNCOUNTED):
        begin = time.perf_counter()
        ask(number)
        if number >= _UNCOUNTED:
            taken.append((time.perf_counter() - begin) * 1e3)
    return taken


def _plan(connection: psycopg.Connection, statement: str, values: dict[str, str]) -> str:
    """The indexes that a statement's plan reads, and tables that it reads whole."""
    row = connection.execute(f"EXPLAIN (FORMAT JSON) {statement}", values).fetchone()
    assert row is not None
    parts: dict[str, None] = {}

    def walk(node: dict[str, Any]) -> None:
        if "Index Name" in node:
            parts[node["Index Name"]] = None
        elif node["Node Type"] == "Seq Scan":
            parts[f"all of {node['Relation Name']}"] = None
        for inner in node.get("Plans", ()):
            walk(inner)

    walk(row[0][0]["Plan"])
    return ", ".join(parts)
