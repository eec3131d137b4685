"""`/suggestions`: what a form's field offers while one types."""

from fastapi import APIRouter, Request, Response

from fleetkeeper.console.contexts.forms import Suggestions
from fleetkeeper.console.device_names import suggest_devices
from fleetkeeper.console.metric_names import suggest_metrics
from fleetkeeper.console.rendering import render
from fleetkeeper.database.request_session import Session
from fleetkeeper.devices.access import DevicesRead
from fleetkeeper.kit.text import is_storable
from fleetkeeper.telemetry.access import TelemetryRead

router = APIRouter()
_LONGEST = 100


@router.get("/suggestions/devices")
async def devices(request: Request, actor: DevicesRead, session: Session) -> Response:
    """Devices by a part of their names."""
    return render(
        "components/_suggestions.html", Suggestions(await suggest_devices(session, actor, _typed(request)))
    )


@router.get("/suggestions/metrics")
async def metrics(request: Request, actor: TelemetryRead, session: Session) -> Response:
    """Metrics by a part of their names or descriptions."""
    return render(
        "components/_suggestions.html", Suggestions(await suggest_metrics(session, actor, _typed(request)))
    )


def _typed(request: Request) -> str:
    """What stands in the field that asks, whatever its name is."""
    text = next((value for value in request.query_params.values()), "")[:_LONGEST].strip()
    return text if is_storable(text) else ""
