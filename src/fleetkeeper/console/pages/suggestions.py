"""`/suggestions`: what a form's field offers while one types."""

from fastapi import APIRouter, Request, Response

from fleetkeeper.console.contexts.forms import Suggestions
from fleetkeeper.console.contexts.panels import Option
from fleetkeeper.console.device_names import suggest_devices
from fleetkeeper.console.metric_names import suggest_metrics
from fleetkeeper.console.part_names import suggest_categories, suggest_parts, suggest_suppliers
from fleetkeeper.console.rendering import render
from fleetkeeper.database.request_session import Session
from fleetkeeper.devices.access import DevicesRead
from fleetkeeper.kit.text import is_storable
from fleetkeeper.stock.access import StockRead
from fleetkeeper.telemetry.access import TelemetryRead

router = APIRouter()
_LONGEST = 100


@router.get("/suggestions/devices")
async def devices(request: Request, actor: DevicesRead, session: Session) -> Response:
    """Devices by a part of their names."""
    return _shown(await suggest_devices(session, actor, _typed(request)))


@router.get("/suggestions/metrics")
async def metrics(request: Request, actor: TelemetryRead, session: Session) -> Response:
    """Metrics by a part of their names or descriptions."""
    return _shown(await suggest_metrics(session, actor, _typed(request)))


@router.get("/suggestions/parts")
async def parts(request: Request, actor: StockRead, session: Session) -> Response:
    """Parts by a part of their codes or names."""
    return _shown(await suggest_parts(session, actor, _typed(request)))


@router.get("/suggestions/part-categories")
async def part_categories(request: Request, actor: StockRead, session: Session) -> Response:
    """Categories that parts have."""
    return _shown(await suggest_categories(session, actor, _typed(request)))


@router.get("/suggestions/suppliers")
async def suppliers(request: Request, actor: StockRead, session: Session) -> Response:
    """Suppliers by a part of their names."""
    return _shown(await suggest_suppliers(session, actor, _typed(request)))


def _shown(found: list[Option]) -> Response:
    return render("components/_suggestions.html", Suggestions(found))


def _typed(request: Request) -> str:
    """What stands in the field that asks, whatever its name is."""
    text = next((value for value in request.query_params.values()), "")[:_LONGEST].strip()
    return text if is_storable(text) else ""
