"""Merging two devices that are one machine, and undoing it."""

from collections.abc import Collection
from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.database.across_departments import across_departments
from fleetkeeper.devices.identity.deciding import best_match
from fleetkeeper.devices.identity.recalling import alike, recall
from fleetkeeper.devices.identity.records import count_sharing
from fleetkeeper.devices.keys import is_good
from fleetkeeper.devices.merging.joining import merge, undo
from fleetkeeper.devices.merging.models import DeviceMerge
from fleetkeeper.devices.merging.moving import count_moving
from fleetkeeper.devices.merging.preview import merged_attributes
from fleetkeeper.devices.merging.schemas import MergeList, MergePreview, MergeRead, MovedRows
from fleetkeeper.devices.models import Device, DeviceKey
from fleetkeeper.devices.relationships.service import closing_circle
from fleetkeeper.devices.service import check_permission, get_device
from fleetkeeper.devices.sources.queries import take_turn
from fleetkeeper.errors import ConflictError, FieldError, InvalidInputError, NotFoundError
from fleetkeeper.identity.actor import Actor
from fleetkeeper.identity.permissions import Permission
from fleetkeeper.kit.clock import utc_now

MOST_MERGES = 200


async def preview_merge(
    session: AsyncSession,
    actor: Actor,
    device_id: UUID,
    other_id: UUID,
    chosen: Collection[str],
    now: datetime,
) -> MergePreview:
    """What merging would do. Raises as `merge_devices` does."""
    kept, other, keys = await _pair(session, actor, device_id, other_id, is_locked=False)
    records = {one: await recall(session, [one]) for one in (kept.id, other.id)}
    pieces = {piece for some in records.values() for one in some for piece in one.record.evidence}
    around = await alike(session, pieces, kept.department_id)
    found = best_match(
        [one.record for one in records[kept.id]],
        [one.record for one in records[other.id]],
        count_sharing(one.record for one in around),
    )
    attributes = await merged_attributes(session, kept, other, chosen, now)
    async with across_departments(session):
        moves = await count_moving(session, other.id, kept.id)
    return MergePreview(
        kept_id=kept.id,
        kept_name=kept.name,
        other_id=other.id,
        other_name=other.name,
        score=found.score,
        explanation=list(found.explanation),
        attributes=attributes,
        moves=[MovedRows(noun=noun, number=number) for noun, number in moves],
        warnings=_warnings(kept, other, keys, device_id),
    )


async def merge_devices(
    session: AsyncSession,
    actor: Actor,
    device_id: UUID,
    other_id: UUID,
    chosen: Collection[str],
    reason: str,
    now: datetime,
) -> MergeRead:
    """Let two devices be one.

    The one with a working agent stays, else the one that is named first. Raises NotFoundError, ForbiddenError, and
    ConflictError for devices of two departments, and for two whose agents both report.
    """
    await take_turn(session)
    kept, other, _ = await _pair(session, actor, device_id, other_id, is_locked=True)
    made = await merge(session, kept, other, chosen, by=actor.name, reason=reason, now=now)
    return MergeRead.model_validate(made)


async def undo_merge(
    session: AsyncSession, actor: Actor, device_id: UUID, merge_id: UUID, reason: str, now: datetime
) -> MergeRead:
    """Let two merged devices be two again. Raises NotFoundError, ForbiddenError, ConflictError."""
    await take_turn(session)
    await check_permission(session, actor, Permission.DEVICES_WRITE, device_id)
    found = select(DeviceMerge).where(DeviceMerge.id == merge_id, DeviceMerge.device_id == device_id)
    made = await session.scalar(found.with_for_update())
    if made is None:
        raise NotFoundError("This device has no such merge.")
    if made.undone_at is not None:
        raise ConflictError("The merge has been undone already.")
    kept, other = [await _locked(session, key) for key in (device_id, made.merged_device_id)]
    await undo(session, made, kept, other, by=actor.name, reason=reason, now=now)
    return MergeRead.model_validate(made)


