"""`/inventory/{key}/take-suggestion`: a suggested reorder point becomes the one that counts."""

from uuid import UUID

from fastapi import APIRouter, Request, Response

from fleetkeeper.console.panels import done
from fleetkeeper.console.stock_lists import STOCK
from fleetkeeper.database.request_session import Session
from fleetkeeper.replenishment.access import StockWrite
from fleetkeeper.replenishment.forecasts import take_suggestion

router = APIRouter()


@router.post(f"{STOCK}/{{key}}/take-suggestion")
async def take(request: Request, key: UUID, actor: StockWrite, session: Session) -> Response:
    """Set the suggested reorder point."""
    await take_suggestion(session, actor, key)
    return done(request, f"{STOCK}/{key}")
