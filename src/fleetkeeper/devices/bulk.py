"""Changing many devices at once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.annotations.fields.bulk import FieldChange, checked_changes, present_values, store_values
from fleetkeeper.annotations.tags.queries import assign, slugs_by_object, unassign
from fleetkeeper.annotations.tags.service import MOST as MOST_TAGS
from fleetkeeper.annotations.tags.service import TOO_MANY
from fleetkeeper.annotations.tags.service import ids_of as tag_ids_of
from fleetkeeper.devices import queries
from fleetkeeper.devices.annotating import TABLE
from fleetkeeper.devices.models import Device
from fleetkeeper.devices.precedence.entering import note_entered
from fleetkeeper.devices.schemas import DeviceBulkChanges
from fleetkeeper.devices.selecting import NOT_THERE, selected
from fleetkeeper.devices.service import ON_DEVICES, check_department
from fleetkeeper.errors import FieldError, ForbiddenError, InvalidInputError
from fleetkeeper.identity.actor import Actor
from fleetkeeper.identity.authority import check_move
from fleetkeeper.identity.permissions import Permission
from fleetkeeper.kit.bulk import BulkItem, BulkResult, Selection, result_of
from fleetkeeper.kit.clock import utc_now


@dataclass(frozen=True)
class _Wanted:
    """What all of the devices shall have."""

    columns: Mapping[str, Any]
    adding: frozenset[str]
    removing: frozenset[str]
    fields: Sequence[FieldChange]


@dataclass(frozen=True)
class _Present:
    """What one of them has of it."""

    device: Device
    slugs: frozenset[str]
    # By the IDs of fields.
    values: Mapping[UUID, Any]


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

    Raises InvalidInputError for a selection that is none or too large, for a department that may not be given, and for
    a value that its custom field does not take.
    """
    columns = changes.model_dump(exclude_unset=True)
    if not columns:
        raise InvalidInputError(
            "Nothing is to be changed.", fields=[FieldError("changes", "Name at least one field")]
        )
    adding, removing = columns.pop("add_tags", []), columns.pop("remove_tags", [])
    tags = await tag_ids_of(session, {*adding, *removing}, "changes")
    if "department_id" in columns:
        await check_department(session, actor, columns["department_id"])
    values = columns.pop("custom_fields", {})
    fields = await checked_changes(session, actor, TABLE, values, is_locked=not dry_run) if values else []
    wanted = _Wanted(columns, frozenset(adding), frozenset(removing), fields)
    ids = await selected(session, actor, selection, stale_before)
    present = await _present(session, actor, ids, wanted, is_locked=not dry_run)
    items = [_item(actor, key, present.get(key), wanted) for key in ids]
    if not dry_run:
        changed = [one.id for one in items if one.outcome == "changed"]
        await _store(session, wanted, tags, changed)
        await note_entered(session, changed, wanted.columns, actor.name, utc_now())
    return result_of(items, dry_run=dry_run)


async def _present(
    session: AsyncSession, actor: Actor, ids: Sequence[UUID], wanted: _Wanted, *, is_locked: bool
) -> dict[UUID, _Present]:
    found = queries.visible_to(actor).where(queries.among(ids)).order_by(Device.id)
    devices = (await session.scalars(found.with_for_update() if is_locked else found)).all()
    slugs = await slugs_by_object(session, TABLE, ids) if wanted.adding or wanted.removing else {}
    values = await present_values(session, wanted.fields, ids)
    keys = [one.field.id for one in wanted.fields]
    return {
        one.id: _Present(
            one, frozenset(slugs.get(one.id, ())), {key: values.get((one.id, key)) for key in keys}
        )
        for one in devices
    }


async def _store(
    session: AsyncSession, wanted: _Wanted, tags: Mapping[str, UUID], changed: Sequence[UUID]
) -> None:
    await session.execute(
        update(Device)
        .where(queries.among(changed))
        .values(**wanted.columns, version=Device.version + 1)
        .execution_options(synchronize_session=False)
    )
    await assign(session, TABLE, changed, [tags[one] for one in wanted.adding])
    await unassign(session, TABLE, changed, [tags[one] for one in wanted.removing])
    for one in wanted.fields:
        await store_values(session, one, changed)


def _item(actor: Actor, key: UUID, present: _Present | None, wanted: _Wanted) -> BulkItem:
    if present is None:
        return BulkItem(id=key, name="", outcome="refused", detail=NOT_THERE)
    told = _told(present, wanted)
    name = present.device.name
    if not told:
        return BulkItem(id=key, name=name, outcome="unchanged")
    if refusal := _refusal(actor, present, wanted):
        return BulkItem(id=key, name=name, outcome="refused", detail=refusal)
    return BulkItem(id=key, name=name, outcome="changed", detail=", ".join(told))


def _refusal(actor: Actor, present: _Present, wanted: _Wanted) -> str:
    """Why a device stays as it is; nothing where it may be changed."""
    origin = present.device.department_id
    target = wanted.columns.get("department_id", origin)
    if not actor.may_in(Permission.DEVICES_WRITE, origin):
        return f"This needs the permission {Permission.DEVICES_WRITE} in the device's department"
    try:
        if target != origin:
            check_move(actor, origin, target, ON_DEVICES)
    except ForbiddenError as error:
        return error.detail
    if wanted.adding - present.slugs and len((present.slugs | wanted.adding) - wanted.removing) > MOST_TAGS:
        return TOO_MANY
    missing = [one.field.label for one in wanted.fields if not one.applies_in(target)]
    return f"Its department has no field {', '.join(missing)}" if missing else ""


def _told(present: _Present, wanted: _Wanted) -> list[str]:
    """What changes, in words; departments have names elsewhere."""
    before = {name: getattr(present.device, name) for name in wanted.columns}
    told = [
        "department" if name == "department_id" else _moved(name, before[name], value)
        for name, value in wanted.columns.items()
        if before[name] != value
    ]
    if added := sorted(wanted.adding - present.slugs):
        told.append(f"add tags {', '.join(added)}")
    if removed := sorted(wanted.removing & present.slugs):
        told.append(f"remove tags {', '.join(removed)}")
    values = ((one.field.label, present.values[one.field.id], one.value) for one in wanted.fields)
    return told + [_moved(label, old, new) for label, old, new in values if old != new]


def _moved(name: str, before: Any, after: Any) -> str:
    return f"{name}: {_shown(before)} → {_shown(after)}"


def _shown(value: Any) -> str:
    if value is None or value == "":
        return "(empty)"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:.15g}" if isinstance(value, float) else str(value)