async def list_merges(session: AsyncSession, actor: Actor, device_id: UUID) -> MergeList:
    """What was merged into a device, the newest first. Raises NotFoundError."""
    await get_device(session, actor, device_id)
    rows = await session.scalars(
        select(DeviceMerge)
        .where(DeviceMerge.device_id == device_id)
        .order_by(DeviceMerge.merged_at.desc(), DeviceMerge.id.desc())
        .limit(MOST_MERGES)
    )
    return MergeList(results=[MergeRead.model_validate(one) for one in rows])


async def _pair(
    session: AsyncSession, actor: Actor, device_id: UUID, other_id: UUID, *, is_locked: bool
) -> tuple[Device, Device, dict[UUID, datetime]]:
    """The device that stays, the one that becomes part of it, and the good keys of both."""
    if device_id == other_id:
        wrong = FieldError("other_device_id", "Must be another device")
        raise InvalidInputError("The devices were not merged.", fields=[wrong])
    await check_permission(session, actor, Permission.DEVICES_WRITE, device_id)
    try:
        await check_permission(session, actor, Permission.DEVICES_WRITE, other_id)
    except NotFoundError:
        wrong = FieldError("other_device_id", "No such device")
        raise InvalidInputError("The devices were not merged.", fields=[wrong]) from None
    both = {}
    for key in sorted((device_id, other_id)):
        both[key] = await _locked(session, key) if is_locked else await session.get_one(Device, key)
    first, second = both[device_id], both[other_id]
    if first.department_id != second.department_id:
        wrong = FieldError("other_device_id", "Move one of them to the department of the other first")
        raise ConflictError("The devices are in two departments.", fields=[wrong])
    if first.merged_into is not None or second.merged_into is not None:
        raise ConflictError("One of the devices was merged meanwhile.")
    keys = await _good_keys(session, [device_id, other_id])
    if len(keys) == 2 and first.status == second.status == "online":
        wrong = FieldError("other_device_id", "Stop one of the agents first, if it is one machine")
        raise ConflictError(
            "The agents of both devices report now, and one machine has one agent.", fields=[wrong]
        )
    async with across_departments(session):
        circle = await closing_circle(session, device_id, other_id)
    if circle:
        wrong = FieldError(
            "other_device_id", f"End a relationship “{circle}” between them and a third device first"
        )
        raise ConflictError("Relationships of the two would close a circle.", fields=[wrong])
    if _rank(second, keys) > _rank(first, keys):
        first, second = second, first
    return first, second, keys


def _rank(device: Device, keys: dict[UUID, datetime]) -> datetime:
    """What decides which device stays: whose agent works goes on under its own key, of two the one heard last."""
    if device.id not in keys:
        return datetime.min.replace(tzinfo=UTC)
    return max(keys[device.id], device.last_seen or keys[device.id])


async def _locked(session: AsyncSession, key: UUID) -> Device:
    device = await session.get(Device, key, with_for_update=True, populate_existing=True)
    if device is None:
        raise NotFoundError("There is no such device.")
    return device


async def _good_keys(session: AsyncSession, ids: Collection[UUID]) -> dict[UUID, datetime]:
    """When the newest good key of each was made, of those that have one."""
    rows = await session.execute(
        select(DeviceKey.device_id, func.max(DeviceKey.created_at))
        .where(DeviceKey.device_id.in_(ids), is_good(utc_now()))
        .group_by(DeviceKey.device_id)
    )
    return {row[0]: row[1] for row in rows}


def _warnings(kept: Device, other: Device, keys: dict[UUID, datetime], asked_for: UUID) -> list[str]:
    found = []
    if kept.id != asked_for:
        found.append(f"{kept.name} stays, not {other.name}, because its agent has a key that works.")
    if other.id in keys:
        found.append(f"The key of the agent of {other.name} ends. Undoing the merge gives it back.")
    return found
