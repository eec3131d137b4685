"""`/api/v1/notification-rules`."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Request, Response

from fleetkeeper.database.request_session import Session
from fleetkeeper.error_handlers import problem_responses
from fleetkeeper.kit.etags import ExpectedVersion, tagged
from fleetkeeper.kit.list_query import ListParameters, listed_by
from fleetkeeper.kit.pagination import with_links
from fleetkeeper.notifications.access import NotificationsRead, NotificationsWrite
from fleetkeeper.notifications.rules import service
from fleetkeeper.notifications.rules.queries import LISTING as RULES_LISTING
from fleetkeeper.notifications.rules.schemas import (
    EventTypeRead,
    RuleCreate,
    RulePage,
    RuleRead,
    RuleUpdate,
)

router = APIRouter(prefix="/notification-rules", tags=["notifications"])
RulesQuery = Annotated[ListParameters, listed_by(RULES_LISTING)]


@router.get("", responses=problem_responses(401, 403, 422))
async def list_rules(
    request: Request, actor: NotificationsRead, session: Session, asked: RulesQuery
) -> RulePage:
    """List notification rules."""
    page = await service.list_rules(session, actor, asked)
    return with_links(page, request.url.path)


@router.get("/events", responses=problem_responses(401, 403))
async def list_events(actor: NotificationsRead) -> list[EventTypeRead]:
    """List the events that rules can name."""
    del actor
    return service.list_events()


@router.post("", status_code=201, responses=problem_responses(400, 401, 403, 422))
async def create_rule(
    wanted: RuleCreate, actor: NotificationsWrite, session: Session, response: Response
) -> RuleRead:
    """Create a notification rule."""
    return tagged(response, await service.create_rule(session, actor, wanted))


@router.get("/{rule_id}", responses=problem_responses(401, 403, 404, 422))
async def get_rule(rule_id: UUID, actor: NotificationsRead, session: Session, response: Response) -> RuleRead:
    """Get one notification rule."""
    return tagged(response, await service.get_rule(session, actor, rule_id))


@router.patch("/{rule_id}", responses=problem_responses(400, 401, 403, 404, 412, 422))
async def update_rule(
    rule_id: UUID,
    changes: RuleUpdate,
    actor: NotificationsWrite,
    session: Session,
    expected_version: ExpectedVersion,
    response: Response,
) -> RuleRead:
    """Change a notification rule."""
    return tagged(
        response,
        await service.update_rule(session, actor, rule_id, changes, expected_version=expected_version),
    )


@router.delete("/{rule_id}", status_code=204, responses=problem_responses(401, 403, 404, 422))
async def delete_rule(rule_id: UUID, actor: NotificationsWrite, session: Session) -> None:
    """Delete a notification rule."""
    await service.delete_rule(session, actor, rule_id)
