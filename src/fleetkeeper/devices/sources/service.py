"""Who says what of a device, what counts, and taking a source off it."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Delete, delete
from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.devices.identity.proposing import propose_for
from fleetkeeper.devices.identity.queries import decide_pair
from fleetkeeper.devices.models import Device, DeviceSource
from fleetkeeper.devices.precedence.applying import pins_of, resolved_from, rules, settle
from fleetkeeper.devices.precedence.attributes import ATTRIBUTES, usable
from fleetkeeper.devices.precedence.models import AttributePin
from fleetkeeper.devices.service import check_permission, get_device
from fleetkeeper.devices.sources.queries import sources_of, take_turn
from fleetkeeper.devices.sources.schemas import (
    AttributeRead,
    DeviceSources,
    PinWrite,
    Said,
    SourceRead,
    SplitResult,
)
from fleetkeeper.devices.sources.splitting import split_off
from fleetkeeper.errors import ConflictError, FieldError, InvalidInputError, NotFoundError
from fleetkeeper.identity.actor import Actor
from fleetkeeper.identity.permissions import Permission
from fleetkeeper.kit.ids import uuid7

MOST_SOURCES = 200


async def sources_and_attributes(
    session: AsyncSession, actor: Actor, device_id: UUID, now: datetime
) -> DeviceSources:
    """What sources say of a device, and which of it counts. Raises NotFoundError."""
    device = await get_device(session, actor, device_id)
    sources = (await sources_of(session, [device_id]))[:MOST_SOURCES]
    pins = await pins_of(session, device_id)
    resolved = resolved_from(sources, pins, await rules(session), now)
    attributes = []
    for name, one in resolved.items():
        value = getattr(device, name)
        said = [_said(source, name, value) for source in sources if name in source.attributes]
        attributes.append(
            AttributeRead(
                attribute=name,
                value=value,
                why=one.reason,
                is_pinned=name in pins,
                is_disputed=any(not other.counts for other in said),
                said=said,
            )
        )
    return DeviceSources(sources=[SourceRead.model_validate(one) for one in sources], attributes=attributes)


def _said(source: DeviceSource, attribute: str, counting: object) -> Said:
    value = usable(attribute, source.attributes[attribute])
    return Said(
        source_system=source.source_system,
        source_id=source.source_id,
        value=value,
        last_seen=source.last_seen,
        counts=value == counting,
    )


async def pin(
    session: AsyncSession,
    actor: Actor,
    device_id: UUID,
    attribute: str,
    wanted: PinWrite,
    reason: str,
    now: datetime,
) -> None:
    """Let a value count against all sources. Raises NotFoundError, ForbiddenError, InvalidInputError."""
    device = await _locked(session, actor, device_id)
    _check(attribute)
    value = usable(attribute, wanted.value)
    if value is None:
        wrong = FieldError("value", f"Is no {attribute.replace('_', ' ')}")
        raise InvalidInputError("The value was not pinned.", fields=[wrong])
    await session.execute(_of(device_id, attribute))
    session.add(
        AttributePin(
            id=uuid7(),
            device_id=device_id,
            attribute=attribute,
            value=value,
            reason=reason,
            pinned_by=actor.name[:255],
            pinned_at=now,
        )
    )
    await session.flush()
    await _settle(session, device, now)


async def unpin(session: AsyncSession, actor: Actor, device_id: UUID, attribute: str, now: datetime) -> None:
    """Let sources decide again. Raises NotFoundError where nothing is pinned, ForbiddenError."""
    device = await _locked(session, actor, device_id)
    _check(attribute)
    if attribute not in await pins_of(session, device_id):
        raise NotFoundError("This attribute is not pinned.")
    await session.execute(_of(device_id, attribute))
    await _settle(session, device, now)


async def split(
    session: AsyncSession, actor: Actor, device_id: UUID, source_row_id: UUID, reason: str, now: datetime
) -> SplitResult:
    """Make what a source tells a device of its own. Raises NotFoundError, ForbiddenError, ConflictError."""
    await take_turn(session)
    device = await _locked(session, actor, device_id)
    sources = await sources_of(session, [device_id])
    if all(one.id != source_row_id for one in sources):
        raise NotFoundError("This device has no such source.")
    going = next(one for one in sources if one.id == source_row_id)
    if going.source_system == "agent" and going.source_id == str(device_id):
        raise ConflictError(
            "The agent is what this device is. Split off the other sources, or undo the merge."
        )
    made = await split_off(session, device, {one.id for one in sources} - {source_row_id}, now)
    if made is None:
        raise ConflictError("This is the only source of the device; there is nothing to split.")
    await decide_pair(session, device_id, made.id, "different", by=actor.name, reason=reason, now=now)
    await propose_for(session, made.id)
    return SplitResult(device_id=made.id, name=made.name)


async def _locked(session: AsyncSession, actor: Actor, device_id: UUID) -> Device:
    await check_permission(session, actor, Permission.DEVICES_WRITE, device_id)
    device = await session.get(Device, device_id, with_for_update=True, populate_existing=True)
    if device is None:
        raise NotFoundError("There is no such device.")
    return device


async def _settle(session: AsyncSession, device: Device, now: datetime) -> None:
    if await settle(session, device, now):
        device.version += 1
    await session.flush()


def _check(attribute: str) -> None:
    if attribute not in ATTRIBUTES:
        raise NotFoundError(f"There is no attribute {attribute[:50]} that can be pinned.")


def _of(device_id: UUID, attribute: str) -> Delete:
    return delete(AttributePin).where(
        AttributePin.device_id == device_id, AttributePin.attribute == attribute
    )
