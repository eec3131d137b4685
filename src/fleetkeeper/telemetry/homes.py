"""Where the values of a channel are stored that arrives apart from a whole frame.

Each such channel has one home for the whole fleet: a layout of its neighbours, and a place in it. So machines of a
kind share layouts, whatever share of their channels one request brings. Each process keeps what it has seen; the
tables settle races between processes.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple
from uuid import UUID

from psycopg import AsyncConnection
from psycopg_pool import AsyncConnectionPool

from fleetkeeper.telemetry.channels import (
    ChannelError,
    ParsedKey,
    channels_of,
    parse_key,
    register_channels,
    register_layout,
    vitals_among,
)
from fleetkeeper.telemetry.frames import Plan
from fleetkeeper.telemetry.reasons import Reason

# Channels of a new home; `device_layouts.present` has a bit for each.
HOME_SIZE = 60
# Channels, and pairs of device and layout, kept per process; past this the cache starts again.
MAX_KEPT = 500_000


@dataclass(frozen=True, slots=True)
class Home:
    """A layout, and a channel's place in it, counted from 0."""

    plan: Plan
    position: int


class Refused(NamedTuple):
    """Why a channel has no home: for counters, and as a sentence."""

    reason: Reason
    sentence: str


@dataclass(frozen=True)
class Places:
    """The homes of a device's channels, and why others have none."""

    homes: dict[str, Home]
    refused: dict[str, Refused]


