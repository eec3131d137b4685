"""`/api/v1/parts`, `/part-variants`, `/part-prices`, and what a scanned code means."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response

from fleetkeeper.database.request_session import Session
from fleetkeeper.error_handlers import problem_responses
from fleetkeeper.kit.list_query import ListParameters, listed_by
from fleetkeeper.kit.pagination import with_links
from fleetkeeper.records.api import record_router
from fleetkeeper.stock.access import StockRead
from fleetkeeper.stock.parts import queries, service
from fleetkeeper.stock.parts.labels import label_of
from fleetkeeper.stock.parts.schemas import PricePage, Scanned

router = APIRouter()


@router.get(
    "/parts/scan",
    tags=["parts"],
    summary="Find by a code",
    responses=problem_responses(401, 403, 404, 409, 422),
)
async def scan(
    code: Annotated[
        str, Query(max_length=300, description="A label, a part's code, a serial number, a supplier's number")
    ],
    actor: StockRead,
    session: Session,
) -> Scanned:
    """Say what a scanned or typed code means."""
    return await service.scan(session, actor, code)


@router.get(
    "/parts/{key}/label.svg",
    tags=["parts"],
    summary="Get a part's label",
    response_class=Response,
    responses={200: {"content": {"image/svg+xml": {}}}, **problem_responses(401, 403, 404, 422)},
)
async def label(key: UUID, actor: StockRead, session: Session) -> Response:
    """A QR code that `/parts/scan` knows, as an image."""
    part = await service.parts.get(session, actor, key)
    return Response(label_of(part.id), media_type="image/svg+xml")


@router.get("/part-prices", tags=["parts"], summary="List prices", responses=problem_responses(401, 403, 422))
async def list_prices(
    request: Request,
    actor: StockRead,
    session: Session,
    asked: Annotated[ListParameters, listed_by(queries.PRICES)],
) -> PricePage:
    """List what prices were from when on, newest first."""
    return with_links(await service.list_prices(session, actor, asked), request.url.path)


router.include_router(record_router(service.parts))
router.include_router(record_router(service.variants))
