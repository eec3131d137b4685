"""Deciding on requests, and reading them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, select
from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.approvals import queries
from fleetkeeper.approvals.deciding import (
    Authority,
    Level,
    Seat,
    Vote,
    find_seat,
    is_approved,
    levels_of,
    open_levels,
)
from fleetkeeper.approvals.events import tell_approvers, tell_requester
from fleetkeeper.approvals.kinds import KINDS
from fleetkeeper.approvals.models import ApprovalDecision, ApprovalRequest
from fleetkeeper.approvals.schemas import ApprovalDetail, ApprovalPage, ApprovalRead, DecisionRead
from fleetkeeper.approvals.status import REQUESTS, RequestState
from fleetkeeper.audit.recorder import record_event
from fleetkeeper.database.status_history import move
from fleetkeeper.errors import ConflictError, ForbiddenError, NotFoundError
from fleetkeeper.identity.actor import Actor
from fleetkeeper.identity.permissions import Permission
from fleetkeeper.jobs.service import enqueue
from fleetkeeper.kit.clock import utc_now
from fleetkeeper.kit.id_prefix import find_id

APPLY = "approvals.apply"
# More of one object would say nothing more.
_SHOWN = 5


async def list_requests(
    session: AsyncSession, actor: Actor, parameters: Sequence[tuple[str, str]]
) -> ApprovalPage:
    """One page of the requests that the actor may see; `waiting_for=me` and `requested_by=me` are their own."""
    person, authorities = await _standing(session, actor, utc_now())
    meant = {
        ("waiting_for", "me"): queries.waits_for(person, authorities),
        ("requested_by", "me"): ApprovalRequest.requester_id == actor.user_id,
    }
    visible = queries.visible_to(person, authorities, actor.scope(Permission.APPROVALS_READ))
    return await queries.LISTING.read(
        session, visible, parameters, ApprovalPage, lambda row: read(row[0]), meant=meant
    )


async def get_request(session: AsyncSession, actor: Actor, request_id: UUID) -> ApprovalDetail:
    """One request with its decisions. Raises NotFoundError for one that the actor may not see."""
    request, authorities = await _visible(session, actor, request_id)
    decisions = await queries.decisions_of(session, [request_id])
    levels, votes = _levels(request), await queries.votes_of(session, request_id)
    is_pending = request.status == RequestState.PENDING
    return ApprovalDetail(
        **read(request).model_dump(),
        decisions=[DecisionRead.model_validate(one) for one in decisions],
        open_levels=request.open_levels,
        can_decide=is_pending and _seat(request, levels, votes, actor, authorities) is not None,
        can_cancel=is_pending and actor.user_id is not None and actor.user_id == request.requester_id,
    )


async def pending_about(session: AsyncSession, subject_type: str, subject_id: str) -> list[ApprovalRead]:
    """The requests about an object that wait, oldest first, for whoever may see the object."""
    asked = (
        select(ApprovalRequest)
        .where(
            ApprovalRequest.status == RequestState.PENDING,
            ApprovalRequest.subject_type == subject_type,
            ApprovalRequest.subject_id == subject_id,
        )
        .order_by(ApprovalRequest.requested_at)
        .limit(_SHOWN)
    )
    return [read(one) for one in await session.scalars(asked)]


async def find_request(session: AsyncSession, beginning: str) -> UUID:
    """A request by its ID, or by a beginning that no other has. Raises NotFoundError, InvalidInputError."""
    return await find_id(
        session, select(ApprovalRequest.id), ApprovalRequest.id.expression, beginning, "approval request"
    )


async def approve(session: AsyncSession, actor: Actor, request_id: UUID, comment: str = "") -> ApprovalDetail:
    """Approve a request; once each level has enough approvals a job carries it out.

    Raises NotFoundError, ForbiddenError for one whose word does not count, ConflictError for one that is decided.
    """
    request, seat = await _take_seat(session, actor, request_id)
    votes = [
        *await queries.votes_of(session, request_id),
        await _vote(session, actor, request, seat, "approve", comment),
    ]
    levels = _levels(request)
    if is_approved(levels, votes):
        _close(request)
        await move(session, REQUESTS, request, RequestState.APPROVED, reason=comment)
        await enqueue(session, APPLY, key=str(request.id), request=str(request.id))
        await tell_requester(session, request, comment)
    else:
        await _wait_on(session, request, levels, votes)
    return await get_request(session, actor, request_id)


async def reject(session: AsyncSession, actor: Actor, request_id: UUID, comment: str) -> ApprovalDetail:
    """Reject a request: one no ends it. Raises what `approve` raises."""
    request, seat = await _take_seat(session, actor, request_id)
    await _vote(session, actor, request, seat, "reject", comment)
    await end(session, request, RequestState.REJECTED, comment)
    return await get_request(session, actor, request_id)


async def cancel(session: AsyncSession, actor: Actor, request_id: UUID, comment: str = "") -> ApprovalDetail:
    """Take one's own request back. Raises NotFoundError, ForbiddenError, ConflictError."""
    await _visible(session, actor, request_id)
    request = await _locked(session, request_id)
    if actor.user_id is None or actor.user_id != request.requester_id:
        raise ForbiddenError("Only the person who made this request can cancel it.")
    REQUESTS.check(RequestState(request.status), RequestState.CANCELLED)
    _close(request)
    await move(session, REQUESTS, request, RequestState.CANCELLED, reason=comment)
    await tell_room(session, request, RequestState.CANCELLED, comment)
    return await get_request(session, actor, request_id)


