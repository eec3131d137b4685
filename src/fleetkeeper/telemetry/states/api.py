"""The door of states."""

from typing import Annotated

from fastapi import APIRouter, Query

from fleetkeeper.database.request_session import Session
from fleetkeeper.error_handlers import problem_responses
from fleetkeeper.errors import FieldError, InvalidInputError
from fleetkeeper.telemetry.access import TelemetryRead
from fleetkeeper.telemetry.moments import From, To
from fleetkeeper.telemetry.service import device_ids
from fleetkeeper.telemetry.states import service
from fleetkeeper.telemetry.states.schemas import StatesRead

router = APIRouter(prefix="/telemetry", tags=["telemetry"])


@router.get("/states", responses=problem_responses(401, 403, 404, 422))
async def read_states(
    actor: TelemetryRead,
    session: Session,
    device: Annotated[str, Query(description="UUID of a device")],
    start: From,
    end: To,
    metric: Annotated[list[str] | None, Query(description="Names of states; default: all")] = None,
) -> StatesRead:
    """Read the texts and truth values of a device, as they changed."""
    found = device_ids([device])
    if len(found) != 1:
        raise InvalidInputError(
            "The device is wrong.", fields=[FieldError("device", "is the UUID of one device")]
        )
    return await service.states_of(session, actor, found[0], metric or [], start, end)
