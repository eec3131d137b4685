"""Finds the layout of an arriving frame, and registers metrics, channels and layouts that are new.

Each process keeps what it has seen; the tables settle races between processes.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import numpy as np
from psycopg import AsyncConnection
from psycopg.types.json import Jsonb
from psycopg_pool import AsyncConnectionPool

from fleetkeeper.telemetry.frames import Plan
from fleetkeeper_protocol.metrics import describe, parse_channel

# The vital signs that lists of devices show, and the channels that hold them.
VITAL_CHANNELS = {
    "cpu_percent": "cpu_usage_percent",
    "memory_percent": "memory_usage_percent",
    "disk_percent": "disk_usage_percent",
}
MAX_KEY_LENGTH = 1000
# Plans kept per process. Each costs a few kilobytes; past this the cache starts again.
MAX_PLANS = 20_000
# A frame that has at least this share of its device's layout is stored in that layout, with NULLs for the rest.
MINIMUM_SHARE = 0.5


class ChannelError(ValueError):
    """A channel's name or labels are not allowed; the message says why."""

    def __init__(self, key: str, message: str) -> None:
        super().__init__(message)
        self.key = key


@dataclass
class _DeviceLayout:
    layout_id: int
    position_of: dict[str, int]


@dataclass
class LayoutRegistry:
    """Plans for frames, by the sequence of channel names that a frame has."""

    pool: AsyncConnectionPool[AsyncConnection[Any]]
    max_channels_per_device: int = 5000
    _channel_ids: dict[str, int] = field(default_factory=dict)
    _plans: dict[tuple[str, ...], Plan] = field(default_factory=dict)
    _positions: dict[int, dict[str, int]] = field(default_factory=dict)
    _device_plans: dict[tuple[bytes, tuple[str, ...]], Plan] = field(default_factory=dict)
    _device_layouts: dict[bytes, _DeviceLayout] = field(default_factory=dict)
    _used: set[tuple[bytes, int]] = field(default_factory=set)

    def known_plan(self, device_id: bytes, keys: tuple[str, ...]) -> Plan | None:
        """The plan for a frame whose layout this process knows for this device; the path of nearly every frame."""
        plan = self._plans.get(keys)
        if plan is not None and (device_id, plan.layout_id) in self._used:
            return plan
        return self._device_plans.get((device_id, keys))

    async def plan(self, device_id: bytes, keys: tuple[str, ...]) -> Plan:
        """The plan for a frame, registering what is new. Raises ChannelError."""
        known = self.known_plan(device_id, keys)
        if known is not None:
            return known
        if len(self._plans) + len(self._device_plans) > MAX_PLANS or len(self._used) > 50 * MAX_PLANS:
            self._forget()
        plan = self._plans.get(keys)
        if plan is not None:
            # Another machine has the same channels; all that is new is that this one has them too.
            async with self.pool.connection() as connection:
                await self._note_use(connection, device_id, plan.layout_id)
            self._remember_use(device_id, plan.layout_id)
            return plan
        partial = self._partial_plan(device_id, keys)
        if partial is not None:
            self._device_plans[device_id, keys] = partial
            return partial
        parsed = [(key, *self._parse(key)) for key in keys]
        async with self.pool.connection() as connection:
            await self._check_channel_limit(connection, device_id, keys)
            ids = await self._register_channels(connection, parsed)
            plan = await self._register_layout(connection, keys, ids)
            await self._note_use(connection, device_id, plan.layout_id)
        # Nothing is remembered before its commit: other requests would build on what may be rolled back.
        self._channel_ids.update(ids)
        self._plans[keys] = plan
        self._positions.setdefault(plan.layout_id, _positions_of(keys, ids))
        self._remember_use(device_id, plan.layout_id)
        return plan

    @staticmethod
    async def _note_use(connection: AsyncConnection[Any], device_id: bytes, layout_id: int) -> None:
        await connection.execute(
            "INSERT INTO device_layouts (device_id, layout_id) VALUES (%s, %s) ON CONFLICT DO NOTHING",
            (UUID(bytes=device_id), layout_id),
        )

    def _remember_use(self, device_id: bytes, layout_id: int) -> None:
        self._used.add((device_id, layout_id))
        if layout_id in self._positions:
            self._device_layouts[device_id] = _DeviceLayout(layout_id, self._positions[layout_id])

    def _partial_plan(self, device_id: bytes, keys: tuple[str, ...]) -> Plan | None:
        """A plan within the device's present layout, when the frame has most of its channels and no others."""
        layout = self._device_layouts.get(device_id)
        if layout is None or len(keys) < len(layout.position_of) * MINIMUM_SHARE:
            return None
        positions = [layout.position_of.get(key) for key in keys]
        if None in positions:
            return None
        return _make_plan(layout.layout_id, len(layout.position_of), keys, np.array(positions, np.intp))

    def _forget(self) -> None:
        for cache in (
            self._plans,
            self._device_plans,
            self._positions,
            self._device_layouts,
        ):
            cache.clear()
        self._used.clear()
        self._channel_ids.clear()

    @staticmethod
    def _parse(key: str) -> tuple[str, dict[str, str]]:
        if len(key) > MAX_KEY_LENGTH:
            raise ChannelError(key[:80], f"a channel has at most {MAX_KEY_LENGTH} characters")
        try:
            return parse_channel(key)
        except ValueError as error:
            raise ChannelError(key[:80], str(error)) from None

    async def _check_channel_limit(
        self, connection: AsyncConnection[Any], device_id: bytes, keys: Sequence[str]
    ) -> None:
        """One device with endless label values must not fill the catalogue."""
        rows = await connection.execute(
            """
            SELECT count(DISTINCT c.id), count(DISTINCT c.id) FILTER (WHERE c.key = ANY(%s))
            FROM device_layouts d
            JOIN layout_channels l ON l.layout_id = d.layout_id JOIN channels c ON c.id = l.channel_id
            WHERE d.device_id = %s
            """,
            (list(keys), UUID(bytes=device_id)),
        )
        had, shared = await rows.fetchone() or (0, 0)
        total = had + len(keys) - shared
        if total > self.max_channels_per_device:
            message = f"this device would have {total} channels; the limit is {self.max_channels_per_device}"
            raise ChannelError(keys[0][:80], message)

    async def _register_channels(
        self, connection: AsyncConnection[Any], parsed: Sequence[tuple[str, str, dict[str, str]]]
    ) -> dict[str, int]:
        ids = {key: self._channel_ids[key] for key, _, _ in parsed if key in self._channel_ids}
        missing = sorted(item for item in parsed if item[0] not in ids)
        if missing:
            async with connection.cursor() as cursor:
                metrics = [describe(name) for name in sorted({name for _, name, _ in missing})]
                await cursor.executemany(
                    """
                    INSERT INTO metrics (name, metric_type, unit, kind, description) VALUES (%s, %s, %s, %s, %s)
                    ON CONFLICT (name) DO NOTHING
                    """,
                    [
                        (item.name, item.group, item.unit, item.kind.value, item.description)
                        for item in metrics
                    ],
                )
                await cursor.executemany(
                    """
                    INSERT INTO channels (metric_id, labels, key) SELECT id, %s, %s FROM metrics WHERE name = %s
                    ON CONFLICT (key) DO NOTHING
                    """,
                    [(Jsonb(labels), key, name) for key, name, labels in missing],
                )
                await cursor.execute(
                    "SELECT key, id FROM channels WHERE key = ANY(%s)", ([key for key, _, _ in missing],)
                )
                ids.update(dict(await cursor.fetchall()))
        return ids

    async def _register_layout(
        self, connection: AsyncConnection[Any], keys: tuple[str, ...], ids: dict[str, int]
    ) -> Plan:
        position_of = _positions_of(keys, ids)
        channel_ids = [ids[key] for key in position_of]
        digest = hashlib.sha256(np.array(channel_ids, ">i4").tobytes()).digest()
        await connection.execute(
            "INSERT INTO layouts (channel_ids, digest) VALUES (%s, %s) ON CONFLICT (digest) DO NOTHING",
            (channel_ids, digest),
        )
        rows = await connection.execute("SELECT id FROM layouts WHERE digest = %s", (digest,))
        layout_id = int((await rows.fetchone() or (0,))[0])
        await connection.execute(
            """
            INSERT INTO layout_channels (layout_id, position, channel_id)
            SELECT %s, ordinality, channel FROM unnest(%s::int[]) WITH ORDINALITY AS item (channel, ordinality)
            ON CONFLICT DO NOTHING
            """,
            (layout_id, channel_ids),
        )
        in_order = tuple(position_of) == keys
        positions = None if in_order else np.array([position_of[key] for key in keys], np.intp)
        return _make_plan(layout_id, len(keys), keys, positions)


def _positions_of(keys: Sequence[str], ids: dict[str, int]) -> dict[str, int]:
    """Where each channel stands in the layout of these channels."""
    return {key: index for index, key in enumerate(sorted(keys, key=ids.__getitem__))}


def _make_plan(layout_id: int, size: int, keys: tuple[str, ...], positions: Any) -> Plan:
    vitals = {sign: keys.index(channel) for sign, channel in VITAL_CHANNELS.items() if channel in keys}
    return Plan(layout_id=layout_id, size=size, positions=positions, vitals=vitals)
