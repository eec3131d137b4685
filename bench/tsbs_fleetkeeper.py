"""Fleetkeeper with the data of `tsbs`: filled, asked hot, sealed, asked again."""

import time
from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

import numpy as np
import psycopg
from numpy.typing import NDArray

import fleetkeeper.all_models  # noqa: F401 - foreign keys name tables of other rooms
from bench import tsbs_systems
from bench.layouts import add_devices, add_layout
from bench.processes import resident_mib
from bench.series import copy_frames
from bench.server import Server
from bench.sizes import partitions_bytes, table_bytes
from bench.tsbs_kinds import METRICS
from bench.tsbs_trial import Trial
from fleetkeeper.database.engine import Database
from fleetkeeper.settings.telemetry import TelemetrySettings
from fleetkeeper.telemetry.chunks.jobs import merge_chunks, seal_frames
from fleetkeeper.telemetry.rollups.jobs import refresh_rollups

_STEP_US = 10_000_000
LAYOUT = 100_000


def make_devices(connection: psycopg.Connection, hosts: int) -> list[UUID]:
    """Enter the hosts and the layout of their frames."""
    devices = add_devices(connection, hosts)
    add_layout(connection, LAYOUT, METRICS, devices)
    return devices


def write_day(
    connection: psycopg.Connection, start: datetime, values: NDArray[np.float64], devices: Sequence[UUID]
) -> None:
    """Write the frames of a day."""
    day = start.date()
    connection.execute("SELECT create_telemetry_partition(%s, %s)", (day, day + timedelta(days=1)))
    start_us = round(start.timestamp() * 1e6)
    copy_frames(connection, [device.bytes for device in devices], LAYOUT, start_us, _STEP_US, values)


def fill(connection: psycopg.Connection, trial: Trial) -> None:
    """Write the frames, and what is latest."""
    began = time.perf_counter()
    write_day(connection, trial.start, trial.values, trial.devices)
    seconds = time.perf_counter() - began
    connection.execute("VACUUM ANALYZE frames")
    connection.execute(
        "INSERT INTO latest SELECT f.* FROM devices d CROSS JOIN LATERAL "
        "(SELECT * FROM frames WHERE device_id = d.id ORDER BY ts DESC LIMIT 1) f "
        # The product writes what it measures of itself meanwhile.
        "ON CONFLICT (device_id, part) DO NOTHING"
    )
    connection.execute("ANALYZE latest")
    trial.load.add(
        system="Fleetkeeper, hot",
        seconds=seconds,
        samples_per_s=trial.values.size / seconds,
        bytes_per_sample=partitions_bytes(connection, "frames") / trial.values.size,
    )


async def ask_engine(url: str, trial: Trial, system: str) -> None:
    """Ask the engine from this process."""
    database = Database(url, pool_size=1)
    engine = tsbs_systems.Engine(database, trial.devices, TelemetrySettings())
    await trial.check(system, engine.answer)
    await trial.time(system, engine.answer)
    await database.close()


async def seal(url: str, connection: psycopg.Connection, trial: Trial) -> None:
    """Seal, merge and roll up all of it."""
    now = trial.start.timestamp() + 2 * 86_400
    began = time.perf_counter()
    work = await seal_frames(url, TelemetrySettings(seal_after_minutes=60), now=now)
    seconds = time.perf_counter() - began
    trial.load.add(system="sealing", seconds=seconds, samples_per_s=work.samples / seconds)
    for name, action in (("merging", merge_chunks(url, now=now)), ("rollups", refresh_rollups(url))):
        began = time.perf_counter()
        await action
        trial.load.add(system=name, seconds=time.perf_counter() - began)
    connection.execute("VACUUM FULL ANALYZE chunks")
    connection.execute("VACUUM ANALYZE rollups")
    size = trial.values.size
    trial.load.add(
        system="Fleetkeeper, sealed", bytes_per_sample=partitions_bytes(connection, "chunks") / size
    )
    trial.load.add(system="its rollups", bytes_per_sample=table_bytes(connection, "rollups") / size)


def add_memory(server: Server, trial: Trial) -> None:
    """What its processes hold after all queries."""
    groups = {name: resident_mib(find()) for name, find in server.groups().items()}
    row = next(row for row in trial.load.rows if row["system"] == "Fleetkeeper, sealed")
    row["memory_mib"] = sum(groups.values())
    parts = ", ".join(f"{name} {size:,.0f}" for name, size in groups.items())
    trial.load.note(
        f"Memory after the queries, pages that processes share counted once (MiB): Fleetkeeper {parts}. "
        "Its PostgreSQL holds the documents' tables, too."
    )
