"""Deleting a device: at once, or once other people have approved it."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.approvals.asking import ask_if_needed
from fleetkeeper.approvals.kinds import Action, declare_kind
from fleetkeeper.approvals.schemas import ApprovalRead
from fleetkeeper.devices import service
from fleetkeeper.identity.actor import Actor
from fleetkeeper.identity.permissions import Permission

KIND = "devices.delete"


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
        payload={"device": str(device_id)},
        amount=1,
        department_id=device.department_id,
        reason=reason,
    )
    held = await ask_if_needed(session, actor, action)
    if held is None:
        await service.delete_device(session, actor, device_id)
    return held


def _describe(payload: Mapping[str, Any]) -> list[tuple[str, str]]:
    del payload
    return [("Also deleted", "Its keys, sources and telemetry")]


async def _apply(session: AsyncSession, actor: Actor, payload: Mapping[str, Any], reason: str) -> None:
    del reason
    await service.delete_device(session, actor, UUID(payload["device"]))


declare_kind(KIND, "Delete a device", unit="devices", describe=_describe, apply=_apply)
