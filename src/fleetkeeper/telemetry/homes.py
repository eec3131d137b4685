"""Where the values of a channel are stored that arrives apart from a whole frame.

Each such channel has one home for the whole fleet: a layout of its neighbors, and a place in it. So machines of a
kind share layouts, whatever share of their channels one request brings. Each process keeps what it has seen; the
tables settle races between processes.

Two names of senders may be one name here. On one device a channel belongs to the name that it was first sent under, and
what comes under another one becomes a channel with the label `sent_as`, for ever: the tables remember.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple
from uuid import UUID

from psycopg import AsyncConnection
from psycopg.types.json import Jsonb
from psycopg_pool import AsyncConnectionPool

from fleetkeeper.telemetry.channels import (
    ChannelError,
    ParsedKey,
    channels_of,
    is_of_agents,
    parse_key,
    register_channels,
    register_layout,
    told_apart,
    vitals_among,
)
from fleetkeeper.telemetry.frames import Plan
from fleetkeeper.telemetry.reasons import Reason

_NO_NAME_LEFT = "another series of the device has this name with these labels; give them labels that differ"
# Channels of a new home; `device_layouts.present` has a bit for each.
HOME_SIZE = 60
# Channels, and pairs of device and layout, kept per process; past this the cache starts again.
MAX_KEPT = 500_000


class Wanted(NamedTuple):
    """A channel that is to be written to, and what its sender calls it; empty where that is its name here."""

    key: str
    sent_as: str = ""


@dataclass(frozen=True, slots=True)
class Home:
    """A channel's layout, its place in it, counted from 0, and what its first sender calls it."""

    key: str
    plan: Plan
    position: int
    sent_as: str


class Refused(NamedTuple):
    """Why a channel has no home: for counters, and as a sentence."""

    reason: Reason
    sentence: str


@dataclass(frozen=True)
class Places:
    """The homes of a device's channels, and why others have none."""

    homes: dict[Wanted, Home]
    refused: dict[Wanted, Refused]


