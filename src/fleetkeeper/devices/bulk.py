"""Changing many devices at once."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.annotations.tags.queries import assign, slugs_by_object, unassign
from fleetkeeper.annotations.tags.service import ids_of as tag_ids_of
from fleetkeeper.devices import queries
from fleetkeeper.devices.annotating import TABLE
from fleetkeeper.devices.models import Device
from fleetkeeper.devices.schemas import DeviceBulkChanges
from fleetkeeper.devices.selecting import NOT_THERE, among, selected
from fleetkeeper.devices.service import ON_DEVICES, check_department
from fleetkeeper.errors import FieldError, ForbiddenError, InvalidInputError
from fleetkeeper.identity.actor import Actor
from fleetkeeper.identity.authority import check_move
from fleetkeeper.identity.permissions import Permission
from fleetkeeper.kit.bulk import BulkItem, BulkResult, Selection, result_of

_MOVES = ("add tags", "remove tags")


async def change_devices(
    session: AsyncSession,
    actor: Actor,
    selection: Selection,
    changes: DeviceBulkChanges,
    *,
    dry_run: bool,
    stale_before: datetime,
) -> BulkResult:
    """Change all devices of a selection that the actor may change; the others say why not.

    Raises InvalidInputError for a selection that is none or too large, and for a department that may not be given.
    """
    wanted = changes.model_dump(exclude_unset=True)
    if not wanted:
        raise InvalidInputError(
            "Nothing is to be changed.", fields=[FieldError("changes", "Name at least one field")]
        )
    adding, removing = wanted.pop("add_tags", []), wanted.pop("remove_tags", [])
    tags = await tag_ids_of(session, {*adding, *removing}, "changes")
    if "department_id" in wanted:
        await check_department(session, actor, wanted["department_id"])
    ids = await selected(session, actor, selection, stale_before)
    found = queries.visible_to(actor).where(among(ids)).order_by(Device.id)
    locked = found if dry_run else found.with_for_update()
    devices = {one.id: one for one in (await session.scalars(locked)).all()}
    present = await slugs_by_object(session, TABLE, ids) if tags else {}
    moves = {
        key: (sorted({*adding} - present.get(key, set())), sorted({*removing} & present.get(key, set())))
        for key in ids
    }
    items = [_item(actor, key, devices.get(key), wanted, moves[key]) for key in ids]
    if not dry_run:
        changed = [one.id for one in items if one.outcome == "changed"]
        await session.execute(
            update(Device)
            .where(among(changed))
            .values(**wanted, version=Device.version + 1)
            .execution_options(synchronize_session=False)
        )
        await assign(session, TABLE, changed, [tags[one] for one in adding])
        await unassign(session, TABLE, changed, [tags[one] for one in removing])
    return result_of(items, dry_run=dry_run)


def _item(
    actor: Actor,
    key: UUID,
    device: Device | None,
    wanted: Mapping[str, Any],
    tags: tuple[Sequence[str], Sequence[str]],
) -> BulkItem:
    if device is None:
        return BulkItem(id=key, name="", outcome="refused", detail=NOT_THERE)
    before = {name: getattr(device, name) for name in wanted}
    differing = [name for name, value in wanted.items() if before[name] != value]
    if not differing and not any(tags):
        return BulkItem(id=key, name=device.name, outcome="unchanged")
    if not actor.may_in(Permission.DEVICES_WRITE, device.department_id):
        needed = f"This needs the permission {Permission.DEVICES_WRITE} in the device's department"
        return BulkItem(id=key, name=device.name, outcome="refused", detail=needed)
    try:
        if "department_id" in differing:
            check_move(actor, device.department_id, wanted["department_id"], ON_DEVICES)
    except ForbiddenError as error:
        return BulkItem(id=key, name=device.name, outcome="refused", detail=error.detail)
    return BulkItem(
        id=key, name=device.name, outcome="changed", detail=_told(before, wanted, differing, tags)
    )


def _told(
    before: Mapping[str, Any],
    after: Mapping[str, Any],
    names: Sequence[str],
    tags: tuple[Sequence[str], Sequence[str]],
) -> str:
    """What changes, in words; departments have names elsewhere."""
    told = [
        "department"
        if name == "department_id"
        else f"{name}: {before[name] or '(empty)'} → {after[name] or '(empty)'}"
        for name in names
    ]
    told += [f"{word} {', '.join(slugs)}" for word, slugs in zip(_MOVES, tags, strict=True) if slugs]
    return ", ".join(told)
