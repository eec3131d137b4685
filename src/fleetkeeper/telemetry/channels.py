"""Registers metrics, channels and layouts. The tables settle races between processes; each call is in a transaction."""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

import numpy as np
from psycopg import AsyncConnection
from psycopg.types.json import Jsonb

from fleetkeeper.telemetry.reasons import Reason
from fleetkeeper_protocol.metrics import (
    BUILT_IN,
    MAX_LABEL_VALUE_LENGTH,
    describe,
    format_channel,
    parse_channel,
)

# The vital signs that lists of devices show, and the channels that hold them.
VITAL_CHANNELS = {
    "cpu_percent": "cpu_usage_percent",
    "memory_percent": "memory_usage_percent",
    "disk_percent": "disk_usage_percent",
}
MAX_KEY_LENGTH = 1000
_LABELS_OF_AGENTS = {"core", "interface", "mountpoint", "device", "gpu"}
# The label that tells a series from another one of its name and labels that was sent under another name.
SENT_AS = "sent_as"
# An entry of a PostgreSQL index has at most 2,704 bytes.
MAX_KEY_BYTES = 2600

# A channel's key, metric and labels.
ParsedKey = tuple[str, str, dict[str, str]]


class ChannelError(ValueError):
    """A channel's name or labels are not allowed; the message says why."""

    def __init__(self, key: str, message: str, reason: Reason = Reason.CHANNEL) -> None:
        super().__init__(message)
        self.key, self.reason = key, reason


def is_too_long(key: str) -> bool:
    """Whether a channel's spelling is longer than can be stored."""
    return len(key) > MAX_KEY_LENGTH or (len(key) * 4 > MAX_KEY_BYTES and len(key.encode()) > MAX_KEY_BYTES)


def parse_key(key: str) -> ParsedKey:
    """Take a channel's key apart. Raises ChannelError."""
    if is_too_long(key):
        raise ChannelError(
            key[:80], f"a channel has at most {MAX_KEY_LENGTH} characters, and {MAX_KEY_BYTES} bytes of UTF-8"
        )
    try:
        return key, *parse_channel(key)
    except ValueError as error:
        raise ChannelError(key[:80], str(error)) from None


def canonical(key: str) -> ParsedKey:
    """The same in the one spelling that stored channels have: labels sorted, those without a value left out.

    Raises ChannelError.
    """
    _, name, labels = parse_key(key)
    labels = {label: value for label, value in labels.items() if value}
    return format_channel(name, labels), name, labels


def vitals_among(keys: Sequence[str]) -> dict[str, int]:
    """Where the vital signs stand among these channels."""
    return {sign: keys.index(channel) for sign, channel in VITAL_CHANNELS.items() if channel in keys}


def is_of_agents(item: ParsedKey) -> bool:
    """Whether an agent would send a channel with that key."""
    return item[1] in BUILT_IN and item[2].keys() <= _LABELS_OF_AGENTS


async def channels_of(connection: AsyncConnection[Any], device_id: bytes) -> dict[str, str | None]:
    """The keys of all channels that a device has, each with what its sender calls it.

    That is empty where it is the channel's own name, as in whole frames, and None where nobody knows.
    """
    rows = await connection.execute(
        """
        SELECT c.key, CASE WHEN d.present IS NULL THEN '' ELSE coalesce(d.sent_as ->> l.position::text, c.sent_as) END
        FROM device_layouts d
        JOIN layout_channels l ON l.layout_id = d.layout_id
             AND (d.present IS NULL OR d.present & (1::bigint << l.position - 1) <> 0)
        JOIN channels c ON c.id = l.channel_id
        WHERE d.device_id = %s
        ORDER BY d.present IS NOT NULL
        """,
        (UUID(bytes=device_id),),
    )
    return dict(await rows.fetchall())


async def keys_of_others(connection: AsyncConnection[Any], device_id: bytes) -> set[str]:
    """The keys under which a device has what senders call otherwise."""
    rows = await connection.execute(
        """
        SELECT c.key
        FROM device_layouts d
        JOIN layout_channels l ON l.layout_id = d.layout_id AND d.present & (1::bigint << l.position - 1) <> 0
        JOIN channels c ON c.id = l.channel_id
        WHERE d.device_id = %s AND d.present IS NOT NULL AND coalesce(d.sent_as ->> l.position::text, c.sent_as) <> ''
        """,
        (UUID(bytes=device_id),),
    )
    return {row[0] for row in await rows.fetchall()}


def told_apart(item: ParsedKey, sent_as: str) -> ParsedKey | None:
    """The channel for what a sender calls otherwise than the one who has the key; None where there can be none."""
    _, name, labels = item
    text = sent_as or name
    if len(text) > MAX_LABEL_VALUE_LENGTH:
        text = f"{text[: MAX_LABEL_VALUE_LENGTH - 17]} {hashlib.sha256(text.encode()).hexdigest()[:16]}"
    labels = {SENT_AS: text, **labels}
    key = format_channel(name, labels)
    return None if labels[SENT_AS] != text or is_too_long(key) else (key, name, labels)


async def register_channels(
    connection: AsyncConnection[Any],
    parsed: Sequence[ParsedKey],
    known: Mapping[str, int],
    sent_as: Mapping[str, str] | None = None,
) -> dict[str, int]:
    """The number of each channel; those that are not `known` are made if need be.

    `sent_as` is what senders call them, by their keys; their own names where nothing is said.
    """
    ids = {key: known[key] for key, _, _ in parsed if key in known}
    missing = sorted((item for item in parsed if item[0] not in ids), key=lambda item: item[0])
    if missing:
        async with connection.cursor() as cursor:
            metrics = [describe(name) for name in sorted({name for _, name, _ in missing})]
            await cursor.executemany(
                """
                INSERT INTO metrics (name, metric_type, unit, kind, description) VALUES (%s, %s, %s, %s, %s)
                ON CONFLICT (name) DO NOTHING
                """,
                [(item.name, item.group, item.unit, item.kind.value, item.description) for item in metrics],
            )
            await cursor.executemany(
                """
                INSERT INTO channels (metric_id, labels, key, sent_as)
                SELECT id, %s, %s, %s FROM metrics WHERE name = %s
                ON CONFLICT (key) DO NOTHING
                """,
                [(Jsonb(labels), key, (sent_as or {}).get(key, ""), name) for key, name, labels in missing],
            )
            await cursor.execute(
                "SELECT key, id FROM channels WHERE key = ANY(%s)", ([key for key, _, _ in missing],)
            )
            ids.update(dict(await cursor.fetchall()))
    return ids


async def register_layout(connection: AsyncConnection[Any], channel_ids: Sequence[int]) -> int:
    """The layout of these channels, in this order; made if need be."""
    digest = hashlib.sha256(np.array(channel_ids, ">i4").tobytes()).digest()
    await connection.execute(
        "INSERT INTO layouts (channel_ids, digest) VALUES (%s, %s) ON CONFLICT (digest) DO NOTHING",
        (list(channel_ids), digest),
    )
    rows = await connection.execute("SELECT id FROM layouts WHERE digest = %s", (digest,))
    layout_id = int((await rows.fetchone() or (0,))[0])
    await connection.execute(
        """
        INSERT INTO layout_channels (layout_id, position, channel_id)
        SELECT %s, ordinality, channel FROM unnest(%s::int[]) WITH ORDINALITY AS item (channel, ordinality)
        ON CONFLICT DO NOTHING
        """,
        (layout_id, list(channel_ids)),
    )
    return layout_id
