"""Asking for a deletion of telemetry: at once, or once other people have approved it."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.approvals.asking import ask_if_needed, has_rules
from fleetkeeper.approvals.kinds import Action, declare_kind
from fleetkeeper.approvals.schemas import ApprovalRead
from fleetkeeper.audit.recorder import record_event
from fleetkeeper.devices import service as devices
from fleetkeeper.identity.actor import Actor
from fleetkeeper.identity.permissions import Permission
from fleetkeeper.jobs.service import enqueue
from fleetkeeper.kit.ids import uuid7
from fleetkeeper.telemetry.archive.browsing import check_deletion, preview_deletion
from fleetkeeper.telemetry.archive.deletion import DELETE_TASK
from fleetkeeper.telemetry.archive.models import TelemetryDeletion
from fleetkeeper.telemetry.archive.schemas import DeletionCreate, DeletionRead

KIND = "telemetry.delete"
_MOST_NAME = 255


async def ask_for_deletion(
    session: AsyncSession, actor: Actor, wanted: DeletionCreate, reason: str
) -> DeletionRead | ApprovalRead:
    """Ask for a deletion, which a job carries out, or for its approval where a rule wants that.

    Raises NotFoundError, ForbiddenError, InvalidInputError, and ConflictError where nobody could approve.
    """
    if await has_rules(session, actor, KIND):
        held = await ask_if_needed(session, actor, await _action(session, actor, wanted, reason))
        if held is not None:
            return held
    return await enter_deletion(session, actor, wanted, reason)


async def enter_deletion(
    session: AsyncSession, actor: Actor, wanted: DeletionCreate, reason: str
) -> DeletionRead:
    """Enter a deletion, which a job carries out; the audit log keeps who asked and why.

    Raises NotFoundError, ForbiddenError, InvalidInputError.
    """
    device = await devices.check_permission(session, actor, Permission.DEVICES_DELETE, wanted.device)
    await check_deletion(session, wanted)
    deletion = TelemetryDeletion(
        id=uuid7(),
        device_id=wanted.device,
        device_name=device.name,
        metric=wanted.metric,
        first_day=wanted.first_day,
        last_day=wanted.last_day,
        requested_by=actor.name[:_MOST_NAME],
        reason=reason,
    )
    session.add(deletion)
    await session.flush()
    await session.refresh(deletion)
    await enqueue(session, DELETE_TASK, str(deletion.id), reason=reason)
    await record_event(
        session,
        "telemetry.deletion_asked",
        "telemetry",
        str(wanted.device),
        device.name,
        device_id=wanted.device,
        details=wanted.model_dump(mode="json") | {"request": str(deletion.id), "reason": reason},
    )
    return DeletionRead.model_validate(deletion)


async def _action(session: AsyncSession, actor: Actor, wanted: DeletionCreate, reason: str) -> Action:
    """The deletion with the samples that it takes away, in every tier; frames that are not sealed count as one each."""
    amounts = await preview_deletion(session, actor, wanted)
    device = await devices.get_device(session, actor, wanted.device)
    return Action(
        kind=KIND,
        subject_type="devices",
        subject_id=str(wanted.device),
        subject_label=device.name,
        subject_href=f"/devices/{wanted.device}",
        payload=wanted.model_dump(mode="json"),
        amount=amounts.frames + amounts.chunk_samples + amounts.archive_samples,
        department_id=device.department_id,
        reason=reason,
    )


def _describe(payload: Mapping[str, Any]) -> list[tuple[str, str]]:
    first, last = payload["first_day"] or "first day", payload["last_day"] or "last day"
    return [
        ("Metrics", payload["metric"] or "All"),
        (
            "Days (UTC)",
            "All" if payload["first_day"] == payload["last_day"] is None else f"{first} to {last}",
        ),
    ]


async def _apply(session: AsyncSession, actor: Actor, payload: Mapping[str, Any], reason: str) -> None:
    await enter_deletion(session, actor, DeletionCreate.model_validate(payload), reason)


declare_kind(KIND, "Delete telemetry of a device", unit="samples", describe=_describe, apply=_apply)
