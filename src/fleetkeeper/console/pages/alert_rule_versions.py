"""`/alerts/rules/{key}/versions`: going back to what a rule was."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Query, Request, Response

from fleetkeeper.alerts.access import AlertsWrite
from fleetkeeper.alerts.versions import service
from fleetkeeper.console.pages.alert_rules import HOME
from fleetkeeper.console.panels import done
from fleetkeeper.database.request_session import Session

router = APIRouter()


@router.post(f"{HOME}/{{key}}/versions/{{version}}/restore")
async def restore_version(
    request: Request,
    key: UUID,
    version: Annotated[int, Path(ge=1, le=2**31 - 1)],
    actor: AlertsWrite,
    session: Session,
    present: Annotated[int | None, Query(ge=1, le=2**31 - 1)] = None,
) -> Response:
    """Make a rule what it was, unless somebody changed it since the page with its versions was opened."""
    await service.restore(session, actor, key, version, present)
    return done(request, f"{HOME}/{key}")
