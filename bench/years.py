"""The amounts that two documents estimate, built by simulation: what they take in each tier, and how fast they read.

Document 002: 50 machines, every 5 minutes, a year: 5 GB, compressed 500 MB. Document 004: one machine, every 5 s,
30 days: 5 GB.
"""

import asyncio
import os
import time
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import numpy as np
import psycopg

from bench.options import Options
from bench.processes import folder_bytes
from bench.report import Section
from bench.sizes import partitions_bytes, table_bytes
from bench.tiers import Builder, Machines, database, kind_named
from fleetkeeper.database.context import product_context
from fleetkeeper.database.engine import Database
from fleetkeeper.identity.actor import EVERYWHERE, Actor
from fleetkeeper.identity.permissions import Permission
from fleetkeeper.settings import get_settings
from fleetkeeper.settings.telemetry import TelemetrySettings
from fleetkeeper.simulation.kinds import KindName
from fleetkeeper.telemetry.archive.jobs import apply_policies
from fleetkeeper.telemetry.explore.service import FleetQuery, query_fleet

ROUNDS = 9
_MB = 1e6
_ACTOR = Actor("user", "bench", {Permission.TELEMETRY_READ: EVERYWHERE})
# What document 002's table `usage_metrics` has, in the product's words; 16 cores and 2 GPUs a machine.
COLUMNS = (
    "cpu_usage_percent", "cpu_core_usage_percent", "cpu_temperature_celsius", "memory_usage_percent",
    "swap_usage_percent", "gpu_utilization_percent", "gpu_temperature_celsius", "disk_read_bytes_total",
    "disk_write_bytes_total", "cpu_iowait_percent", "network_transmit_bytes_total", "network_receive_bytes_total",
)  # fmt: skip


def lab(days: int, count: int = 50) -> Machines:
    """Document 002's machines."""
    return Machines(f"002: {count} machines, 5 min", kind_named(KindName.GPU), count, 300, days, COLUMNS)


def run(options: Options, folder: Path) -> list[Section]:
    """Build both, each in a database of its own."""
    section = Section("A year of document 002's machines, a month of document 004's")
    charts = Section("Charts over the whole time (ms, median)")
    one_days = min(30, options.days)
    sets = (
        (lab(options.days, options.machines), 5000.0 * options.days / 365 * options.machines / 50, 500.0),
        (
            Machines("004: 1 machine, 5 s", kind_named(KindName.WEB), 1, 5, one_days),
            5000.0 * one_days / 30,
            None,
        ),
    )
    before = os.environ.get("FLEETKEEPER_HOME")
    for number, (machines, raw_mb, compressed_mb) in enumerate(sets):
        share = raw_mb / 5000.0
        with database(folder / str(number)) as url:
            _one(url, folder / f"archive-{number}", machines, section, charts)
        section.rows[-1]["document_says_MB"] = raw_mb
        section.rows[-1]["compressed_MB"] = compressed_mb and compressed_mb * share
    os.environ.pop("FLEETKEEPER_HOME")
    if before is not None:
        os.environ["FLEETKEEPER_HOME"] = before
    get_settings.cache_clear()
    if options.days < 365:
        section.note(
            f"Document 002's with {options.days} of 365 days: what the documents say is of the same part."
        )
    section.note(
        "hot: frames with their index, had none been sealed; sealed: chunks and all that belongs to them, merged by "
        "day; rollups: hours, days, weeks and months with percentiles; Parquet: once all raw samples were archived."
    )
    section.note(
        "Bytes of the tables with their indexes, right after a VACUUM FULL; the write-ahead log and lists of processes "
        "are not in them. Values are simulated: other machines' compress otherwise."
    )
    charts.note(
        f"Asked of the engine by one connection, {ROUNDS} times; the archived ones with the files in the page cache."
    )
    return [section, charts]


def _one(url: str, home: Path, machines: Machines, section: Section, charts: Section) -> None:
    builder, making = Builder(url, machines), 0.0
    for number in range(machines.days):
        began = time.perf_counter()
        start = machines.first_day + timedelta(days=number)
        values = machines.day(start)
        making += time.perf_counter() - began
        builder.add(start, values)
    built = builder.finish()
    with psycopg.connect(url, autocommit=True) as connection:
        sealed, rollups = partitions_bytes(connection, "chunks"), table_bytes(connection, "rollups")
        connection.execute(
            "UPDATE archive_policy SET archive_after_days = 1, retention_days = 3650, archive_enabled = true"
        )
    # The engine finds the archive's folder by the settings of its process.
    os.environ["FLEETKEEPER_HOME"] = str(home)
    get_settings.cache_clear()
    settings = get_settings()
    times = asyncio.run(_charts(url, machines, built.devices))
    began = time.perf_counter()
    done = asyncio.run(apply_policies(url, settings, now=time.time()))
    archiving = time.perf_counter() - began
    if done.errors:
        section.note(f"{machines.title}: {done.errors[0]}")
    archived = folder_bytes(home)
    later = asyncio.run(_charts(url, machines, built.devices))
    section.add(
        data=machines.title,
        days=machines.days,
        M_samples=machines.samples / 1e6,
        hot_MB=built.hot_bytes / _MB,
        sealed_MB=sealed / _MB,
        rollups_MB=rollups / _MB,
        parquet_MB=archived / _MB,
        sealed_B_per_sample=sealed / machines.samples,
        parquet_B_per_sample=archived / machines.samples,
        **{f"{name}_s": seconds for name, seconds in built.seconds.items()},
        archiving_s=archiving,
    )
    for name, taken in times.items():
        charts.add(data=machines.title, chart=name, sealed=taken, archived=later[name])


async def _charts(url: str, machines: Machines, devices: Sequence[UUID]) -> dict[str, float]:
    """Median milliseconds of some charts of a machine."""
    end = machines.first_day + timedelta(days=machines.days)
    last = end - timedelta(days=1)
    asked = {
        "whole time by day, mean": (machines.first_day, "avg", "86400", machines.channels[:1]),
        "whole time by day, p95": (machines.first_day, "p95", "86400", machines.channels[:1]),
        "whole time by hour, mean": (machines.first_day, "avg", "3600", machines.channels[:1]),
        "whole time by day, 10 metrics, maximum": (
            machines.first_day,
            "max",
            "86400",
            machines.channels[:10],
        ),
        "last day by 5 minutes, mean": (last, "avg", "300", machines.channels[:1]),
    }
    database_, found = Database(url, pool_size=1), {}
    for name, (start, aggregate, step, metrics) in asked.items():
        taken = []
        for number in range(ROUNDS + 1):
            query = FleetQuery(
                metrics=metrics,
                start=start,
                end=end,
                aggregate=aggregate,
                step=step,
                devices=[devices[number % len(devices)]],
                whole=True,
            )
            began = time.perf_counter()
            async with database_.session(product_context("job", "bench"), plans_once=True) as session:
                answer = await query_fleet(session, _ACTOR, query, TelemetrySettings())
            taken.append((time.perf_counter() - began) * 1000)
            if not answer.series or all(value is None for _, value in answer.series[0].points):
                raise RuntimeError(f"{machines.title}: no values for {name}")
        found[name] = float(np.median(taken[1:]))
    await database_.close()
    return found
