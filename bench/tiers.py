"""Long times of telemetry made day after day: frames, sealed, merged and rolled up, so that little lies on the disk."""

import asyncio
import os
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from multiprocessing import get_context
from pathlib import Path
from uuid import UUID

import numpy as np
import psycopg
from numpy.typing import NDArray

import fleetkeeper.all_models  # noqa: F401 - foreign keys name tables of other rooms
from bench.layouts import add_devices, add_layout
from bench.series import copy_frames
from bench.sizes import partitions_bytes
from fleetkeeper.database.embedded import EmbeddedServer
from fleetkeeper.database.migrate import migrate
from fleetkeeper.settings.telemetry import TelemetrySettings
from fleetkeeper.simulation.catalog import KINDS
from fleetkeeper.simulation.fleet import Fleet
from fleetkeeper.simulation.kinds import Kind, KindName
from fleetkeeper.telemetry.chunks.jobs import merge_chunks, seal_frames
from fleetkeeper.telemetry.rollups.jobs import refresh_rollups

LAYOUT = 100_000
DAY_SECONDS = 86_400
_SEED = 20_260_101


@dataclass
class Machines:
    """Some machines of the simulated fleet, and what of them is kept."""

    title: str
    kind: Kind
    count: int
    step_seconds: int
    days: int
    metrics: Sequence[str] = ()
    """Names of the metrics; all when empty."""
    channels: Sequence[str] = field(init=False)

    def __post_init__(self) -> None:
        self._places = [
            place
            for place, channel in enumerate(self.kind.channels)
            if not self.metrics or channel.partition("{")[0] in self.metrics
        ]
        self.channels = [self.kind.channels[place] for place in self._places]
        self._model = Fleet(_SEED, self.count, (self.kind,)).models[0]

    @property
    def first_day(self) -> datetime:
        """The first of the days, of which the last is the one before yesterday."""
        today = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
        return today - timedelta(days=self.days + 1)

    @property
    def steps(self) -> int:
        """Frames of one machine in a day."""
        return DAY_SECONDS // self.step_seconds

    @property
    def samples(self) -> int:
        """Samples in all."""
        return self.days * self.count * self.steps * len(self.channels)

    def day(self, start: datetime) -> NDArray[np.float64]:
        """A day's values as (machines, steps, channels); a machine that is off repeats its last frame."""
        times = start.timestamp() + self.step_seconds * np.arange(self.steps, dtype=np.float64)
        values = np.empty((self.count, self.steps, len(self.channels)))
        for position in range(self.count):
            found = self._model.measure(np.full(self.steps, position), times)
            place = np.maximum(np.searchsorted(found.times, times, side="right") - 1, 0)
            values[position] = found.values[place][:, self._places]
        return values


def kind_named(name: KindName) -> Kind:
    """A kind of the catalogue."""
    return next(kind for kind in KINDS if kind.name is name)


@dataclass
class Built:
    """What was built, and what it took."""

    devices: Sequence[UUID]
    hot_bytes: int = 0
    """Of all frames, had none been sealed: those of each day, added up."""
    seconds: dict[str, float] = field(default_factory=dict)


@contextmanager
def database(folder: Path) -> Iterator[str]:
    """An empty database of the product, on a server of its own."""
    server = EmbeddedServer(folder / "home")
    server.start()
    try:
        with psycopg.connect(server.url("postgres"), autocommit=True) as connection:
            connection.execute("CREATE DATABASE bench")
        migrate(server.url("bench"))
        yield server.url("bench")
    finally:
        server.stop()


class Builder:
    """Writes the days of some machines and moves each through the tiers; days are to come in their order.

    They are rolled up one by one as they come, or all in the end, by as many processes as there are cores.
    """

    def __init__(self, url: str, machines: Machines, *, rolls_up_daily: bool = True) -> None:
        self._url, self._machines, self._rolls_up_daily = url, machines, rolls_up_daily
        with psycopg.connect(url, autocommit=True) as connection:
            devices = add_devices(connection, machines.count)
            add_layout(connection, LAYOUT, machines.channels, devices)
        self.built = Built(devices, seconds=dict.fromkeys(("writing", "sealing", "merging", "rollups"), 0.0))

    def add(self, start: datetime, values: NDArray[np.float64]) -> None:
        """One day."""
        built, step_us = self.built, self._machines.step_seconds * 1_000_000
        began = time.perf_counter()
        with psycopg.connect(self._url, autocommit=True) as connection:
            day = start.date()
            connection.execute("SELECT create_telemetry_partition(%s, %s)", (day, day + timedelta(days=1)))
            before = partitions_bytes(connection, "frames")
            start_us = round(start.timestamp() * 1e6)
            devices = [device.bytes for device in built.devices]
            copy_frames(connection, devices, LAYOUT, start_us, step_us, values)
            built.hot_bytes += partitions_bytes(connection, "frames") - before
        built.seconds["writing"] += time.perf_counter() - began
        now = start.timestamp() + 2 * DAY_SECONDS
        settings = TelemetrySettings(seal_after_minutes=60)
        self._do("sealing", seal_frames(self._url, settings, now=now))
        self._do("merging", merge_chunks(self._url, now=now))
        if self._rolls_up_daily:
            self._do("rollups", refresh_rollups(self._url))

    def finish(self) -> Built:
        """Leave nothing to roll up, and no dead rows behind."""
        if not self._rolls_up_daily:
            began = time.perf_counter()
            with ProcessPoolExecutor(os.cpu_count(), get_context("spawn")) as pool:
                list(pool.map(_roll_up, [self._url] * (os.cpu_count() or 1)))
            self.built.seconds["rollups"] += time.perf_counter() - began
            # What two of them met at was left.
            self._do("rollups", refresh_rollups(self._url))
        with psycopg.connect(self._url, autocommit=True) as connection:
            connection.execute("VACUUM FULL ANALYZE chunks")
            connection.execute("VACUUM FULL ANALYZE rollups")
        return self.built

    def _do(self, step: str, work: object) -> None:
        began = time.perf_counter()
        asyncio.run(work)  # type: ignore[arg-type]
        self.built.seconds[step] += time.perf_counter() - began


def _roll_up(url: str) -> None:
    asyncio.run(refresh_rollups(url))
