"""`/api/v1/notification-deliveries`: the delivery log."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Request

from fleetkeeper.database.request_session import Session
from fleetkeeper.error_handlers import problem_responses
from fleetkeeper.kit.list_query import ListParameters, listed_by
from fleetkeeper.kit.pagination import with_links
from fleetkeeper.notifications.access import NotificationsRead, NotificationsWrite
from fleetkeeper.notifications.deliveries import service
from fleetkeeper.notifications.deliveries.queries import LISTING as DELIVERIES_LISTING
from fleetkeeper.notifications.deliveries.schemas import DeliveryPage, DeliveryRead

router = APIRouter(prefix="/notification-deliveries", tags=["notifications"])
DeliveriesQuery = Annotated[ListParameters, listed_by(DELIVERIES_LISTING)]


@router.get("", responses=problem_responses(401, 403, 422))
async def list_deliveries(
    request: Request, actor: NotificationsRead, session: Session, asked: DeliveriesQuery
) -> DeliveryPage:
    """List deliveries, newest first."""
    page = await service.list_deliveries(session, actor, asked)
    return with_links(page, request.url.path)


@router.get("/{delivery_id}", responses=problem_responses(401, 403, 404, 422))
async def get_delivery(delivery_id: UUID, actor: NotificationsRead, session: Session) -> DeliveryRead:
    """Get one delivery."""
    return await service.get_delivery(session, actor, delivery_id)


@router.post("/{delivery_id}/replay", status_code=202, responses=problem_responses(401, 403, 404, 409, 422))
async def replay_delivery(delivery_id: UUID, actor: NotificationsWrite, session: Session) -> DeliveryRead:
    """Send a delivery that is over once more."""
    return await service.replay(session, actor, delivery_id)
