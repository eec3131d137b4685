"""`/api/v1/identity-reviews`: pairs of devices that may be one machine."""

from functools import partial
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Request

from fleetkeeper.database.request_session import Session
from fleetkeeper.devices.access import DevicesRead, DevicesWrite
from fleetkeeper.devices.identity import service
from fleetkeeper.devices.identity.queries import LISTING
from fleetkeeper.devices.identity.schemas import ReviewDecision, ReviewPage, ReviewRead
from fleetkeeper.error_handlers import problem_responses
from fleetkeeper.identity.access import ReasonGiven
from fleetkeeper.identity.exporting import add_export
from fleetkeeper.identity.permissions import Permission
from fleetkeeper.kit.clock import utc_now
from fleetkeeper.kit.list_query import ListParameters, listed_by
from fleetkeeper.kit.pagination import with_links

router = APIRouter(prefix="/identity-reviews", tags=["identity-reviews"])
add_export(
    router,
    "identity reviews",
    Permission.DEVICES_READ,
    ReviewRead,
    "identity_reviews",
    partial(service.list_reviews, is_counted=False),
)


@router.get("", responses=problem_responses(401, 403, 422))
async def list_reviews(
    request: Request,
    actor: DevicesRead,
    session: Session,
    asked: Annotated[ListParameters, listed_by(LISTING)],
) -> ReviewPage:
    """List pairs of devices that look like one machine, the most alike first."""
    return with_links(await service.list_reviews(session, actor, asked), request.url.path)


@router.get("/{key}", responses=problem_responses(401, 403, 404, 422))
async def get_review(key: UUID, actor: DevicesRead, session: Session) -> ReviewRead:
    """Get a pair, with what speaks for and against one machine."""
    return await service.get_review(session, actor, key)


@router.put("/{key}", responses=problem_responses(400, 401, 403, 404, 409, 422))
async def decide_review(
    key: UUID, wanted: ReviewDecision, actor: DevicesWrite, reason: ReasonGiven, session: Session
) -> ReviewRead:
    """Say that the two are different machines, or take that back, for a reason."""
    return await service.decide_review(session, actor, key, wanted, reason, utc_now())
