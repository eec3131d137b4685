# ruff: noqa: S608 - the pieces of statements are constants of this file
"""The SQL of reading states."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.types import Text

# The channels of a device are hopped to one by one in the primary key, for each may have any number of rows.
_NAMED = """
    WITH RECURSIVE held AS (
        (SELECT channel_id FROM states WHERE device_id = :device ORDER BY channel_id LIMIT 1)
        UNION ALL
        SELECT (SELECT s.channel_id FROM states s
                WHERE s.device_id = :device AND s.channel_id > held.channel_id ORDER BY s.channel_id LIMIT 1)
        FROM held WHERE held.channel_id IS NOT NULL
    ), named AS (
        SELECT c.id, c.key FROM held JOIN channels c ON c.id = held.channel_id JOIN metrics m ON m.id = c.metric_id
        WHERE :metrics IS NULL OR m.name = ANY(:metrics)
    )
"""
_CHANGES = text(
    _NAMED
    + """
    SELECT named.key, changes.ts, changes.value, changes.is_boolean
    FROM named CROSS JOIN LATERAL (
        (SELECT ts, value, is_boolean FROM states
         WHERE device_id = :device AND channel_id = named.id AND ts <= :start ORDER BY ts DESC LIMIT 1)
        UNION ALL
        (SELECT ts, value, is_boolean FROM states
         WHERE device_id = :device AND channel_id = named.id AND ts > :start AND ts < :end
         ORDER BY ts LIMIT :limit)
    ) changes
    ORDER BY named.key, changes.ts LIMIT :limit
    """
).bindparams(bindparam("metrics", type_=ARRAY(Text)))
_NEWEST = text(
    _NAMED
    + """
    SELECT named.key, changes.ts, changes.value, changes.is_boolean
    FROM named CROSS JOIN LATERAL (
        SELECT ts, value, is_boolean FROM states
        WHERE device_id = :device AND channel_id = named.id AND ts < :end ORDER BY ts DESC LIMIT :limit
    ) changes
    ORDER BY named.key, changes.ts
    """
).bindparams(bindparam("metrics", type_=ARRAY(Text)))


async def changes(
    session: AsyncSession,
    device_id: UUID,
    metrics: Sequence[str] | None,
    start: datetime,
    end: datetime,
    limit: int,
) -> Sequence[Any]:
    """What a device's states were from `start` to before `end`: key, ts, value, is_boolean; at most `limit`.

    The first of each channel may have begun before.
    """
    rows = await session.execute(
        _CHANGES,
        {
            "device": device_id,
            "metrics": list(metrics) if metrics else None,
            "start": start,
            "end": end,
            "limit": limit,
        },
    )
    return rows.all()


async def newest_changes(session: AsyncSession, device_id: UUID, end: datetime, limit: int) -> Sequence[Any]:
    """The last changes before `end`, at most `limit` of each state of a device: key, ts, value, is_boolean."""
    rows = await session.execute(_NEWEST, {"device": device_id, "metrics": None, "end": end, "limit": limit})
    return rows.all()
