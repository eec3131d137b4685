"""What people enter of attributes that sources tell, too: it stays."""

import json
from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.devices.models import Device
from fleetkeeper.devices.precedence.applying import settle
from fleetkeeper.devices.precedence.attributes import ATTRIBUTES

_PIN = text(
    """
    INSERT INTO attribute_pins (id, device_id, attribute, value, reason, pinned_by, pinned_at)
    SELECT gen_random_uuid(), d.id, CAST(:attribute AS text), CAST(:value AS jsonb), :reason, :by, :now
    FROM unnest(CAST(:devices AS uuid[])) AS d (id)
    WHERE EXISTS (SELECT FROM device_sources s WHERE s.device_id = d.id AND s.source_system <> 'manual'
                  AND s.attributes ? CAST(:attribute AS text)
                  AND s.attributes -> CAST(:attribute AS text) <> CAST(:value AS jsonb))
       OR EXISTS (SELECT FROM attribute_pins p WHERE p.device_id = d.id AND p.attribute = CAST(:attribute AS text))
    ON CONFLICT (device_id, attribute) DO UPDATE
    SET value = excluded.value, reason = excluded.reason, pinned_by = excluded.pinned_by, pinned_at = excluded.pinned_at
    """
)
_TELL = text(
    """
    UPDATE device_sources SET attributes = jsonb_strip_nulls(attributes || CAST(:told AS jsonb)), last_seen = :now
    WHERE device_id = ANY (CAST(:devices AS uuid[])) AND source_system = 'manual'
    """
)
_UNPIN = text(
    "DELETE FROM attribute_pins WHERE device_id = ANY (CAST(:devices AS uuid[])) AND attribute = ANY (:attributes)"
)


async def note_entered(
    session: AsyncSession,
    ids: Collection[UUID],
    values: Mapping[str, Any],
    by: str,
    now: datetime,
    reason: str = "",
) -> None:
    """Keep what a person entered of devices: pinned where another source says something else.

    A value that was taken away is pinned no more.
    """
    told = {name: value for name, value in values.items() if name in ATTRIBUTES}
    if not told or not ids:
        return
    devices = sorted(ids)
    await session.execute(_TELL, {"devices": devices, "told": json.dumps(told), "now": now})
    emptied = [name for name, value in told.items() if value in (None, "")]
    if emptied:
        await session.execute(_UNPIN, {"devices": devices, "attributes": emptied})
    for name, value in told.items():
        if name not in emptied:
            parameters = {"attribute": name, "value": json.dumps(value), "devices": devices}
            await session.execute(_PIN, parameters | {"reason": reason, "by": by[:255], "now": now})


async def enter_again(
    session: AsyncSession, device_id: UUID, attribute: str, present: Any, wanted: Any
) -> None:
    """Let what a person entered of an attribute be what it was, where it is the present value still."""
    await session.execute(
        text(
            """
            UPDATE device_sources SET attributes = jsonb_strip_nulls(attributes || CAST(:told AS jsonb))
            WHERE device_id = :device AND source_system = 'manual'
              AND attributes -> CAST(:attribute AS text) = CAST(:present AS jsonb)
            """
        ),
        {
            "device": device_id,
            "attribute": attribute,
            "present": json.dumps(present),
            "told": json.dumps({attribute: wanted}),
        },
    )


async def after_emptying(
    session: AsyncSession, device: Device, values: Mapping[str, Any], now: datetime
) -> None:
    """Let sources say again what a person has taken away."""
    if any(name in ATTRIBUTES and value in (None, "") for name, value in values.items()):
        await settle(session, device, now)
