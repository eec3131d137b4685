"""Records the states of frames, those that differ from the one before."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from psycopg import AsyncConnection, OperationalError
from psycopg_pool import AsyncConnectionPool

from fleetkeeper.errors import UnavailableError
from fleetkeeper.telemetry.channels import ChannelError, canonical, register_channels

MAX_STATES_PER_FRAME = 100
MAX_LENGTH = 200
# Channels with states that one device may have.
MAX_CHANNELS = 500


@dataclass(frozen=True)
class StateSample:
    """What a channel was at a moment (microseconds since 1970)."""

    ts_us: int
    key: str
    value: str | bool


def problem_of(states: Mapping[str, str | bool]) -> tuple[str, str] | None:
    """The channel at fault among a frame's states, and why; None when all may be stored."""
    if len(states) > MAX_STATES_PER_FRAME:
        return "", f"has at most {MAX_STATES_PER_FRAME} states"
    for key, value in states.items():
        try:
            canonical(key)
        except ChannelError as error:
            return error.key, str(error)
        if isinstance(value, str) and (len(value) > MAX_LENGTH or not value.isprintable()):
            return key[:80], f"is a text of at most {MAX_LENGTH} printable characters"
    return None


class TooManyStatesError(Exception):
    """A device has states under too many names."""


async def record(
    pool: AsyncConnectionPool[AsyncConnection[Any]], device_id: bytes, samples: Sequence[StateSample]
) -> int:
    """Store what changed; durable when this returns. Returns how many changes that were.

    The same again changes nothing. Raises TooManyStatesError and UnavailableError.
    """
    try:
        async with pool.connection() as connection, connection.transaction():
            parsed = {key: canonical(key) for key in {item.key for item in samples}}
            ids = await register_channels(
                connection, list({found[0]: found for found in parsed.values()}.values()), {}
            )
            await _check_room(connection, device_id, list(ids.values()))
            channels = {key: ids[found[0]] for key, found in parsed.items()}
            return await _store(connection, device_id, samples, channels)
    except OperationalError:
        raise UnavailableError(
            "The database is unavailable; no state was stored.", retry_after_seconds=2
        ) from None


async def _check_room(connection: AsyncConnection[Any], device_id: bytes, channel_ids: Sequence[int]) -> None:
    # This runs with every frame that has states, so it hops from channel to channel: each may have any number of rows.
    cursor = await connection.execute(
        """
        WITH RECURSIVE held AS (
            (SELECT channel_id FROM states WHERE device_id = %(device)s ORDER BY channel_id LIMIT 1)
            UNION ALL
            SELECT (SELECT s.channel_id FROM states s
                    WHERE s.device_id = %(device)s AND s.channel_id > held.channel_id
                    ORDER BY s.channel_id LIMIT 1)
            FROM held WHERE held.channel_id IS NOT NULL
        )
        SELECT count(*) FROM held WHERE channel_id <> ALL(%(channels)s)
        """,
        {"device": UUID(bytes=device_id), "channels": list(channel_ids)},
    )
    row = await cursor.fetchone()
    if int(row[0]) + len(channel_ids) > MAX_CHANNELS if row else False:
        raise TooManyStatesError


async def _store(
    connection: AsyncConnection[Any],
    device_id: bytes,
    samples: Sequence[StateSample],
    ids: Mapping[str, int],
) -> int:
    rows = [(ids[item.key], item.ts_us, _text(item.value), isinstance(item.value, bool)) for item in samples]
    cursor = await connection.execute(
        """
        INSERT INTO states (device_id, channel_id, ts, value, is_boolean)
        SELECT %(device)s, channel_id, ts, value, is_boolean FROM (
            SELECT n.*, CASE WHEN before.ts >= lag(n.ts) OVER w OR lag(n.ts) OVER w IS NULL THEN before.value
                             ELSE lag(n.value) OVER w END AS previous
            FROM (
                SELECT channel_id, timestamptz '1970-01-01 00:00:00+00' + ts_us * interval '1 microsecond' AS ts,
                       value, is_boolean
                FROM unnest(%(channels)s::int[], %(times)s::bigint[], %(values)s::text[], %(booleans)s::bool[])
                     AS given (channel_id, ts_us, value, is_boolean)
            ) n LEFT JOIN LATERAL (
                SELECT ts, value FROM states s
                WHERE s.device_id = %(device)s AND s.channel_id = n.channel_id AND s.ts <= n.ts
                ORDER BY ts DESC LIMIT 1
            ) before ON true
            WINDOW w AS (PARTITION BY n.channel_id ORDER BY n.ts)
        ) told WHERE previous IS DISTINCT FROM value
        ON CONFLICT DO NOTHING
        """,
        {
            "device": UUID(bytes=device_id),
            "channels": [row[0] for row in rows],
            "times": [row[1] for row in rows],
            "values": [row[2] for row in rows],
            "booleans": [row[3] for row in rows],
        },
    )
    return cursor.rowcount


def _text(value: str | bool) -> str:
    return value if isinstance(value, str) else str(value).lower()
