"""SQL about events that were emitted."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession


async def was_told(session: AsyncSession, name: str, label: str, since: datetime) -> bool:
    """Whether an event about something was emitted since then."""
    statement = text(
        "SELECT EXISTS (SELECT FROM notification_events "
        "WHERE name = :name AND subject ->> 'label' = :label AND occurred_at >= :since)"
    )
    return bool(await session.scalar(statement, {"name": name, "label": label, "since": since}))


async def expiring_tokens(session: AsyncSession, name: str, now: datetime, days: int) -> Sequence[Any]:
    """Tokens of enabled users that expire so soon, of which nobody was told in as many days."""
    statement = text(
        """
        SELECT t.id, t.name, t.user_id, t.expires_at
        FROM api_tokens t JOIN users u ON u.id = t.user_id AND u.enabled
        WHERE t.expires_at > :now AND t.expires_at <= CAST(:now AS timestamptz) + make_interval(days => :days)
          AND NOT EXISTS (SELECT FROM notification_events e WHERE e.name = :name AND e.subject ->> 'id' = t.id::text
                          AND e.occurred_at > CAST(:now AS timestamptz) - make_interval(days => :days))
        ORDER BY t.expires_at, t.id
        """
    )
    return (await session.execute(statement, {"name": name, "now": now, "days": days})).all()
