"""Who is told what of requests."""

from collections.abc import Iterable
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.approvals.kinds import KINDS
from fleetkeeper.approvals.models import ApprovalRequest
from fleetkeeper.notifications.events import ObjectRef, Severity, declare_event, emit

_FIELDS = ("title", "about", "requested_by", "reason")
_WHAT = "{title}: {about}. Requested by {requested_by}: {reason}"
declare_event(
    "approvals.requested",
    "Approval requested",
    subject="{requested_by} asks you to approve: {title}, {about}",
    body=_WHAT,
    fields=_FIELDS,
)
declare_event(
    "approvals.expiring",
    "Approval request expires soon",
    subject="An approval request expires soon: {title}, {about}",
    body=f"{_WHAT} Without a decision it expires on {{expires_at}} (UTC).",
    fields=(*_FIELDS, "expires_at"),
    severity=Severity.WARNING,
)
declare_event(
    "approvals.escalated",
    "Approval request escalated",
    subject="Nobody has decided yet: {title}, {about}",
    body=f"{_WHAT} The request was not decided in time, so you may decide as well.",
    fields=_FIELDS,
    severity=Severity.WARNING,
)
declare_event(
    "approvals.decided",
    "Approval request decided",
    subject="Your request is {status}: {title}, {about}",
    body="{title}: {about}. Your request is {status}. {comment}",
    fields=("title", "about", "status", "comment"),
)


async def tell_approvers(
    session: AsyncSession, name: str, request: ApprovalRequest, people: Iterable[UUID]
) -> None:
    """Emit `approvals.requested`, `approvals.expiring` or `approvals.escalated`."""
    await emit(
        session,
        name,
        subject=_subject(request),
        department_id=request.department_id,
        to_users=sorted(people),
        title=_title(request),
        about=request.subject_label,
        requested_by=request.requester_name,
        reason=request.reason,
        expires_at=f"{request.expires_at:%Y-%m-%d %H:%M}",
    )


async def tell_requester(session: AsyncSession, request: ApprovalRequest, comment: str = "") -> None:
    """Emit `approvals.decided`, with the request's status."""
    await emit(
        session,
        "approvals.decided",
        subject=_subject(request),
        department_id=request.department_id,
        to_users=[request.requester_id] if request.requester_id else [],
        title=_title(request),
        about=request.subject_label,
        status=request.status,
        comment=comment,
    )


def _subject(request: ApprovalRequest) -> ObjectRef:
    label = f"{_title(request)}: {request.subject_label}"
    return ObjectRef("approval_request", str(request.id), label, f"/approvals/{request.id}")


def _title(request: ApprovalRequest) -> str:
    kind = KINDS.get(request.kind)
    return kind.title if kind else request.kind
