"""`/api/v1/alert-silences/occurrences`."""

from typing import Annotated

from fastapi import APIRouter, Query

from fleetkeeper.alerts.access import AlertsRead
from fleetkeeper.alerts.silences.occurrences import SilenceOccurrences, occurrences
from fleetkeeper.database.request_session import Session
from fleetkeeper.error_handlers import problem_responses
from fleetkeeper.kit.moments import Moment

router = APIRouter(prefix="/alert-silences", tags=["alert-silences"])


@router.get("/occurrences", responses=problem_responses(400, 401, 403, 422))
async def list_occurrences(
    actor: AlertsRead,
    session: Session,
    start: Annotated[Moment, Query(description="Epoch seconds or RFC 3339")],
    end: Annotated[Moment, Query(description="Epoch seconds or RFC 3339; at most 92 days after start")],
) -> SilenceOccurrences:
    """List when silences apply, each recurrence by itself: at most 1,000, the first ones."""
    return await occurrences(session, actor, start, end)
