"""Devices that people enter: a switch, a storage, a vehicle, or a machine before its agent."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.annotations.fields.values import set_defaults
from fleetkeeper.database.constraints import told_by_name
from fleetkeeper.devices import queries
from fleetkeeper.devices.annotating import TABLE
from fleetkeeper.devices.identity.evidence import normalise_evidence
from fleetkeeper.devices.identity.proposing import propose_for
from fleetkeeper.devices.locations.service import check_location
from fleetkeeper.devices.models import Device
from fleetkeeper.devices.schemas import DeviceClone, DeviceCreate, DeviceRead
from fleetkeeper.devices.service import get_device
from fleetkeeper.devices.sources.queries import store_source
from fleetkeeper.errors import ConflictError, FieldError, ForbiddenError, InvalidInputError
from fleetkeeper.identity.actor import Actor
from fleetkeeper.identity.models import Department
from fleetkeeper.identity.permissions import Permission

SOURCE = "manual"
# What a copy is told of: what is true of a kind of machine, and of where it stands.
_COPIED = (
    "device_type",
    "department_id",
    "location_id",
    "location",
    "manufacturer",
    "model",
    "owner",
    "description",
    "purchased_on",
    "warranty_until",
    "end_of_support_on",
)


async def create_device(
    session: AsyncSession, actor: Actor, wanted: DeviceCreate, now: datetime
) -> DeviceRead:
    """Make a device that a person entered.

    Raises ForbiddenError, InvalidInputError, and ConflictError where the department has one of that name: two of one
    name that a person enters are one machine too many.
    """
    await _check_place(session, actor, wanted.department_id)
    await check_location(session, actor, wanted.location_id)
    values = wanted.model_dump()
    values["hostname"] = wanted.hostname or wanted.name
    device = Device(**values, first_seen=now)
    async with told_by_name(session):
        session.add(device)
    if await queries.has_namesake(session, device.id):
        taken = FieldError("name", "Another device in the same department has this name")
        raise ConflictError("The device was not created.", fields=[taken])
    await set_defaults(session, TABLE, device.id, wanted.department_id)
    evidence = normalise_evidence({"hostname": device.hostname, "serial": wanted.serial_number or ""})
    source = (SOURCE, str(device.id))
    await store_source(session, device.id, source, _told(values), now, evidence=evidence)
    await propose_for(session, device.id)
    return await get_device(session, actor, device.id)


async def clone_device(
    session: AsyncSession, actor: Actor, device_id: UUID, wanted: DeviceClone, now: datetime
) -> DeviceRead:
    """Make a device like another one. Raises NotFoundError, and as making one does."""
    like = await get_device(session, actor, device_id)
    copied = {name: getattr(like, name) for name in _COPIED}
    return await create_device(session, actor, DeviceCreate(**copied | wanted.model_dump()), now)


def _told(values: dict[str, Any]) -> dict[str, Any]:
    """What the person said, as sources have it."""
    return {
        name: str(value) if not isinstance(value, str) else value
        for name, value in values.items()
        if value not in (None, "") and name not in {"department_id", "lifecycle"}
    }


async def _check_place(session: AsyncSession, actor: Actor, department_id: UUID | None) -> None:
    if not actor.may_in(Permission.DEVICES_CREATE, department_id):
        if department_id is None and not actor.may_everywhere(Permission.DEVICES_CREATE):
            wrong = FieldError("department_id", "Choose a department that you may add devices to")
            raise InvalidInputError("The device was not created.", fields=[wrong])
        raise ForbiddenError(f"This needs the permission {Permission.DEVICES_CREATE} in the department.")
    if department_id is not None and await session.get(Department, department_id) is None:
        wrong = FieldError("department_id", "No such department")
        raise InvalidInputError("The device was not created.", fields=[wrong])
