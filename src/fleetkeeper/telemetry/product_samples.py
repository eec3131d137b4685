"""Samples that the product itself makes on their way in, as a sender's. They are no sign of life of a device."""

import contextlib
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from psycopg import AsyncConnection
from psycopg_pool import AsyncConnectionPool, PoolTimeout

from fleetkeeper.database.context import WHOLE_FLEET_OPTION, product_context
from fleetkeeper.database.engine import Database
from fleetkeeper.settings import Settings
from fleetkeeper.telemetry import queries
from fleetkeeper.telemetry.frames import PendingFrame, Window
from fleetkeeper.telemetry.homes import ChannelHomes
from fleetkeeper.telemetry.sample_intake import SampleIntake
from fleetkeeper.telemetry.samples import SampleSeries, StoredSamples, columns_of
from fleetkeeper.telemetry.writer import FrameWriter

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass
class _Newest:
    """The moments of what became durable, by device and part."""

    moments: dict[tuple[bytes, int], int] = field(default_factory=dict)

    def note(self, frame: PendingFrame) -> None:
        """A frame became durable."""
        key = frame.device_id, frame.part
        self.moments[key] = max(self.moments.get(key, 0), frame.ts_us)


class ProductSamples:
    """The way of the product's own samples in one process."""

    def __init__(self, settings: Settings, database: Database) -> None:
        limits = self._limits = settings.telemetry
        self._database = database
        self._pool: AsyncConnectionPool[AsyncConnection[Any]] = AsyncConnectionPool(
            database.url,
            min_size=0,
            max_size=2,
            open=False,
            timeout=5,
            kwargs={
                "application_name": "fleetkeeper product samples",
                "options": f"-c timezone=UTC -c statement_timeout=30s {WHOLE_FLEET_OPTION}",
            },
        )
        self._writer = FrameWriter(database.url, writers=1, max_pending_frames=limits.max_pending_frames)
        self._newest = _Newest()
        homes = ChannelHomes(self._pool, limits.max_channels_per_device)
        self._intake = SampleIntake(homes, self._writer, self._newest)

    async def start(self) -> None:
        """Open the connections. A database that is away for the moment holds nothing up."""
        await self._pool.open()
        with contextlib.suppress(PoolTimeout):
            await self._pool.wait(timeout=5)
        await self._writer.start()

    async def stop(self) -> None:
        """Store what waits and close."""
        await self._writer.stop()
        await self._pool.close()

    async def store(self, series: Sequence[SampleSeries]) -> StoredSamples:
        """Store samples; they are durable when this returns, and the newest ones are the devices' latest values.

        Raises OverloadedError and UnavailableError.
        """
        limits = self._limits
        window = Window.around(
            time.time(), max_age_days=limits.max_age_days, max_future_seconds=limits.max_future_seconds
        )
        stored = await self._intake.store(columns_of(series), window)
        newest, self._newest.moments = self._newest.moments, {}
        if newest:
            rows = [
                (UUID(bytes=device), _EPOCH + timedelta(microseconds=ts_us), part)
                for (device, part), ts_us in sorted(newest.items())
            ]
            async with self._database.session(product_context("job", "telemetry.product_samples")) as session:
                await queries.store_latest(session, rows)
        return stored
