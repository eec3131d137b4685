"""What sealing costs and saves: bytes per sample with everything that belongs to it, and samples per second."""

import asyncio
import statistics
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import numpy as np
import psycopg
from numpy.typing import NDArray

import fleetkeeper.all_models  # noqa: F401 - foreign keys name tables of other rooms
from bench.options import Options
from bench.report import Section
from bench.series import clamped_walks, copy_frames, mixed
from fleetkeeper.database.context import product_context
from fleetkeeper.database.embedded import EmbeddedServer
from fleetkeeper.database.engine import Database
from fleetkeeper.database.logins import APPLICATION_ROLE, with_login
from fleetkeeper.database.migrate import migrate
from fleetkeeper.settings.telemetry import TelemetrySettings
from fleetkeeper.telemetry import queries
from fleetkeeper.telemetry.chunks.blocks import DAY
from fleetkeeper.telemetry.chunks.jobs import merge_chunks, seal_frames
from fleetkeeper.telemetry.reading import Channel, read_samples

HOSTS = 100
STEP_US = 10_000_000
STEPS = DAY // STEP_US
START_US = 20_400 * DAY
ROUNDS = 30
PASSWORD = "only on this machine"
START = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=START_US)


def run(options: Options, folder: Path) -> list[Section]:
    """Measure on a server of its own."""
    del options
    server = EmbeddedServer(folder / "home")
    server.start()
    try:
        return asyncio.run(_measure(server))
    finally:
        server.stop()


async def _measure(server: EmbeddedServer) -> list[Section]:
    sizes = Section(f"sealing: {HOSTS} hosts, {STEPS} frames each, every 10 s, 10 values")
    reads = Section("one host, one channel: hot and sealed (ms)")
    for name, make in (("clamped walks (TSBS)", clamped_walks), ("mixed", mixed)):
        with psycopg.connect(server.url("postgres"), autocommit=True) as connection:
            connection.execute("DROP DATABASE IF EXISTS bench WITH (FORCE)")
            connection.execute("CREATE DATABASE bench")
        await _one(server.url("bench"), name, make(HOSTS, STEPS), sizes, reads)
    return [sizes, reads]


async def _one(url: str, name: str, values: NDArray[np.float64], sizes: Section, reads: Section) -> None:
    migrate(url)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"ALTER ROLE {APPLICATION_ROLE} LOGIN PASSWORD '{PASSWORD}'")
        devices = _prepare(connection, values)
        app = with_login(url, APPLICATION_ROLE, PASSWORD)
        hot_bytes = _size(connection, "frames")
        hot = await _read_times(app, devices)
        began = time.perf_counter()
        now = START_US / 1e6 + 2 * 86_400
        # As a server does that is never behind: a sealing each five hours and a half.
        work = await seal_frames(app, TelemetrySettings(seal_after_minutes=60), now=now)
        seconds = time.perf_counter() - began
        early = _size(connection, "chunks")
        began = time.perf_counter()
        await merge_chunks(app, now=now)
        merging = time.perf_counter() - began
        connection.execute("VACUUM FULL chunks")
        sealed_bytes = _size(connection, "chunks")
    sealed = await _read_times(app, devices)
    sizes.add(
        data=name,
        samples=work.samples,
        hot_bytes_per_sample=hot_bytes / work.samples,
        sealed_bytes_per_sample=sealed_bytes / work.samples,
        blobs_alone=work.blob_bytes / work.samples,
        before_merging=early / work.samples,
        ratio=hot_bytes / sealed_bytes,
        sealing_M_samples_per_s=work.samples / seconds / 1e6,
        merging_s=merging,
    )
    for what in hot:
        reads.add(
            data=name, range=what, hot_ms=hot[what], sealed_ms=sealed[what], ratio=hot[what] / sealed[what]
        )


def _prepare(connection: psycopg.Connection, values: NDArray[np.float64]) -> list[UUID]:
    channels = values.shape[2]
    connection.execute(
        "INSERT INTO metrics (id, name, metric_type) SELECT i, 'bench_' || i, 'bench' FROM generate_series(1, %s) i",
        (channels,),
    )
    connection.execute(
        "INSERT INTO channels (id, metric_id, key) SELECT i, i, 'bench_' || i FROM generate_series(1, %s) i",
        (channels,),
    )
    connection.execute(
        "INSERT INTO layouts (id, channel_ids, digest) SELECT 1, array_agg(i), 'bench' FROM generate_series(1, %s) i",
        (channels,),
    )
    connection.execute(
        "INSERT INTO layout_channels SELECT 1, i, i FROM generate_series(1, %s) i", (channels,)
    )
    rows = connection.execute(
        "INSERT INTO devices (id, name, hostname) "
        "SELECT uuidv7(), 'host_' || i, 'host_' || i FROM generate_series(0, %s) i RETURNING id",
        (values.shape[0] - 1,),
    ).fetchall()
    devices = [row[0] for row in rows]
    connection.execute("INSERT INTO device_layouts (device_id, layout_id) SELECT id, 1 FROM devices")
    day = START.date()
    connection.execute("SELECT create_telemetry_partition(%s, %s)", (day, day + timedelta(days=1)))
    copy_frames(connection, [device.bytes for device in devices], 1, START_US, STEP_US, values)
    connection.execute("VACUUM ANALYZE")
    return devices


def _size(connection: psycopg.Connection, table: str) -> int:
    row = connection.execute(
        "SELECT sum(pg_total_relation_size(inhrelid)) FROM pg_inherits WHERE inhparent = %s::regclass",
        (table,),
    ).fetchone()
    assert row is not None
    return int(row[0])


async def _read_times(url: str, devices: list[UUID]) -> dict[str, float]:
    database = Database(url, pool_size=1)
    found = {}
    async with database.session(product_context("job", "bench"), plans_once=True) as session:
        for title, hours in (("1 h", 1), ("12 h", 12), ("24 h", 24)):
            device = devices[17]
            rows = await queries.channels_of_device(session, device, ["bench_1"])
            channels = [Channel.from_row(row) for row in rows]

            async def once(hours: int = hours, channels: list[Channel] = channels) -> None:
                end = START + timedelta(hours=hours)
                ((times, _),) = await read_samples(session, channels, START, end, max_samples=10**7)
                assert len(times) == hours * 360

            found[title] = await _median(once)
    await database.close()
    return found


async def _median(action: Callable[[], Awaitable[None]]) -> float:
    await action()
    taken = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        await action()
        taken.append((time.perf_counter() - began) * 1000)
    return statistics.median(taken)
