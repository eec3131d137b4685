"""The SQL of requests, and of who may decide."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    Select,
    String,
    and_,
    cast,
    exists,
    false,
    literal,
    or_,
    select,
    text,
    true,
)
from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.approvals.deciding import Authority, Vote
from fleetkeeper.approvals.models import ApprovalDecision, ApprovalDelegation, ApprovalRequest
from fleetkeeper.approvals.status import RequestState
from fleetkeeper.identity.actor import Scope
from fleetkeeper.identity.models import GroupMember, User
from fleetkeeper.identity.queries import held_roles
from fleetkeeper.kit.listing import Field, Listing

LISTING = Listing(
    fields={
        "status": Field(ApprovalRequest.status.expression, str, choices=tuple(RequestState)),
        "kind": Field(ApprovalRequest.kind.expression, str),
        "subject": Field(ApprovalRequest.subject_label.expression, str),
        "subject_id": Field(ApprovalRequest.subject_id.expression, str, sortable=False),
        "requested_by": Field(ApprovalRequest.requester_name.expression, str),
        "waiting_for": Field(literal("me"), str, sortable=False, choices=("me",)),
        "department_id": Field(ApprovalRequest.department_id.expression, UUID, sortable=False),
        "requested_at": Field(ApprovalRequest.requested_at.expression, datetime),
        "expires_at": Field(ApprovalRequest.expires_at.expression, datetime),
    },
    search=(
        ApprovalRequest.subject_label.expression,
        ApprovalRequest.reason.expression,
        ApprovalRequest.requester_name.expression,
    ),
    key=ApprovalRequest.id.expression,
    default_ordering="-requested_at",
)


async def authorities_of(session: AsyncSession, user_id: UUID, now: datetime) -> list[Authority]:
    """In whose names a user may decide now: their own, then those who delegated to them. None for one that is gone."""
    delegators = select(ApprovalDelegation.from_user_id).where(
        ApprovalDelegation.to_user_id == user_id,
        ApprovalDelegation.starts_at <= now,
        ApprovalDelegation.ends_at > now,
    )
    people = select(User.id, User.username).where(
        User.enabled, or_(User.id == user_id, User.id.in_(delegators))
    )
    found = {row.id: row.username for row in await session.execute(people)}
    if user_id not in found:
        return []
    groups: dict[UUID, set[str]] = defaultdict(set)
    members = select(GroupMember.user_id, GroupMember.group_id).where(GroupMember.user_id.in_(found))
    for row in await session.execute(members):
        groups[row.user_id].add(f"group:{row.group_id}")
    return [
        Authority(one, found[one], frozenset({f"user:{one}", *groups[one]}), await _roles_of(session, one))
        for one in sorted(found, key=lambda one: (one != user_id, found[one]))
    ]


async def _roles_of(session: AsyncSession, user_id: UUID) -> dict[str, Scope]:
    held = await held_roles(session, user_id)
    return {f"role:{role.id}": Scope(role.everywhere, role.departments) for role in held}


def names_one_of(keys: Any, authorities: Iterable[Authority]) -> ColumnElement[bool]:
    """Whether a request's keys name one of some people, who hold roles where they hold them."""
    conditions: list[ColumnElement[bool]] = [false()]
    for one in authorities:
        everywhere = {role for role, scope in one.roles.items() if scope.everywhere}
        conditions.append(_overlap(keys, {*one.keys, *everywhere}))
        conditions += [
            and_(_overlap(keys, {role}), ApprovalRequest.department_id.in_(scope.departments))
            for role, scope in one.roles.items()
            if not scope.everywhere
        ]
    return or_(*conditions)


def _overlap(keys: Any, others: Iterable[str]) -> ColumnElement[bool]:
    return keys.bool_op("&&")(cast(sorted(others), ARRAY(String(60))))  # type: ignore[no-any-return]


def visible_to(user_id: UUID | None, authorities: Sequence[Authority], scope: Scope) -> Select[Any]:
    """The requests of a user, those on which they may or did decide, and those of departments that they may read."""
    in_scope = true() if scope.everywhere else ApprovalRequest.department_id.in_(scope.departments)
    if user_id is None:
        return select(ApprovalRequest).where(in_scope)
    decided = select(ApprovalDecision.request_id).where(ApprovalDecision.user_id == user_id)
    return select(ApprovalRequest).where(
        or_(
            in_scope,
            ApprovalRequest.requester_id == user_id,
            names_one_of(ApprovalRequest.approvers, authorities),
            ApprovalRequest.id.in_(decided),
        )
    )


