"""Host names of a device that was merged: they mean the device that stays, and come back when it is undone."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.devices import host_claims

HOSTS, PRIMARY = "telemetry_hosts.device_id", "telemetry_hosts.is_primary"


async def move_hosts(session: AsyncSession, origin: UUID, into: UUID) -> dict[str, list[Any]]:
    """Give the names of a device to another one that lacks them; returns what went, by its keys."""
    await host_claims.hold(session)
    parameters = {"origin": origin, "into": into}
    primary = await session.scalars(
        text(
            """
            UPDATE telemetry_hosts t SET is_primary = false WHERE device_id = :origin AND is_primary
              AND EXISTS (SELECT FROM telemetry_hosts o WHERE o.device_id = :into AND o.is_primary)
            RETURNING id
            """
        ),
        parameters,
    )
    kept = list(primary)
    moved = await session.scalars(
        text(
            """
            UPDATE telemetry_hosts t SET device_id = :into WHERE device_id = :origin
              AND NOT EXISTS (SELECT FROM telemetry_hosts o WHERE o.device_id = :into AND o.name_key = t.name_key)
            RETURNING id
            """
        ),
        parameters,
    )
    return {name: keys for name, keys in ((HOSTS, list(moved)), (PRIMARY, kept)) if keys}


async def move_hosts_back(
    session: AsyncSession, into: UUID, origin: UUID, journal: Mapping[str, Sequence[Any]]
) -> None:
    """Give names back."""
    await host_claims.hold(session)
    await session.execute(
        text("UPDATE telemetry_hosts SET device_id = :origin WHERE device_id = :into AND id = ANY (:keys)"),
        {"origin": origin, "into": into, "keys": list(journal.get(HOSTS, ()))},
    )
    await session.execute(
        text("UPDATE telemetry_hosts SET is_primary = true WHERE device_id = :origin AND id = ANY (:keys)"),
        {"origin": origin, "keys": list(journal.get(PRIMARY, ()))},
    )
