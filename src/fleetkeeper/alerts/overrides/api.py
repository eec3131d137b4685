"""`/api/v1/alert-rules/{rule_id}/overrides`."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Request, Response

from fleetkeeper.alerts.access import AlertsRead, AlertsWrite
from fleetkeeper.alerts.overrides import service
from fleetkeeper.alerts.overrides.queries import LISTING
from fleetkeeper.alerts.overrides.schemas import AlertOverridePage, AlertOverrideRead, AlertOverrideWrite
from fleetkeeper.database.request_session import Session
from fleetkeeper.error_handlers import problem_responses
from fleetkeeper.kit.etags import ExpectedVersion, tagged
from fleetkeeper.kit.list_query import ListParameters, listed_by
from fleetkeeper.kit.pagination import with_links

router = APIRouter(prefix="/alert-rules/{rule_id}/overrides", tags=["alert-rules"])


@router.get("", responses=problem_responses(401, 403, 404, 422))
async def list_overrides(
    request: Request,
    rule_id: UUID,
    actor: AlertsRead,
    session: Session,
    asked: Annotated[ListParameters, listed_by(LISTING)],
) -> AlertOverridePage:
    """List a rule's overrides."""
    found = await service.list_overrides(session, actor, rule_id, asked)
    return with_links(found, request.url.path)


@router.post("", status_code=201, responses=problem_responses(400, 401, 403, 404, 409, 422))
async def create_override(
    rule_id: UUID, wanted: AlertOverrideWrite, actor: AlertsWrite, session: Session, response: Response
) -> AlertOverrideRead:
    """Create an override for a device or a tag; the answer has its ETag."""
    return tagged(response, await service.create(session, actor, rule_id, wanted))


@router.get("/{key}", responses=problem_responses(401, 403, 404, 422))
async def get_override(
    rule_id: UUID, key: UUID, actor: AlertsRead, session: Session, response: Response
) -> AlertOverrideRead:
    """Get an override with its ETag."""
    return tagged(response, await service.get(session, actor, rule_id, key))


@router.put("/{key}", responses=problem_responses(400, 401, 403, 404, 409, 412, 422))
async def change_override(
    rule_id: UUID,
    key: UUID,
    wanted: AlertOverrideWrite,
    actor: AlertsWrite,
    session: Session,
    expected_version: ExpectedVersion,
    response: Response,
) -> AlertOverrideRead:
    """Replace an override."""
    changed = await service.change(session, actor, rule_id, key, wanted, expected_version)
    return tagged(response, changed)


@router.delete("/{key}", status_code=204, responses=problem_responses(401, 403, 404, 422))
async def delete_override(rule_id: UUID, key: UUID, actor: AlertsWrite, session: Session) -> None:
    """Delete an override: the rule applies there as it is."""
    await service.delete(session, actor, rule_id, key)
