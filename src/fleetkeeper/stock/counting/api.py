"""`/api/v1/stock-counts`."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Request

from fleetkeeper.database.request_session import Session
from fleetkeeper.error_handlers import problem_responses
from fleetkeeper.kit.list_query import ListParameters, listed_by
from fleetkeeper.kit.pagination import with_links
from fleetkeeper.records.api import record_router
from fleetkeeper.stock.access import StockRead, StockWrite
from fleetkeeper.stock.counting import queries, service
from fleetkeeper.stock.counting.schemas import Counted, LinePage, LineRead

router = APIRouter()


@router.get(
    "/stock-counts/{key}/lines",
    tags=["stock-counts"],
    summary="List what was counted",
    responses=problem_responses(401, 403, 404, 422),
)
async def list_lines(
    request: Request,
    key: UUID,
    actor: StockRead,
    session: Session,
    asked: Annotated[ListParameters, listed_by(queries.LINES)],
) -> LinePage:
    """List what was counted, with the differences."""
    return with_links(await service.list_lines(session, actor, key, asked), request.url.path)


@router.post(
    "/stock-counts/{key}/lines",
    tags=["stock-counts"],
    summary="Count a part",
    responses=problem_responses(400, 401, 403, 404, 409, 422),
)
async def count(key: UUID, counted: Counted, actor: StockWrite, session: Session) -> LineRead:
    """Say how many of a part there are; saying it again corrects it."""
    return await service.count_part(session, actor, key, counted)


router.include_router(record_router(service.counts))
