"""How rooms ask whether an action must wait for approval, and hand it over if so."""

import hashlib
import json
from collections.abc import Iterable
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.approvals import queries
from fleetkeeper.approvals.deciding import levels_of, open_levels
from fleetkeeper.approvals.events import tell_approvers
from fleetkeeper.approvals.kinds import KINDS, Action
from fleetkeeper.approvals.models import ApprovalRequest, ApprovalRule
from fleetkeeper.approvals.schemas import ApprovalRead
from fleetkeeper.approvals.service import end, read
from fleetkeeper.approvals.status import RequestState
from fleetkeeper.database.constraints import told_by_name
from fleetkeeper.errors import ConflictError, NotFoundError
from fleetkeeper.identity.actor import Actor
from fleetkeeper.kit.clock import utc_now
from fleetkeeper.kit.ids import uuid7

# Approvers are reminded when this share of a request's time is left.
_REMINDED_AT = 0.25


async def has_rules(session: AsyncSession, actor: Actor, kind: str) -> bool:
    """Whether any rule is about a kind, and so whether its amount is worth counting."""
    found = select(ApprovalRule.id).where(ApprovalRule.kind == kind, ApprovalRule.enabled).limit(1)
    return actor.user_id is not None and await session.scalar(found) is not None


async def needs_approval(
    session: AsyncSession, actor: Actor, kind: str, *, department_id: UUID | None, amount: float
) -> ApprovalRule | None:
    """The rule by which an action must wait; None where it may happen at once.

    The product itself, and commands on its machine, wait for nobody.
    """
    if actor.user_id is None:
        return None
    statement = select(ApprovalRule).where(ApprovalRule.kind == kind, ApprovalRule.enabled)
    rules = (await session.scalars(statement.order_by(ApprovalRule.position, ApprovalRule.id))).all()
    if not rules:
        return None
    above = await queries.departments_above(session, department_id)
    return applying_rule(rules, above, amount)


def applying_rule(
    rules: Iterable[ApprovalRule], above: frozenset[UUID], amount: float
) -> ApprovalRule | None:
    """The first rule for an amount in a department; `above` are that department and those above it. Pure."""
    fitting = (
        rule
        for rule in rules
        if (rule.department_id is None or rule.department_id in above)
        and (rule.threshold is None or amount >= rule.threshold)
    )
    return next(fitting, None)


async def ask_if_needed(session: AsyncSession, actor: Actor, action: Action) -> ApprovalRead | None:
    """Hand an action over for approval if a rule wants that; None where the caller does it at once.

    Whoever asks for the same again gets the request that waits. Raises ConflictError where nobody could approve.
    """
    rule = await needs_approval(
        session, actor, action.kind, department_id=action.department_id, amount=action.amount
    )
    if rule is None:
        return None
    same = select(ApprovalRequest).where(
        ApprovalRequest.requester_id == actor.user_id,
        ApprovalRequest.digest == digest_of(action),
        ApprovalRequest.status == RequestState.PENDING,
    )
    present = await session.scalar(same)
    return read(present if present is not None else await _request(session, actor, action, rule))


async def revise(
    session: AsyncSession, actor: Actor, request_id: UUID, action: Action
) -> ApprovalRead | None:
    """Ask for something else in the place of a request of one's own: the decisions on it count no longer.

    What asks for the same changes nothing. None where the action may happen at once. Raises NotFoundError,
    ConflictError.
    """
    request = await queries.locked(session, request_id)
    if request is None or request.requester_id != actor.user_id:
        raise NotFoundError("There is no such approval request.")
    if request.digest == digest_of(action) and request.status == RequestState.PENDING:
        return read(request)
    await end(session, request, RequestState.SUPERSEDED, "Something else was requested in its place.")
    rule = await needs_approval(
        session, actor, action.kind, department_id=action.department_id, amount=action.amount
    )
    return None if rule is None else read(await _request(session, actor, action, rule, request_id))


def digest_of(action: Action) -> str:
    """What makes two actions the same: kind, subject and payload. SHA-256 in hexadecimal. Pure."""
    parts = [action.kind, action.subject_type, action.subject_id, action.payload]
    return hashlib.sha256(json.dumps(parts, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


async def _request(
    session: AsyncSession,
    actor: Actor,
    action: Action,
    rule: ApprovalRule,
    supersedes_id: UUID | None = None,
) -> ApprovalRequest:
    now, lifetime = utc_now(), timedelta(hours=rule.expires_hours)
    snapshot = snapshot_of(rule)
    levels = levels_of(snapshot, is_escalated=False)
    first = open_levels(levels, [], in_sequence=rule.mode == "sequence")
    waits_for = frozenset().union(*(levels[number].approvers for number in first))
    for level in levels:
        named, standing_in = await queries.people_of(
            session, level.approvers, action.department_id, actor.user_id, now
        )
        if len(named) < level.minimum:
            raise ConflictError(
                f"The approval rule “{rule.name}” needs more approvers than there are besides you. "
                "Ask an administrator to change the rule."
            )
    request = ApprovalRequest(
        id=uuid7(),
        kind=action.kind,
        subject_type=action.subject_type,
        subject_id=action.subject_id,
        subject_label=action.subject_label[:255],
        subject_href=action.subject_href,
        facts=[list(pair) for pair in KINDS[action.kind].describe(action.payload)],
        payload=dict(action.payload),
        digest=digest_of(action),
        amount=action.amount,
        department_id=action.department_id,
        requester_id=actor.user_id,
        requester_name=actor.name,
        reason=action.reason[:500],
        rule=snapshot,
        approvers=sorted(frozenset().union(*(level.approvers for level in levels))),
        waits_for=sorted(waits_for),
        open_levels=first,
        supersedes_id=supersedes_id,
        expires_at=now + lifetime,
        reminds_at=now + lifetime * (1 - _REMINDED_AT),
        escalates_at=now + timedelta(hours=rule.escalation_hours) if rule.escalation_hours else None,
    )
    async with told_by_name(session):
        session.add(request)
    await session.refresh(request)
    named, standing_in = await queries.people_of(session, waits_for, action.department_id, actor.user_id, now)
    await tell_approvers(session, "approvals.requested", request, named | standing_in)
    return request


def snapshot_of(rule: ApprovalRule) -> dict[str, Any]:
    """What a request keeps of its rule."""
    names = ("name", "mode", "levels", "threshold", "escalation", "escalation_hours")
    return {"id": str(rule.id), **{name: getattr(rule, name) for name in names}}
