"""`/api/v1/notifications`: what one has to read oneself."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Request

from fleetkeeper.database.request_session import Session
from fleetkeeper.error_handlers import problem_responses
from fleetkeeper.identity.access import SignedIn
from fleetkeeper.kit.list_query import ListParameters, listed_by
from fleetkeeper.kit.pagination import with_links
from fleetkeeper.notifications.inbox import service
from fleetkeeper.notifications.inbox.schemas import MarkedRead, NotificationPage, NotificationRead
from fleetkeeper.notifications.inbox.service import LISTING as NOTIFICATIONS_LISTING

router = APIRouter(prefix="/notifications", tags=["notifications"])
NotificationsQuery = Annotated[ListParameters, listed_by(NOTIFICATIONS_LISTING)]


@router.get("", responses=problem_responses(401, 422))
async def list_notifications(
    request: Request, actor: SignedIn, session: Session, asked: NotificationsQuery
) -> NotificationPage:
    """List your own notifications, newest first; `read_at__isnull=true` are the unread ones."""
    page = await service.list_notifications(session, actor, asked)
    return with_links(page, request.url.path)


@router.post("/read", responses=problem_responses(401))
async def mark_all_read(actor: SignedIn, session: Session) -> MarkedRead:
    """Mark all your notifications as read."""
    return await service.mark_all_read(session, actor)


@router.post("/{notification_id}/read", responses=problem_responses(401, 404, 422))
async def mark_read(notification_id: UUID, actor: SignedIn, session: Session) -> NotificationRead:
    """Mark one of your notifications as read."""
    return await service.mark_read(session, actor, notification_id)
