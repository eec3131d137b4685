"""`/api/v1/orders`, their lines, receipts and history."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Request, Response

import fleetkeeper.orders.approving  # noqa: F401 - declares what may need approval
from fleetkeeper.database.request_session import Session
from fleetkeeper.error_handlers import problem_responses
from fleetkeeper.identity.access import public_origin
from fleetkeeper.kit.list_query import ListParameters, listed_by
from fleetkeeper.kit.pagination import with_links
from fleetkeeper.orders import items, queries, receiving, service
from fleetkeeper.orders.access import OrdersRead, OrdersWrite
from fleetkeeper.orders.calendar import to_calendar
from fleetkeeper.orders.deliveries import expected_deliveries
from fleetkeeper.orders.schemas import (
    ItemList,
    ItemRead,
    ItemWrite,
    OrderEventPage,
    OrderRead,
    ReceiptWrite,
)
from fleetkeeper.records.api import record_router

router = APIRouter(tags=["orders"])
CALENDAR = "text/calendar; charset=utf-8"
_WRITING = (400, 401, 403, 404, 409, 422)


@router.get(
    "/orders/{key}/items", summary="List an order's lines", responses=problem_responses(401, 403, 404, 422)
)
async def list_items(key: UUID, actor: OrdersRead, session: Session) -> ItemList:
    """List all lines of an order."""
    return await items.list_items(session, actor, key)


@router.post(
    "/orders/{key}/items",
    status_code=201,
    summary="Add a line to an order",
    responses=problem_responses(*_WRITING),
)
async def add_item(key: UUID, wanted: ItemWrite, actor: OrdersWrite, session: Session) -> ItemRead:
    """Add a line; an order that was submitted or approved is a draft again."""
    return await items.add_item(session, actor, key, wanted)


@router.put("/order-items/{key}", summary="Replace an order's line", responses=problem_responses(*_WRITING))
async def change_item(key: UUID, wanted: ItemWrite, actor: OrdersWrite, session: Session) -> ItemRead:
    """Change a line; an order that was submitted or approved is a draft again."""
    return await items.change_item(session, actor, key, wanted)


@router.delete(
    "/order-items/{key}",
    status_code=204,
    summary="Remove an order's line",
    responses=problem_responses(401, 403, 404, 409, 422),
)
async def remove_item(key: UUID, actor: OrdersWrite, session: Session) -> None:
    """Remove a line; an order that was submitted or approved is a draft again."""
    await items.remove_item(session, actor, key)


@router.post("/orders/{key}/receipts", summary="Receive an order", responses=problem_responses(*_WRITING))
async def receive(key: UUID, receipt: ReceiptWrite, actor: OrdersWrite, session: Session) -> OrderRead:
    """Book a delivery, whole or in part: all of it is booked, or nothing."""
    return await receiving.receive(session, actor, key, receipt)


@router.get(
    "/orders/{key}/history",
    summary="List what happened to an order",
    responses=problem_responses(401, 403, 404, 422),
)
async def list_events(
    request: Request,
    key: UUID,
    actor: OrdersRead,
    session: Session,
    asked: Annotated[ListParameters, listed_by(queries.EVENTS)],
) -> OrderEventPage:
    """List what happened to an order, the first thing first."""
    return with_links(await service.list_events(session, actor, key, asked), request.url.path)


@router.get(
    "/deliveries.ics",
    summary="Expected deliveries as a calendar",
    response_class=Response,
    responses={200: {"content": {CALENDAR: {}}}, **problem_responses(401, 403)},
)
async def get_calendar(request: Request, actor: OrdersRead, session: Session) -> Response:
    """Get the expected deliveries of orders that are under way as an iCalendar file: 1,000 at most."""
    expected = await expected_deliveries(session, actor, public_origin(request))
    return Response(to_calendar(expected), media_type=CALENDAR)


router.include_router(record_router(service.orders))
