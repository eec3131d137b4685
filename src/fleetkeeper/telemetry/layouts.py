"""Finds the layout of an arriving frame, and registers metrics, channels and layouts that are new.

Each process keeps what it has seen; the tables settle races between processes.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import numpy as np
from psycopg import AsyncConnection
from psycopg_pool import AsyncConnectionPool

from fleetkeeper.telemetry.channels import (
    ChannelError,
    ParsedKey,
    canonical,
    channels_of,
    keys_of_others,
    register_channels,
    register_layout,
    told_apart,
    vitals_among,
)
from fleetkeeper.telemetry.frames import Plan
from fleetkeeper.telemetry.reasons import Reason

# Plans kept per process. Each costs a few kilobytes; past this the cache starts again.
MAX_PLANS = 20_000
# A frame that has at least this share of its device's layout is stored in that layout, with NULLs for the rest.
MINIMUM_SHARE = 0.5
# Devices of which it is kept what channels they have: those that show new layouts, one after the other at times.
MAX_COUNTED_DEVICES = 64


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
    _channels_of: dict[bytes, dict[str, str | None]] = field(default_factory=dict)

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
        partial = None if keys in self._plans else self._partial_plan(device_id, keys)
        if partial is not None:
            self._device_plans[device_id, keys] = partial
            return partial
        parsed = [] if keys in self._plans else _parsed_once(keys)
        async with self.pool.connection() as connection:
            others = await keys_of_others(connection, device_id)
            plan = self._plans.get(keys)
            if plan is not None and others.isdisjoint(self._positions[plan.layout_id]):
                # Another machine has the same channels; all that is new is that this one has them too.
                await self._note_use(connection, device_id, plan.layout_id)
                self._remember_use(device_id, plan.layout_id)
                return plan
            parsed = parsed or _parsed_once(keys)
            is_usual = others.isdisjoint(key for key, _, _ in parsed)
            parsed = [_apart(item) if item[0] in others else item for item in parsed]
            channels = tuple(key for key, _, _ in parsed)
            had = await self._check_channel_limit(connection, device_id, channels)
            ids = await register_channels(connection, parsed, self._channel_ids)
            plan = await self._register_layout(connection, channels, ids)
            await self._note_use(connection, device_id, plan.layout_id)
        # Nothing is remembered before its commit: other requests would build on what may be rolled back.
        self._channel_ids.update(ids)
        had.update(dict.fromkeys(channels, ""))
        if is_usual:
            self._plans[keys] = plan
        else:
            self._device_plans[device_id, keys] = plan
        self._positions.setdefault(plan.layout_id, _positions_of(channels, ids))
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
            self._channels_of,
        ):
            cache.clear()
        self._used.clear()
        self._channel_ids.clear()

    async def _check_channel_limit(
        self, connection: AsyncConnection[Any], device_id: bytes, keys: Sequence[str]
    ) -> dict[str, str | None]:
        """The channels that a device has: one with endless label values must not fill the catalog.

        They are counted once. What other processes register meanwhile is missed: the limit guards the catalog,
        and some channels more do no harm.
        """
        channels = self._channels_of.pop(device_id, None)
        if channels is None or self._exceeds(channels, keys):
            channels = await channels_of(connection, device_id)
        while len(self._channels_of) >= MAX_COUNTED_DEVICES:
            del self._channels_of[next(iter(self._channels_of))]
        self._channels_of[device_id] = channels
        if self._exceeds(channels, keys):
            total = len(channels.keys() | set(keys))
            message = f"this device would have {total} channels; the limit is {self.max_channels_per_device}"
            raise ChannelError(keys[0][:80], message, Reason.CHANNEL_LIMIT)
        return channels

    def _exceeds(self, channels: Collection[str], keys: Sequence[str]) -> bool:
        return len(channels) + sum(key not in channels for key in keys) > self.max_channels_per_device

    async def _register_layout(
        self, connection: AsyncConnection[Any], keys: tuple[str, ...], ids: dict[str, int]
    ) -> Plan:
        position_of = _positions_of(keys, ids)
        layout_id = await register_layout(connection, [ids[key] for key in position_of])
        in_order = tuple(position_of) == keys
        positions = None if in_order else np.array([position_of[key] for key in keys], np.intp)
        return _make_plan(layout_id, len(keys), keys, positions)


def _apart(item: ParsedKey) -> ParsedKey:
    """The channel of a frame beside one that a sender has under the same key. Raises ChannelError."""
    found = told_apart(item, "")
    if found is None:
        message = "another sender's series has this name with these labels; give them labels that differ"
        raise ChannelError(item[0][:80], message, Reason.COLLISION)
    return found


def _parsed_once(keys: Sequence[str]) -> list[ParsedKey]:
    """The channels of a frame. Raises ChannelError for what is none, and for two spellings of one."""
    parsed = []
    seen: dict[str, str] = {}
    for key in keys:
        item = canonical(key)
        before = seen.setdefault(item[0], key)
        if before != key:
            raise ChannelError(key[:80], f"the frame has this channel twice; {before[:80]} is the same")
        parsed.append(item)
    return parsed


def _positions_of(keys: Sequence[str], ids: dict[str, int]) -> dict[str, int]:
    """Where each channel stands in the layout of these channels."""
    return {key: index for index, key in enumerate(sorted(keys, key=ids.__getitem__))}


def _make_plan(layout_id: int, size: int, keys: tuple[str, ...], positions: Any) -> Plan:
    return Plan(layout_id=layout_id, size=size, positions=positions, vitals=vitals_among(keys))
