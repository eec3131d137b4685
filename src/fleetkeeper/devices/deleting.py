"""Deleting devices: at once, or once other people have approved it."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.approvals.asking import ask_if_needed, has_rules, needs_approval
from fleetkeeper.approvals.kinds import Action, declare_kind
from fleetkeeper.approvals.schemas import ApprovalRead
from fleetkeeper.devices import queries, service
from fleetkeeper.devices.containers import delete_with_containers
from fleetkeeper.devices.models import Device
from fleetkeeper.devices.selecting import NOT_THERE, selected
from fleetkeeper.errors import ConflictError, NotFoundError
from fleetkeeper.identity.actor import Actor
from fleetkeeper.identity.permissions import Permission
from fleetkeeper.jobs.service import enqueue
from fleetkeeper.kit.bulk import BulkItem, BulkResult, Selection, result_of

KIND = "devices.delete"
_NAMED = 10


async def ask_for_deletion(
    session: AsyncSession, actor: Actor, device_id: UUID, reason: str
) -> ApprovalRead | None:
    """Delete a device, or ask for its approval where a rule wants that, which is the answer then.

    Raises NotFoundError, ForbiddenError, and ConflictError where nobody could approve.
    """
    device = await service.check_permission(session, actor, Permission.DEVICES_DELETE, device_id)
    action = Action(
        kind=KIND,
        subject_type="devices",
        subject_id=str(device_id),
        subject_label=device.name,
        subject_href=f"/devices/{device_id}",
        payload={"devices": [str(device_id)], "department": _text_of(device.department_id)},
        amount=1,
        department_id=device.department_id,
        reason=reason,
    )
    held = await ask_if_needed(session, actor, action)
    if held is None:
        await service.delete_device(session, actor, device_id)
    return held


async def ask_for_deletions(
    session: AsyncSession,
    actor: Actor,
    selection: Selection,
    reason: str,
    *,
    dry_run: bool,
    stale_before: datetime,
    expected: int | None = None,
) -> BulkResult:
    """Delete all devices of a selection that the actor may delete; the others say why not.

    Those of a department where a rule wants it for so many wait for approval, in one request. Raises
    InvalidInputError for a selection that is none or too large, and ConflictError where nobody could approve, or
    where others would go than the `expected` number.
    """
    ids = await selected(session, actor, selection, stale_before)
    found = queries.visible_to(actor).where(queries.among(ids)).order_by(Device.id)
    locked = found if dry_run else found.with_for_update()
    devices = {one.id: one for one in (await session.scalars(locked)).all()}
    allowed = [one for one in devices.values() if actor.may_in(Permission.DEVICES_DELETE, one.department_id)]
    held = await _departments_that_wait(session, actor, allowed)
    deletable = {one.id for one in allowed}
    if expected is not None and len(deletable) != expected:
        raise ConflictError(
            f"Nothing was deleted: {len(deletable):,} devices match now, not {expected:,}. Open the preview again."
        )
    items = [_item(key, devices.get(key), deletable, held) for key in ids]
    if not dry_run:
        await _delete(session, [one.id for one in allowed if one.department_id not in held])
        for department_id in held:
            waiting = [one for one in allowed if one.department_id == department_id]
            await ask_if_needed(session, actor, _action_of_many(waiting, len(allowed), reason))
    return result_of(items, dry_run=dry_run)


async def _departments_that_wait(
    session: AsyncSession, actor: Actor, devices: Sequence[Device]
) -> list[UUID | None]:
    """Where a rule applies. All that are to go count for it, wherever they are: parts must not slip below a number."""
    if not devices or not await has_rules(session, actor, KIND):
        return []
    departments = dict.fromkeys(one.department_id for one in devices)
    return [
        one
        for one in departments
        if await needs_approval(session, actor, KIND, department_id=one, amount=len(devices))
    ]


def _item(
    key: UUID, device: Device | None, deletable: Collection[UUID], held: Collection[UUID | None]
) -> BulkItem:
    if device is None:
        return BulkItem(id=key, name="", outcome="refused", detail=NOT_THERE)
    if key not in deletable:
        needed = f"This needs the permission {Permission.DEVICES_DELETE} in the device's department"
        return BulkItem(id=key, name=device.name, outcome="refused", detail=needed)
    if device.department_id in held:
        return BulkItem(id=key, name=device.name, outcome="held", detail="An approval rule applies")
    return BulkItem(id=key, name=device.name, outcome="changed")


def _action_of_many(devices: Sequence[Device], amount: int, reason: str) -> Action:
    first = devices[0]
    return Action(
        kind=KIND,
        subject_type="devices",
        subject_id=str(first.id),
        subject_label=first.name if len(devices) == 1 else f"{first.name} and {len(devices) - 1:,} more",
        subject_href="/devices",
        payload={
            "devices": [str(one.id) for one in devices],
            "department": _text_of(first.department_id),
            "names": [one.name for one in devices[:_NAMED]],
        },
        amount=amount,
        department_id=first.department_id,
        reason=reason,
    )


def _text_of(department_id: UUID | None) -> str:
    return "" if department_id is None else str(department_id)


async def _delete(session: AsyncSession, ids: Sequence[UUID]) -> None:
    if not ids:
        return
    await delete_with_containers(session, ids)
    await enqueue(session, "telemetry.delete")


def _describe(payload: Mapping[str, Any]) -> list[tuple[str, str]]:
    names = payload.get("names", [])
    more = len(payload.get("devices", [])) - len(names)
    told = [("Devices", ", ".join(names) + (f" and {more:,} more" if more > 0 else ""))] if names else []
    return [*told, ("Also deleted", "Keys, sources, telemetry and containers that they host")]


async def _apply(session: AsyncSession, actor: Actor, payload: Mapping[str, Any], reason: str) -> None:
    """Those that are gone by now are no reason to keep the others; one that has moved is: others decide there."""
    del reason
    # Requests from before the department was kept name one device by itself.
    ids = [UUID(one) for one in payload.get("devices") or [payload["device"]]]
    present = queries.visible_to(actor).where(queries.among(ids)).order_by(Device.id).with_for_update()
    devices = (await session.scalars(present)).all()
    if not devices:
        raise NotFoundError("None of these devices exists any more.")
    for one in devices:
        service.check_may(actor, Permission.DEVICES_DELETE, one.department_id)
        if payload.get("department", _text_of(one.department_id)) != _text_of(one.department_id):
            raise ConflictError(
                f"{one.name} has moved to another department since, whose rules apply. Ask again."
            )
    await _delete(session, [one.id for one in devices])


declare_kind(KIND, "Delete devices", unit="devices", describe=_describe, apply=_apply)