def waits_for(user_id: UUID | None, authorities: Sequence[Authority]) -> ColumnElement[bool]:
    """Whether a request waits for a user who has not decided on it as far as it is now."""
    decided = exists().where(
        ApprovalDecision.request_id == ApprovalRequest.id,
        ApprovalDecision.user_id == user_id,
        ApprovalDecision.level == ApprovalRequest.open_levels.any_(),
    )
    others = [one for one in authorities if one.id != user_id]
    return and_(
        ApprovalRequest.status == RequestState.PENDING,
        ApprovalRequest.requester_id != user_id,
        or_(
            names_one_of(ApprovalRequest.waits_for, [one for one in authorities if one.id == user_id]),
            # A delegation from the requester is no word of another person.
            *(
                and_(names_one_of(ApprovalRequest.waits_for, [one]), ApprovalRequest.requester_id != one.id)
                for one in others
            ),
        ),
        ~decided,
    )


async def votes_of(session: AsyncSession, request_id: UUID) -> list[Vote]:
    """The decisions on a request as the rules read them."""
    decisions = await decisions_of(session, [request_id])
    return [
        Vote(one.level, one.user_id, one.on_behalf_of_id or one.user_id, one.decision == "approve")
        for one in decisions
    ]


async def decisions_of(session: AsyncSession, request_ids: Sequence[UUID]) -> Sequence[ApprovalDecision]:
    """The decisions on requests, oldest first."""
    statement = select(ApprovalDecision).where(ApprovalDecision.request_id.in_(request_ids))
    return (await session.scalars(statement.order_by(ApprovalDecision.decided_at, ApprovalDecision.id))).all()


async def locked(session: AsyncSession, request_id: UUID) -> ApprovalRequest | None:
    """A request as it is now; nobody else changes it before the transaction ends."""
    return await session.get(ApprovalRequest, request_id, with_for_update=True, populate_existing=True)


async def departments_above(session: AsyncSession, department_id: UUID | None) -> frozenset[UUID]:
    """A department and all above it."""
    rows = await session.scalars(
        text(
            "WITH RECURSIVE above AS (SELECT id, parent_id FROM departments WHERE id = :id UNION "
            "SELECT d.id, d.parent_id FROM departments d JOIN above a ON d.id = a.parent_id) SELECT id FROM above"
        ),
        {"id": department_id},
    )
    return frozenset(rows)


# Roles of the people themselves, of their groups, and `manager` where somebody manages a department.
_PEOPLE = text(
    """
    WITH named AS (
        SELECT id FROM users WHERE 'user:' || id = ANY (:keys)
        UNION SELECT user_id FROM group_members WHERE 'group:' || group_id = ANY (:keys)
        UNION
        SELECT coalesce(m.user_id, g.user_id)
        FROM memberships m LEFT JOIN group_members g ON g.group_id = m.group_id
        WHERE 'role:' || m.role_id = ANY (:keys) AND (m.department_id IS NULL OR m.department_id = ANY (:above))
        UNION
        SELECT d.manager_id FROM departments d JOIN roles r ON r.name = 'manager' AND r.is_builtin
        WHERE 'role:' || r.id = ANY (:keys) AND d.id = ANY (:above)
    ), others AS (
        SELECT u.id FROM named n JOIN users u ON u.id = n.id AND u.enabled WHERE u.id IS DISTINCT FROM :requester
    )
    SELECT id, false AS stands_in FROM others
    UNION
    SELECT u.id, true FROM others o JOIN approval_delegations d ON d.from_user_id = o.id
    JOIN users u ON u.id = d.to_user_id AND u.enabled
    WHERE d.starts_at <= :now AND d.ends_at > :now AND u.id IS DISTINCT FROM :requester
    """
)


async def people_of(
    session: AsyncSession,
    keys: Iterable[str],
    department_id: UUID | None,
    requester_id: UUID | None,
    now: datetime,
) -> tuple[set[UUID], set[UUID]]:
    """All but the requester who may decide with these keys: those who are named, and those who stand in for them."""
    above = await departments_above(session, department_id)
    known = {"keys": sorted(keys), "above": sorted(above), "requester": requester_id, "now": now}
    rows = (await session.execute(_PEOPLE, known)).all()
    return {row.id for row in rows if not row.stands_in}, {row.id for row in rows if row.stands_in}


async def due(session: AsyncSession, now: datetime) -> Sequence[ApprovalRequest]:
    """The pending requests of which something is due, locked; those on which somebody decides just now are left out."""
    moments = (ApprovalRequest.expires_at, ApprovalRequest.reminds_at, ApprovalRequest.escalates_at)
    statement = select(ApprovalRequest).where(
        ApprovalRequest.status == RequestState.PENDING, or_(*(moment <= now for moment in moments))
    )
    return (await session.scalars(statement.with_for_update(skip_locked=True))).all()


async def left_over(session: AsyncSession, before: datetime) -> Sequence[ApprovalRequest]:
    """The requests that were approved before then and are not carried out, locked."""
    statement = select(ApprovalRequest).where(
        ApprovalRequest.status == RequestState.APPROVED, ApprovalRequest.decided_at < before
    )
    return (await session.scalars(statement.with_for_update(skip_locked=True))).all()