@dataclass
class ChannelHomes:
    """Homes by a channel's key."""

    pool: AsyncConnectionPool[AsyncConnection[Any]]
    max_channels_per_device: int = 5000
    _homes: dict[str, Home] = field(default_factory=dict)
    _plans: dict[int, Plan] = field(default_factory=dict)
    _present: dict[tuple[bytes, int], int] = field(default_factory=dict)

    async def places(self, device_id: bytes, keys: Sequence[str]) -> Places:
        """Where a device's channels are stored, registering what is new as far as the device may have it."""
        known, new = self._known(device_id, keys)
        if not new:
            return Places(known, {})
        if len(self._homes) + len(self._present) > MAX_KEPT:
            self._homes, self._plans, self._present = {}, {}, {}
            new = list(keys)
        refused = await self._register(device_id, new)
        return Places({key: self._homes[key] for key in keys if key not in refused}, refused)

    def _known(self, device_id: bytes, keys: Sequence[str]) -> tuple[dict[str, Home], list[str]]:
        """The homes of channels that the device is known to have, and the other channels."""
        found: dict[str, Home] = {}
        new: list[str] = []
        present: dict[int, int] = {}
        for key in keys:
            home = self._homes.get(key)
            if home is not None:
                layout_id = home.plan.layout_id
                bits = present.get(layout_id)
                if bits is None:
                    bits = present[layout_id] = self._present.get((device_id, layout_id), 0)
                if bits >> home.position & 1:
                    found[key] = home
                    continue
            new.append(key)
        return found, new

    async def _register(self, device_id: bytes, keys: Sequence[str]) -> dict[str, Refused]:
        """Register a device's new channels; returns why some were refused."""
        refused: dict[str, Refused] = {}
        parsed: list[ParsedKey] = []
        for key in dict.fromkeys(keys):
            try:
                parsed.append(parse_key(key))
            except ChannelError as error:
                refused[key] = Refused(error.reason, str(error))
        async with self.pool.connection() as connection:
            await connection.execute(
                "SELECT pg_advisory_xact_lock(hashtextextended('fleetkeeper.channels ' || %s, 0))",
                (str(UUID(bytes=device_id)),),
            )
            had = await channels_of(connection, device_id)
            room = self.max_channels_per_device - len(had)
            allowed: list[ParsedKey] = []
            for item in parsed:
                if item[0] not in had:
                    room -= 1
                if room < 0 and item[0] not in had:
                    refused[item[0]] = Refused(
                        Reason.CHANNEL_LIMIT,
                        f"this device has {self.max_channels_per_device} channels, which is the limit",
                    )
                else:
                    allowed.append(item)
            homes, plans = await self._find_or_make(connection, allowed)
            present = await self._note_presence(connection, device_id, [homes[item[0]] for item in allowed])
        # Nothing is remembered before its commit: other requests would build on what may be rolled back.
        self._homes.update(homes)
        self._plans.update(plans)
        self._present.update(present)
        return refused

    async def _find_or_make(
        self, connection: AsyncConnection[Any], parsed: Sequence[ParsedKey]
    ) -> tuple[dict[str, Home], dict[int, Plan]]:
        unknown = [item for item in parsed if item[0] not in self._homes]
        ids = await register_channels(connection, unknown, {})
        homeless = await self._homeless(connection, list(ids.values()))
        # Neighbours in the alphabet belong together: a machine that has one has the others too.
        of_id = {number: key for key, number in ids.items()}
        homeless.sort(key=of_id.__getitem__)
        for first in range(0, len(homeless), HOME_SIZE):
            members = sorted(homeless[first : first + HOME_SIZE])
            layout_id = await register_layout(connection, members)
            await connection.execute(
                """
                UPDATE channels c SET home_layout_id = %s, home_position = m.position - 1
                FROM unnest(%s::int[]) WITH ORDINALITY AS m (id, position)
                WHERE c.id = m.id AND c.home_layout_id IS NULL
                """,
                (layout_id, members),
            )
        homes = {key: self._homes[key] for key, _, _ in parsed if key in self._homes}
        plans = dict(self._plans)
        rows = await connection.execute(
            "SELECT key, home_layout_id, home_position FROM channels WHERE id = ANY(%s)",
            (list(ids.values()),),
        )
        for key, layout_id, position in await rows.fetchall():
            if layout_id not in plans:
                plans[layout_id] = await _plan_of(connection, layout_id)
            homes[key] = Home(plans[layout_id], position)
        return homes, plans

    @staticmethod
    async def _homeless(connection: AsyncConnection[Any], ids: Sequence[int]) -> list[int]:
        rows = await connection.execute(
            # Locked, so that two processes do not give one channel two homes.
            "SELECT id FROM channels WHERE id = ANY(%s) AND home_layout_id IS NULL ORDER BY id FOR NO KEY UPDATE",
            (list(ids),),
        )
        return [row[0] for row in await rows.fetchall()]

    @staticmethod
    async def _note_presence(
        connection: AsyncConnection[Any], device_id: bytes, homes: Sequence[Home]
    ) -> dict[tuple[bytes, int], int]:
        bits: dict[int, int] = {}
        for home in homes:
            bits[home.plan.layout_id] = bits.get(home.plan.layout_id, 0) | 1 << home.position
        present: dict[tuple[bytes, int], int] = {}
        for layout_id, mask in sorted(bits.items()):
            rows = await connection.execute(
                """
                INSERT INTO device_layouts AS d (device_id, layout_id, present) VALUES (%s, %s, %s)
                ON CONFLICT (device_id, layout_id) DO UPDATE SET present = d.present | excluded.present
                RETURNING present
                """,
                (UUID(bytes=device_id), layout_id, mask),
            )
            row = await rows.fetchone()
            # None is a layout that the device uses whole.
            present[device_id, layout_id] = -1 if row is None or row[0] is None else row[0]
        return present


async def _plan_of(connection: AsyncConnection[Any], layout_id: int) -> Plan:
    rows = await connection.execute(
        """
        SELECT c.key FROM layout_channels l JOIN channels c ON c.id = l.channel_id
        WHERE l.layout_id = %s ORDER BY l.position
        """,
        (layout_id,),
    )
    keys = [row[0] for row in await rows.fetchall()]
    return Plan(layout_id=layout_id, size=len(keys), positions=None, vitals=vitals_among(keys))
