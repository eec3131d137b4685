"""`/api/v1/approval-rules`: which actions wait for approval, and whose."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Request, Response

from fleetkeeper.approvals.access import ApprovalsRead, ApprovalsWrite
from fleetkeeper.approvals.rules import service
from fleetkeeper.approvals.rules.schemas import (
    ApprovalKindRead,
    ApprovalRuleCreate,
    ApprovalRulePage,
    ApprovalRuleRead,
    ApprovalRuleUpdate,
)
from fleetkeeper.approvals.rules.service import LISTING as APPROVAL_RULES_LISTING
from fleetkeeper.database.request_session import Session
from fleetkeeper.error_handlers import problem_responses
from fleetkeeper.kit.etags import ExpectedVersion, tagged
from fleetkeeper.kit.list_query import ListParameters, listed_by
from fleetkeeper.kit.pagination import with_links

router = APIRouter(prefix="/approval-rules", tags=["approvals"])
ApprovalRulesQuery = Annotated[ListParameters, listed_by(APPROVAL_RULES_LISTING)]


@router.get("", responses=problem_responses(401, 403, 422))
async def list_rules(
    request: Request, actor: ApprovalsRead, session: Session, asked: ApprovalRulesQuery
) -> ApprovalRulePage:
    """List approval rules, in the order in which they are tried."""
    del actor
    page = await service.list_rules(session, asked)
    return with_links(page, request.url.path)


@router.get("/kinds", responses=problem_responses(401, 403))
async def list_kinds(actor: ApprovalsRead) -> list[ApprovalKindRead]:
    """List the kinds of actions that rules can name."""
    del actor
    return service.list_kinds()


@router.post("", status_code=201, responses=problem_responses(400, 401, 403, 409, 422))
async def create_rule(
    wanted: ApprovalRuleCreate, actor: ApprovalsWrite, session: Session, response: Response
) -> ApprovalRuleRead:
    """Create an approval rule."""
    del actor
    return tagged(response, await service.create_rule(session, wanted))


@router.get("/{rule_id}", responses=problem_responses(401, 403, 404, 422))
async def get_rule(
    rule_id: UUID, actor: ApprovalsRead, session: Session, response: Response
) -> ApprovalRuleRead:
    """Get one approval rule."""
    del actor
    return tagged(response, await service.get_rule(session, rule_id))


@router.patch("/{rule_id}", responses=problem_responses(400, 401, 403, 404, 409, 412, 422))
async def update_rule(
    rule_id: UUID,
    changes: ApprovalRuleUpdate,
    actor: ApprovalsWrite,
    session: Session,
    expected_version: ExpectedVersion,
    response: Response,
) -> ApprovalRuleRead:
    """Change an approval rule. Requests that wait keep the rule as it was."""
    del actor
    return tagged(
        response, await service.update_rule(session, rule_id, changes, expected_version=expected_version)
    )


@router.delete("/{rule_id}", status_code=204, responses=problem_responses(401, 403, 404, 422))
async def delete_rule(rule_id: UUID, actor: ApprovalsWrite, session: Session) -> None:
    """Delete an approval rule. Waiting requests still need its approvals."""
    del actor
    await service.delete_rule(session, rule_id)
