"""`/api/v1/alert-rules/{rule_id}/versions`."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Response

from fleetkeeper.alerts.access import AlertsRead, AlertsWrite
from fleetkeeper.alerts.rules.schemas import AlertRuleRead
from fleetkeeper.alerts.versions import service
from fleetkeeper.alerts.versions.schemas import AlertRuleVersionRead
from fleetkeeper.database.request_session import Session
from fleetkeeper.error_handlers import problem_responses
from fleetkeeper.kit.etags import ExpectedVersion, tagged

Version = Annotated[int, Path(ge=1, le=2**31 - 1)]
router = APIRouter(prefix="/alert-rules/{rule_id}/versions", tags=["alert-rules"])


@router.get("", responses=problem_responses(401, 403, 404, 422))
async def list_versions(rule_id: UUID, actor: AlertsRead, session: Session) -> list[AlertRuleVersionRead]:
    """List a rule's versions, the newest first; the newest hundred are kept."""
    return await service.list_versions(session, actor, rule_id)


@router.post("/{version}/restore", responses=problem_responses(401, 403, 404, 409, 412, 422))
async def restore_version(
    rule_id: UUID,
    version: Version,
    actor: AlertsWrite,
    session: Session,
    expected_version: ExpectedVersion,
    response: Response,
) -> AlertRuleRead:
    """Make a rule what it was in a version, as a new version; the answer has its ETag."""
    return tagged(response, await service.restore(session, actor, rule_id, version, expected_version))
