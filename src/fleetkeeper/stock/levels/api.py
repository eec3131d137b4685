"""`/api/v1/inventory`, `/stock-movements`, `/stock-reservations` and `/stock-serials`."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Request

from fleetkeeper.database.request_session import Session
from fleetkeeper.error_handlers import problem_responses
from fleetkeeper.identity.exporting import add_export
from fleetkeeper.identity.permissions import Permission
from fleetkeeper.kit.list_query import ListParameters, listed_by
from fleetkeeper.kit.pagination import with_links
from fleetkeeper.records.api import record_router
from fleetkeeper.stock.access import StockRead, StockWrite
from fleetkeeper.stock.levels import queries, reserving, service
from fleetkeeper.stock.levels.schemas import (
    Moved,
    MovementPage,
    MovementRead,
    MoveWrite,
    ReservationPage,
    ReservationRead,
    ReservationWrite,
    SerialPage,
)

router = APIRouter()
movements = APIRouter(prefix="/stock-movements", tags=["stock"])
add_export(
    movements,
    "movements of stock",
    Permission.STOCK_READ,
    MovementRead,
    "stock_movements",
    lambda session, actor, asked: service.list_movements(session, actor, asked, is_counted=False),
)


@movements.get("", summary="List movements of stock", responses=problem_responses(401, 403, 422))
async def list_movements(
    request: Request,
    actor: StockRead,
    session: Session,
    asked: Annotated[ListParameters, listed_by(queries.MOVEMENTS)],
) -> MovementPage:
    """List movements, the newest first."""
    return with_links(await service.list_movements(session, actor, asked), request.url.path)


@movements.post(
    "", status_code=201, summary="Move stock", responses=problem_responses(400, 401, 403, 409, 422)
)
async def move(wanted: MoveWrite, actor: StockWrite, session: Session) -> Moved:
    """Receive, issue, transfer, adjust, count, return, scrap or consume. All of it is booked, or nothing."""
    return await service.book(session, actor, wanted)


@movements.get("/{key}", summary="Get a movement of stock", responses=problem_responses(401, 403, 404, 422))
async def get_movement(key: UUID, actor: StockRead, session: Session) -> MovementRead:
    """Get one movement."""
    return await service.get_movement(session, actor, key)


@router.get(
    "/stock-reservations",
    tags=["stock"],
    summary="List reservations",
    responses=problem_responses(401, 403, 422),
)
async def list_reservations(
    request: Request,
    actor: StockRead,
    session: Session,
    asked: Annotated[ListParameters, listed_by(queries.RESERVATIONS)],
) -> ReservationPage:
    """List what is kept for which purpose."""
    return with_links(await reserving.list_reservations(session, actor, asked), request.url.path)


@router.post(
    "/stock-reservations",
    tags=["stock"],
    status_code=201,
    summary="Reserve stock",
    responses=problem_responses(400, 401, 403, 422),
)
async def reserve(wanted: ReservationWrite, actor: StockWrite, session: Session) -> ReservationRead:
    """Keep so many for a purpose: they are available to nobody else."""
    return await reserving.reserve(session, actor, wanted)


@router.delete(
    "/stock-reservations/{key}",
    tags=["stock"],
    status_code=204,
    summary="Release a reservation",
    responses=problem_responses(401, 403, 404, 422),
)
async def release(key: UUID, actor: StockWrite, session: Session) -> None:
    """Give back what was kept."""
    await reserving.release(session, actor, key)


@router.get(
    "/stock-serials", tags=["stock"], summary="List pieces", responses=problem_responses(401, 403, 422)
)
async def list_serials(
    request: Request,
    actor: StockRead,
    session: Session,
    asked: Annotated[ListParameters, listed_by(queries.SERIALS)],
) -> SerialPage:
    """List pieces with serial numbers, and where each is now."""
    return with_links(await service.list_serials(session, actor, asked), request.url.path)


router.include_router(record_router(service.levels))
router.include_router(movements)
