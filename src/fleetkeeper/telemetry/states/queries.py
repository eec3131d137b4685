"""The SQL of reading states."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.types import Text

_CHANGES = text(
    """
    WITH named AS (
        SELECT DISTINCT s.channel_id FROM states s
        JOIN channels c ON c.id = s.channel_id JOIN metrics m ON m.id = c.metric_id
        WHERE s.device_id = :device AND (:metrics IS NULL OR m.name = ANY(:metrics))
    )
    SELECT c.key, changes.ts, changes.value, changes.is_boolean
    FROM named JOIN channels c ON c.id = named.channel_id CROSS JOIN LATERAL (
        (SELECT ts, value, is_boolean FROM states
         WHERE device_id = :device AND channel_id = named.channel_id AND ts <= :start ORDER BY ts DESC LIMIT 1)
        UNION ALL
        (SELECT ts, value, is_boolean FROM states
         WHERE device_id = :device AND channel_id = named.channel_id AND ts > :start AND ts < :end
         ORDER BY ts LIMIT :limit)
    ) changes
    ORDER BY c.key, changes.ts LIMIT :limit
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
