"""The door of states."""

from typing import Annotated

from fastapi import APIRouter, Query

from fleetkeeper.database.request_session import Session
from fleetkeeper.error_handlers import problem_responses
from fleetkeeper.kit.moments import From, To
from fleetkeeper.telemetry.access import TelemetryRead
from fleetkeeper.telemetry.parameters import DeviceId
from fleetkeeper.telemetry.states import service
from fleetkeeper.telemetry.states.schemas import StatesRead

router = APIRouter(prefix="/telemetry", tags=["telemetry"])


@router.get("/states", responses=problem_responses(401, 403, 404, 422))
async def read_states(
    actor: TelemetryRead,
    session: Session,
    device: DeviceId,
    start: From,
    end: To,
    metric: Annotated[list[str] | None, Query(description="Names of states; default: all")] = None,
) -> StatesRead:
    """Read the texts and truth values of a device, as they changed."""
    return await service.states_of(session, actor, device, metric or [], start, end)