@dataclass
class ChannelHomes:
    """Homes by a channel's key."""

    pool: AsyncConnectionPool[AsyncConnection[Any]]
    max_channels_per_device: int = 5000
    _homes: dict[str, Home] = field(default_factory=dict)
    _plans: dict[int, Plan] = field(default_factory=dict)
    _present: dict[tuple[bytes, int], int] = field(default_factory=dict)
    # By device and key: what its sender calls a channel, where that is not what its first sender calls it.
    _otherwise: dict[tuple[bytes, str], str] = field(default_factory=dict)

    async def places(self, device_id: bytes, wanted: Sequence[Wanted]) -> Places:
        """Where a device's channels are stored, registering what is new as far as the device may have it.

        A home has another key than was wanted where that belongs to what the device sends under another name.
        """
        known, new = self._known(device_id, wanted)
        if not new:
            return Places(known, {})
        if len(self._homes) + len(self._present) + len(self._otherwise) > MAX_KEPT:
            self._homes, self._plans, self._present, self._otherwise = {}, {}, {}, {}
        found = await self._register(device_id, new)
        return Places(known | found.homes, found.refused)

    def _known(self, device_id: bytes, wanted: Sequence[Wanted]) -> tuple[dict[Wanted, Home], list[Wanted]]:
        """The homes of channels that the device is known to have, and the other channels."""
        found: dict[Wanted, Home] = {}
        new: list[Wanted] = []
        present: dict[int, int] = {}
        for wish in wanted:
            home = self._homes.get(wish.key)
            if home is not None and self._otherwise.get((device_id, wish.key), home.sent_as) == wish.sent_as:
                layout_id = home.plan.layout_id
                bits = present.get(layout_id)
                if bits is None:
                    bits = present[layout_id] = self._present.get((device_id, layout_id), 0)
                if bits >> home.position & 1:
                    found[wish] = home
                    continue
            new.append(wish)
        return found, new

    async def _register(self, device_id: bytes, wanted: Sequence[Wanted]) -> Places:
        """Register a device's new channels as far as it may have them."""
        refused: dict[Wanted, Refused] = {}
        parsed: dict[Wanted, ParsedKey] = {}
        for wish in dict.fromkeys(wanted):
            try:
                parsed[wish] = parse_key(wish.key)
            except ChannelError as error:
                refused[wish] = Refused(error.reason, str(error))
        async with self.pool.connection() as connection:
            await connection.execute(
                "SELECT pg_advisory_xact_lock(hashtextextended('fleetkeeper.channels ' || %s, 0))",
                (str(UUID(bytes=device_id)),),
            )
            had = await channels_of(connection, device_id)
            allowed: dict[Wanted, ParsedKey] = {}
            for wish, item in parsed.items():
                free = _free_for(wish.sent_as, item, had)
                if free is None:
                    refused[wish] = Refused(Reason.COLLISION, _NO_NAME_LEFT)
                elif free[0] not in had and len(had) >= self.max_channels_per_device:
                    refused[wish] = Refused(
                        Reason.CHANNEL_LIMIT,
                        f"this device has {self.max_channels_per_device} channels, which is the limit",
                    )
                else:
                    allowed[wish] = free
                    had[free[0]] = wish.sent_as
            sent_as = {item[0]: wish.sent_as for wish, item in allowed.items()}
            homes, plans = await self._find_or_make(connection, list(allowed.values()), sent_as)
            own = {key: homes[key] for key in sent_as}
            otherwise = {key: sent_as[key] for key, home in own.items() if home.sent_as != sent_as[key]}
            present = await self._note_presence(connection, device_id, own.values(), otherwise)
        # Nothing is remembered before its commit: other requests would build on what may be rolled back.
        self._homes.update(homes)
        self._plans.update(plans)
        self._present.update(present)
        self._otherwise.update({(device_id, key): name for key, name in otherwise.items()})
        return Places({wish: homes[item[0]] for wish, item in allowed.items()}, refused)

    async def _find_or_make(
        self, connection: AsyncConnection[Any], parsed: Sequence[ParsedKey], sent_as: Mapping[str, str]
    ) -> tuple[dict[str, Home], dict[int, Plan]]:
        unknown = [item for item in parsed if item[0] not in self._homes]
        ids = await register_channels(connection, unknown, {}, sent_as)
        homeless = await self._homeless(connection, list(ids.values()))
        # Neighbors in the alphabet belong together: a machine that has one has the others too.
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
        # What was sent before anybody asked under which name belongs to the first that comes now.
        await connection.execute(
            """
            UPDATE channels c SET sent_as = n.sent_as
            FROM unnest(%s::int[], %s::text[]) AS n (id, sent_as) WHERE c.id = n.id AND c.sent_as IS NULL
            """,
            (list(ids.values()), [sent_as[key] for key in ids]),
        )
        rows = await connection.execute(
            "SELECT key, home_layout_id, home_position, sent_as FROM channels WHERE id = ANY(%s)",
            (list(ids.values()),),
        )
        for key, layout_id, position, name in await rows.fetchall():
            if layout_id not in plans:
                plans[layout_id] = await _plan_of(connection, layout_id)
            homes[key] = Home(key, plans[layout_id], position, name)
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
        connection: AsyncConnection[Any],
        device_id: bytes,
        homes: Iterable[Home],
        otherwise: Mapping[str, str],
    ) -> dict[tuple[bytes, int], int]:
        bits: dict[int, int] = {}
        names: dict[int, dict[str, str]] = {}
        for home in homes:
            layout_id = home.plan.layout_id
            bits[layout_id] = bits.get(layout_id, 0) | 1 << home.position
            if home.key in otherwise:
                names.setdefault(layout_id, {})[str(home.position + 1)] = otherwise[home.key]
        present: dict[tuple[bytes, int], int] = {}
        for layout_id, mask in sorted(bits.items()):
            rows = await connection.execute(
                """
                INSERT INTO device_layouts AS d (device_id, layout_id, present, sent_as) VALUES (%s, %s, %s, %s)
                ON CONFLICT (device_id, layout_id) DO UPDATE SET present = d.present | excluded.present,
                    sent_as = CASE WHEN excluded.sent_as IS NULL THEN d.sent_as
                                   ELSE coalesce(d.sent_as, '{}') || excluded.sent_as END
                RETURNING present
                """,
                (
                    UUID(bytes=device_id),
                    layout_id,
                    mask,
                    Jsonb(names[layout_id]) if layout_id in names else None,
                ),
            )
            row = await rows.fetchone()
            # None is a layout that the device uses whole.
            present[device_id, layout_id] = -1 if row is None or row[0] is None else row[0]
        return present


def _free_for(sent_as: str, item: ParsedKey, had: Mapping[str, str | None]) -> ParsedKey | None:
    """The channel that a device may have for that name, beside those that it has or an agent on it would have."""
    own = None if sent_as and is_of_agents(item) else item
    for one in (own, told_apart(item, sent_as)):
        if one is not None and had.get(one[0], sent_as) in {sent_as, None}:
            return one
    return None


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
