"""What a source knows of a device beyond the product's own fields: kept in its metadata, under the source's name."""

import json
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.devices.models import Device
from fleetkeeper.devices.precedence.entering import after_emptying, note_entered
from fleetkeeper.devices.service import check_permission
from fleetkeeper.errors import FieldError, InvalidInputError, NotFoundError
from fleetkeeper.identity.actor import Actor
from fleetkeeper.identity.permissions import Permission
from fleetkeeper.kit.clock import utc_now

# Of one source, as JSON.
LONGEST = 64 * 1024


async def change_metadata(
    session: AsyncSession,
    actor: Actor,
    device_id: UUID,
    source: str,
    changes: Mapping[str, Any],
    columns: Mapping[str, Any] | None = None,
) -> None:
    """Set what a source says of a device; None takes something away. `columns` are of the device itself.

    Raises NotFoundError, ForbiddenError, InvalidInputError for more than is kept.
    """
    await check_permission(session, actor, Permission.DEVICES_WRITE, device_id)
    device = await session.get(Device, device_id, with_for_update=True, populate_existing=True)
    if device is None:
        raise NotFoundError("There is no such device.")
    present = device.extra.get(source)
    known = present if isinstance(present, dict) else {}
    wanted = {name: value for name, value in {**known, **changes}.items() if value is not None}
    if len(json.dumps(wanted)) > LONGEST:
        wrong = FieldError(
            next(iter(changes)), f"Must be at most {LONGEST // 1024} KiB of JSON with all else"
        )
        raise InvalidInputError("The device was not saved.", fields=[wrong])
    told = {name: value for name, value in device.extra.items() if name != source}
    extra = {**told, source: wanted} if wanted else told
    values = {**(columns or {}), "extra": extra}
    changed = {name: value for name, value in values.items() if getattr(device, name) != value}
    if changed:
        for name, value in changed.items():
            setattr(device, name, value)
        entered = {name: value for name, value in changed.items() if name != "extra"}
        await note_entered(session, [device_id], entered, actor.name, now := utc_now())
        await after_emptying(session, device, entered, now)
        device.version += 1
        await session.flush()
