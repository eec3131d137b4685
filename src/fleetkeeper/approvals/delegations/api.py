"""`/api/v1/account/approval-delegations`: who decides for one while one is away."""

from uuid import UUID

from fastapi import APIRouter

from fleetkeeper.approvals.delegations import service
from fleetkeeper.approvals.delegations.schemas import DelegationCreate, DelegationRead
from fleetkeeper.database.request_session import Session
from fleetkeeper.error_handlers import problem_responses
from fleetkeeper.identity.access import SignedIn

router = APIRouter(prefix="/account/approval-delegations", tags=["account"])


@router.get("", responses=problem_responses(401))
async def list_delegations(actor: SignedIn, session: Session) -> list[DelegationRead]:
    """List the delegations of and to you that have not ended."""
    return await service.list_delegations(session, actor)


@router.post("", status_code=201, responses=problem_responses(400, 401, 403, 422))
async def delegate(wanted: DelegationCreate, actor: SignedIn, session: Session) -> DelegationRead:
    """Let another user decide on approval requests in your place for a while."""
    return await service.delegate(session, actor, wanted)


@router.delete("/{delegation_id}", status_code=204, responses=problem_responses(401, 403, 404, 422))
async def end_delegation(delegation_id: UUID, actor: SignedIn, session: Session) -> None:
    """End a delegation."""
    await service.end_delegation(session, actor, delegation_id)
