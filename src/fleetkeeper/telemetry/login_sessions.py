"""Turns an agent's list of who is logged in now into sessions with a beginning and an end."""

from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import UUID, uuid5

from sqlalchemy import func, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.telemetry.models import UserSession
from fleetkeeper_protocol.messages import LoginSession


def session_key(device_id: UUID, session: LoginSession) -> UUID:
    """The same key for the same session in every report, however often it is sent."""
    return uuid5(
        device_id,
        "\x1f".join((session.username, session.terminal, session.host, str(round(session.started_at)))),
    )


async def reconcile(
    session: AsyncSession, device_id: UUID, reported: Sequence[LoginSession], moment: datetime
) -> None:
    """Open what is new, and close what a report from `moment` no longer lists.

    A late report closes nothing that began after it.
    """
    present = {session_key(device_id, item): item for item in reported}
    if present:
        statement = insert(UserSession).values(
            [
                {
                    "session_id": key,
                    "device_id": device_id,
                    "username": item.username,
                    "terminal": item.terminal,
                    "host": item.host,
                    "login_time": _moment(item.started_at, moment),
                }
                for key, item in sorted(present.items())
            ]
        )
        await session.execute(statement.on_conflict_do_nothing())
    await session.execute(
        update(UserSession)
        .where(
            UserSession.device_id == device_id,
            UserSession.is_active,
            UserSession.login_time <= moment,
            UserSession.session_id.not_in(list(present)),
        )
        .values(is_active=False, logout_time=func.greatest(moment, UserSession.login_time))
    )


def _moment(seconds: float, limit: datetime) -> datetime:
    """A login time, no later than the report itself."""
    bounded = min(max(seconds, 0.0), limit.timestamp())
    return datetime.fromtimestamp(bounded, UTC)
