"""The worker's part: what was approved is carried out, and what nobody decides on is escalated and expires."""

from datetime import timedelta
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.approvals import queries
from fleetkeeper.approvals.deciding import keys_of, levels_of
from fleetkeeper.approvals.events import tell_approvers, tell_requester
from fleetkeeper.approvals.kinds import KINDS
from fleetkeeper.approvals.models import ApprovalRequest
from fleetkeeper.approvals.service import APPLY, end, tell_room
from fleetkeeper.approvals.status import REQUESTS, RequestState
from fleetkeeper.database.context import product_context
from fleetkeeper.database.engine import Database
from fleetkeeper.database.status_history import move
from fleetkeeper.errors import FleetkeeperError
from fleetkeeper.identity.acting import context_of_actor
from fleetkeeper.identity.service import actor_of_user_id
from fleetkeeper.jobs.declaring import job
from fleetkeeper.jobs.run import Run
from fleetkeeper.kit.clock import utc_now

EXPIRE = "approvals.expire"
# Longer than a job is tried again.
CARRIED_OUT_WITHIN = timedelta(days=1)
_REFUSED = "The requester's account is gone or disabled."


@job(APPLY, "Carry out an approved action")
async def apply(run: Run) -> None:
    """Carry out what was approved."""
    run.outcome["status"] = await apply_request(run.database, UUID(run.args["request"]))


async def apply_request(database: Database, request_id: UUID) -> str:
    """Carry out an approved action as its requester, within what they may do now; returns the request's status.

    Action and status are one transaction, so that a worker which dies leaves both undone. What the action refuses
    makes the request fail; other errors are raised, so that the job is tried again.
    """
    async with database.session(product_context("job", APPLY)) as session:
        request = await session.get(ApprovalRequest, request_id)
        requester_id = request.requester_id if request is not None else None
        actor = await actor_of_user_id(session, requester_id) if requester_id is not None else None
    if actor is None or request is None:
        return await _fail(database, request_id, _REFUSED)
    context = context_of_actor(actor, {"reason": request.reason})
    try:
        async with database.session(context) as session:
            request = await queries.locked(session, request_id)
            if request is None or request.status != RequestState.APPROVED:
                return request.status if request is not None else ""
            await KINDS[request.kind].apply(session, actor, request.payload, request.reason)
            await move(session, REQUESTS, request, RequestState.APPLIED)
            return request.status
    except FleetkeeperError as error:
        return await _fail(database, request_id, error.detail)


async def _fail(database: Database, request_id: UUID, problem: str) -> str:
    async with database.session(product_context("job", APPLY)) as session:
        request = await queries.locked(session, request_id)
        if request is None or request.status != RequestState.APPROVED:
            return request.status if request is not None else ""
        await _end_as_failed(session, request, problem)
        return request.status


async def _end_as_failed(session: AsyncSession, request: ApprovalRequest, problem: str) -> None:
    request.problem = problem[:500]
    await move(session, REQUESTS, request, RequestState.FAILED, reason=problem)
    await tell_room(session, request, RequestState.FAILED, problem)
    await tell_requester(session, request, problem)


@job(EXPIRE, "Expire and escalate approval requests", cron="*/5 * * * *", is_quiet=True)
async def expire(run: Run) -> None:
    """See to requests that nobody decides on."""
    async with run.database.session(product_context("job", EXPIRE)) as session:
        await see_to_open_requests(session)


async def see_to_open_requests(session: AsyncSession) -> None:
    """End requests whose time is over, let others decide on those that escalate, and remind of those that end soon.

    What was approved and whose job failed for good ends as well: nobody tries it again.
    """
    now = utc_now()
    for request in await queries.due(session, now):
        if request.expires_at <= now:
            await end(session, request, RequestState.EXPIRED, "Nobody decided in time.")
            continue
        if request.escalates_at is not None and request.escalates_at <= now:
            await _escalate(session, request)
        if request.reminds_at is not None and request.reminds_at <= now:
            request.reminds_at = None
            await _tell(session, "approvals.expiring", request, frozenset(request.waits_for))
    for request in await queries.left_over(session, now - CARRIED_OUT_WITHIN):
        await _end_as_failed(session, request, "It was not carried out within a day; its job failed.")


async def _escalate(session: AsyncSession, request: ApprovalRequest) -> None:
    request.escalates_at, request.is_escalated = None, True
    others = keys_of(request.rule["escalation"])
    levels = levels_of(request.rule, is_escalated=True)
    request.approvers = sorted(frozenset().union(*(level.approvers for level in levels)))
    request.waits_for = sorted({*request.waits_for, *others})
    await _tell(session, "approvals.escalated", request, others)


async def _tell(session: AsyncSession, event: str, request: ApprovalRequest, keys: frozenset[str]) -> None:
    await session.flush()
    named, standing_in = await queries.people_of(
        session, keys, request.department_id, request.requester_id, utc_now()
    )
    await tell_approvers(session, event, request, named | standing_in)