async def end(session: AsyncSession, request: ApprovalRequest, state: RequestState, comment: str) -> None:
    """End a locked request without carrying it out, and tell the requester. Raises ConflictError."""
    _close(request)
    await move(session, REQUESTS, request, state, reason=comment)
    await tell_room(session, request, state, comment)
    await tell_requester(session, request, comment)


async def withdraw(session: AsyncSession, subject_type: str, subject_id: str, why: str) -> None:
    """End what waits about an object that has become another, or is gone; requesters are told."""
    waiting = select(ApprovalRequest).where(
        ApprovalRequest.status == RequestState.PENDING,
        ApprovalRequest.subject_type == subject_type,
        ApprovalRequest.subject_id == subject_id,
    )
    for request in (await session.scalars(waiting.with_for_update())).all():
        await end(session, request, RequestState.CANCELLED, why)


async def tell_room(
    session: AsyncSession, request: ApprovalRequest, state: RequestState, comment: str
) -> None:
    """Let the room that asked know that a request ended without being carried out."""
    kind = KINDS.get(request.kind)
    if kind is not None and kind.ended is not None:
        await kind.ended(session, request.payload, state, comment)


def read(request: ApprovalRequest) -> ApprovalRead:
    """A request as the API has it."""
    kind = KINDS.get(request.kind)
    found = ApprovalRead.model_validate(request)
    return found.model_copy(update={"title": kind.title if kind else request.kind})


def _close(request: ApprovalRequest) -> None:
    request.decided_at, request.waits_for, request.open_levels = utc_now(), [], []


async def _take_seat(session: AsyncSession, actor: Actor, request_id: UUID) -> tuple[ApprovalRequest, Seat]:
    """The request, locked, and where the actor's word counts now, for groups and roles may have changed."""
    await _visible(session, actor, request_id)
    request = await _locked(session, request_id)
    now = utc_now()
    _, authorities = await _standing(session, actor, now)
    votes = await queries.votes_of(session, request_id)
    REQUESTS.check(RequestState(request.status), RequestState.APPROVED)
    if request.expires_at <= now:
        raise ConflictError("This request has expired.")
    if actor.user_id is not None and actor.user_id == request.requester_id:
        raise ForbiddenError("You made this request, so somebody else must decide on it.")
    seat = _seat(request, _levels(request), votes, actor, authorities)
    if seat is None and any(vote.user_id == actor.user_id for vote in votes):
        raise ConflictError("You have already decided on this request.")
    if seat is None:
        raise ForbiddenError("You are not an approver of this request, or it is not your turn yet.")
    return request, seat


