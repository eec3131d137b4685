"""`/api/v1/order-proposals`, `/stock-forecasts`, and taking a suggested reorder point."""

from functools import partial
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Request

from fleetkeeper.database.request_session import Session
from fleetkeeper.error_handlers import problem_responses
from fleetkeeper.identity.access import ReasonGiven, reason_given
from fleetkeeper.identity.exporting import add_export
from fleetkeeper.jobs.schemas import RunAsked
from fleetkeeper.kit.bulk import BulkResult
from fleetkeeper.kit.list_query import ListParameters, listed_by
from fleetkeeper.kit.pagination import with_links
from fleetkeeper.replenishment import forecasts, queries, service
from fleetkeeper.replenishment.access import ForecastsRead, ProposalsRead, ProposalsWrite, StockWrite
from fleetkeeper.replenishment.ordering import order_many
from fleetkeeper.replenishment.schemas import (
    ProposalPage,
    ProposalRead,
    ProposalRun,
    ProposalSelection,
    StockForecastList,
)
from fleetkeeper.replenishment.service import proposals
from fleetkeeper.stock.levels.schemas import LevelRead

router = APIRouter()
_proposals = APIRouter(prefix="/order-proposals", tags=["order-proposals"])
add_export(
    _proposals,
    "order proposals",
    proposals.read,
    ProposalRead,
    proposals.table,
    partial(proposals.list, is_counted=False),
)


@_proposals.get("", summary="List order proposals", responses=problem_responses(401, 403, 422))
async def list_proposals(
    request: Request,
    actor: ProposalsRead,
    session: Session,
    asked: Annotated[ListParameters, listed_by(queries.LISTING)],
) -> ProposalPage:
    """List what to order, and why, the newest first."""
    return with_links(await proposals.list(session, actor, asked), request.url.path)


@_proposals.post(
    "/runs",
    status_code=202,
    summary="Propose orders now",
    responses=problem_responses(400, 401, 403, 422),
)
async def run(actor: ProposalsWrite, session: Session) -> RunAsked:
    """Look through stock as soon as a worker can, as each night."""
    del actor
    return await service.ask_for_run(session)


@_proposals.get("/runs/newest", summary="Get the newest run", responses=problem_responses(401, 403))
async def newest_run(actor: ProposalsRead, session: Session) -> ProposalRun | None:
    """Get how far the newest look through stock is; null before the first."""
    del actor
    return await service.newest_look(session)


@_proposals.post(
    "/bulk-order",
    summary="Make draft orders of many proposals",
    responses=problem_responses(400, 401, 403, 422),
)
async def order_proposals(wanted: ProposalSelection, actor: ProposalsWrite, session: Session) -> BulkResult:
    """Make a draft order for each supplier and location. Each proposal has its own result."""
    return await order_many(session, actor, wanted, dry_run=wanted.dry_run)


@_proposals.post(
    "/bulk-dismiss", summary="Dismiss many proposals", responses=problem_responses(400, 401, 403, 422)
)
async def dismiss_proposals(
    request: Request, wanted: ProposalSelection, actor: ProposalsWrite, session: Session
) -> BulkResult:
    """Dismiss proposals, for a reason. With `dry_run` nothing changes, and no reason is needed."""
    reason = "" if wanted.dry_run else await reason_given(request)
    return await service.dismiss_many(session, actor, wanted, reason, dry_run=wanted.dry_run)


@_proposals.get("/{key}", summary="Get an order proposal", responses=problem_responses(401, 403, 404, 422))
async def get_proposal(key: UUID, actor: ProposalsRead, session: Session) -> ProposalRead:
    """Get one proposal with its reasons."""
    return await proposals.get(session, actor, key)


@_proposals.post(
    "/{key}/dismiss",
    summary="Dismiss an order proposal",
    responses=problem_responses(401, 403, 404, 409, 422),
)
async def dismiss_proposal(
    key: UUID, actor: ProposalsWrite, reason: ReasonGiven, session: Session
) -> ProposalRead:
    """Dismiss a proposal, for a reason: it stays away for 30 days, unless stock falls further."""
    return await service.dismiss(session, actor, key, reason)


@router.get(
    "/stock-forecasts",
    tags=["stock"],
    summary="Forecast the demand for a part",
    responses=problem_responses(401, 403, 404, 422),
)
async def list_forecasts(
    part_id: UUID,
    actor: ForecastsRead,
    session: Session,
    location_id: UUID | None = None,
    variant_id: UUID | None = None,
) -> StockForecastList:
    """Get weekly demand, forecast, lead time and suggested reorder point of a part at each location, with reasons."""
    return await forecasts.list_forecasts(session, actor, part_id, location_id, variant_id)


@router.post(
    "/inventory/{key}/take-suggestion",
    tags=["inventory"],
    summary="Take the suggested reorder point",
    responses=problem_responses(401, 403, 404, 409, 422),
)
async def take_suggestion(key: UUID, actor: StockWrite, session: Session) -> LevelRead:
    """Set the reorder point that is suggested for a part at a location."""
    return await forecasts.take_suggestion(session, actor, key)


router.include_router(_proposals)
