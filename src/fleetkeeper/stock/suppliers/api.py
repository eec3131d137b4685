"""`/api/v1/suppliers`, `/part-suppliers`, and the best supplier of a quantity."""

from decimal import Decimal
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query

from fleetkeeper.database.request_session import Session
from fleetkeeper.error_handlers import problem_responses
from fleetkeeper.records.api import record_router
from fleetkeeper.stock.access import StockRead
from fleetkeeper.stock.suppliers.schemas import Choices
from fleetkeeper.stock.suppliers.service import choose_supplier, offers, suppliers

router = APIRouter()


@router.get(
    "/parts/{key}/choice-of-supplier",
    tags=["suppliers"],
    summary="Compare suppliers",
    responses=problem_responses(401, 403, 422),
)
async def compare(
    key: UUID,
    actor: StockRead,
    session: Session,
    quantity: Annotated[Decimal, Query(gt=0, max_digits=14, decimal_places=3)] = Decimal(1),
    variant_id: UUID | None = None,
) -> Choices:
    """Who can deliver so many of a part, the best first, each with its reasons."""
    return await choose_supplier(session, actor, key, variant_id, quantity)


router.include_router(record_router(suppliers))
router.include_router(record_router(offers))