async def _vote(
    session: AsyncSession, actor: Actor, request: ApprovalRequest, seat: Seat, decision: str, comment: str
) -> Vote:
    stands_in = seat.authority.id != actor.user_id
    made = ApprovalDecision(
        request_id=request.id,
        level=seat.level,
        user_id=actor.user_id,
        user_name=actor.name,
        on_behalf_of_id=seat.authority.id if stands_in else None,
        on_behalf_of_name=seat.authority.name if stands_in else "",
        decision=decision,
        comment=comment,
        decided_at=utc_now(),
    )
    session.add(made)
    await session.flush()
    await record_event(
        session,
        f"approvals.{decision}",
        "approval_requests",
        str(request.id),
        request.subject_label,
        details={
            "level": seat.level + 1,
            "decided_by": actor.name,
            "on_behalf_of": made.on_behalf_of_name,
            "comment": comment,
        },
    )
    return Vote(seat.level, actor.user_id, seat.authority.id, decision == "approve")


async def _wait_on(
    session: AsyncSession, request: ApprovalRequest, levels: Sequence[Level], votes: Sequence[Vote]
) -> None:
    """Wait for the levels that lack approvals now, and tell those whose turn begins."""
    numbers = open_levels(levels, votes, in_sequence=_in_sequence(request))
    waits_for = frozenset().union(*(levels[number].approvers for number in numbers))
    begun = waits_for - frozenset(request.waits_for)
    request.waits_for, request.open_levels = sorted(waits_for), numbers
    await session.flush()
    if begun:
        named, standing_in = await queries.people_of(
            session, begun, request.department_id, request.requester_id, utc_now()
        )
        await tell_approvers(session, "approvals.requested", request, named | standing_in)


async def _visible(
    session: AsyncSession, actor: Actor, request_id: UUID
) -> tuple[ApprovalRequest, list[Authority]]:
    person, authorities = await _standing(session, actor, utc_now())
    visible: Select[Any] = queries.visible_to(person, authorities, actor.scope(Permission.APPROVALS_READ))
    request: ApprovalRequest | None = await session.scalar(visible.where(ApprovalRequest.id == request_id))
    if request is None:
        raise NotFoundError("There is no such approval request.")
    return request, authorities


async def _standing(
    session: AsyncSession, actor: Actor, now: datetime
) -> tuple[UUID | None, list[Authority]]:
    """The person that an actor is, and in whose names they decide; a token for some things only is no person."""
    limits = actor.limits
    if actor.user_id is None or limits.permissions is not None or limits.departments is not None:
        return None, []
    return actor.user_id, await queries.authorities_of(session, actor.user_id, now)


async def _locked(session: AsyncSession, request_id: UUID) -> ApprovalRequest:
    request = await queries.locked(session, request_id)
    if request is None:
        raise NotFoundError("There is no such approval request.")
    return request


def _levels(request: ApprovalRequest) -> list[Level]:
    return levels_of(request.rule, is_escalated=request.is_escalated)


def _in_sequence(request: ApprovalRequest) -> bool:
    return bool(request.rule["mode"] == "sequence")


def _seat(
    request: ApprovalRequest,
    levels: Sequence[Level],
    votes: Sequence[Vote],
    actor: Actor,
    authorities: Sequence[Authority],
) -> Seat | None:
    if actor.user_id is None:
        return None
    return find_seat(
        levels,
        votes,
        in_sequence=_in_sequence(request),
        department_id=request.department_id,
        requester_id=request.requester_id,
        user_id=actor.user_id,
        authorities=authorities,
    )
