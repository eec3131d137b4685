"""`/api/v1/approvals`: requests, and deciding on them."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Request

from fleetkeeper.approvals import service
from fleetkeeper.approvals.queries import LISTING as APPROVALS_LISTING
from fleetkeeper.approvals.schemas import ApprovalDetail, ApprovalPage, ApprovalRead, Decide, Reject
from fleetkeeper.database.request_session import Session
from fleetkeeper.error_handlers import problem_responses
from fleetkeeper.identity.access import SignedIn
from fleetkeeper.identity.exporting import add_export
from fleetkeeper.identity.permissions import Permission
from fleetkeeper.kit.list_query import ListParameters, listed_by
from fleetkeeper.kit.pagination import with_links

router = APIRouter(prefix="/approvals", tags=["approvals"])
ApprovalsQuery = Annotated[ListParameters, listed_by(APPROVALS_LISTING)]


@router.get("", responses=problem_responses(401, 422))
async def list_requests(
    request: Request, actor: SignedIn, session: Session, asked: ApprovalsQuery
) -> ApprovalPage:
    """List approval requests, newest first; `waiting_for=me` are yours to decide, `requested_by=me` those you made."""
    page = await service.list_requests(session, actor, asked)
    return with_links(page, request.url.path)


add_export(
    router,
    "approval requests",
    Permission.APPROVALS_READ,
    ApprovalRead,
    "approval_requests",
    service.list_requests,
)


@router.get("/{request_id}", responses=problem_responses(401, 404, 422))
async def get_request(request_id: UUID, actor: SignedIn, session: Session) -> ApprovalDetail:
    """Get one approval request with its decisions."""
    return await service.get_request(session, actor, request_id)


@router.post("/{request_id}/approve", responses=problem_responses(400, 401, 403, 404, 409, 422))
async def approve(request_id: UUID, wanted: Decide, actor: SignedIn, session: Session) -> ApprovalDetail:
    """Approve a request. After the last approval a job carries it out."""
    return await service.approve(session, actor, request_id, wanted.comment)


@router.post("/{request_id}/reject", responses=problem_responses(400, 401, 403, 404, 409, 422))
async def reject(request_id: UUID, wanted: Reject, actor: SignedIn, session: Session) -> ApprovalDetail:
    """Reject a request. One rejection ends it."""
    return await service.reject(session, actor, request_id, wanted.comment)


@router.post("/{request_id}/cancel", responses=problem_responses(400, 401, 403, 404, 409, 422))
async def cancel(request_id: UUID, wanted: Decide, actor: SignedIn, session: Session) -> ApprovalDetail:
    """Cancel a request that you made."""
    return await service.cancel(session, actor, request_id, wanted.comment)
