"""When devices were connected for their answers: polls that follow one another are one connection."""

from datetime import timedelta
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.device_requests.models import RequestConnection
from fleetkeeper.kit.ids import uuid7

# Polls that are further apart are two connections, and a connection without a sign of life has ended.
QUIET = timedelta(minutes=5)
# A poll says nothing new so soon after another.
_FRESH = timedelta(seconds=15)


async def note_poll(session: AsyncSession, device_id: UUID, address: str) -> None:
    """Begin a connection with a device's poll, or let the present one go on."""
    await session.execute(
        text(
            """
            UPDATE request_connections SET disconnected_at = greatest(last_seen_at, connected_at)
            WHERE device_id = :device AND connection_type = 'polling' AND disconnected_at IS NULL
              AND last_seen_at < now() - CAST(:quiet AS interval)
            """
        ),
        {"device": device_id, "quiet": QUIET},
    )
    await session.execute(
        text(
            """
            INSERT INTO request_connections (id, device_id, connection_type, ip_address)
            VALUES (:id, :device, 'polling', CAST(nullif(:address, '') AS inet))
            ON CONFLICT (device_id) WHERE disconnected_at IS NULL AND connection_type = 'polling'
            DO UPDATE SET last_seen_at = now(), ip_address = excluded.ip_address
            WHERE request_connections.last_seen_at < now() - CAST(:fresh AS interval)
            """
        ),
        {"id": uuid7(), "device": device_id, "address": address, "fresh": _FRESH},
    )


async def open_connection(session: AsyncSession, device_id: UUID, kind: str, address: str) -> UUID:
    """Begin a connection that ends by itself."""
    connection = RequestConnection(
        id=uuid7(), device_id=device_id, connection_type=kind, ip_address=address or None
    )
    session.add(connection)
    await session.flush()
    return connection.id


async def note_life(session: AsyncSession, connection_id: UUID) -> None:
    """Keep that a connection is still there."""
    await session.execute(
        text(
            "UPDATE request_connections SET last_seen_at = now() WHERE id = :id AND disconnected_at IS NULL"
        ),
        {"id": connection_id},
    )


async def close_connection(session: AsyncSession, connection_id: UUID) -> None:
    """End a connection."""
    await session.execute(
        text(
            "UPDATE request_connections SET disconnected_at = greatest(now(), connected_at), last_seen_at = now() "
            "WHERE id = :id AND disconnected_at IS NULL"
        ),
        {"id": connection_id},
    )


async def close_quiet(session: AsyncSession) -> None:
    """End connections without a sign of life, when that was: their devices poll no more, or a process died."""
    await session.execute(
        text(
            "UPDATE request_connections SET disconnected_at = greatest(last_seen_at, connected_at) "
            "WHERE disconnected_at IS NULL AND last_seen_at < now() - CAST(:quiet AS interval)"
        ),
        {"quiet": QUIET},
    )
