"""Delegating one's approvals to somebody else for a while."""

from datetime import timedelta
from uuid import UUID

from sqlalchemy import or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from fleetkeeper.approvals.delegations.schemas import DelegationCreate, DelegationRead
from fleetkeeper.approvals.models import ApprovalDelegation
from fleetkeeper.errors import FieldError, ForbiddenError, InvalidInputError, NotFoundError
from fleetkeeper.identity.actor import Actor
from fleetkeeper.identity.authority import check_acts_for_account
from fleetkeeper.identity.models import User
from fleetkeeper.identity.queries import find_user
from fleetkeeper.kit.clock import utc_now
from fleetkeeper.kit.ids import uuid7

LONGEST = timedelta(days=366)
_MOST = 100


async def list_delegations(session: AsyncSession, actor: Actor) -> list[DelegationRead]:
    """The delegations of and to the actor that are not over, the next to end first."""
    giver, taker = aliased(User), aliased(User)
    statement = (
        select(ApprovalDelegation, giver.username, taker.username)
        .join(giver, giver.id == ApprovalDelegation.from_user_id)
        .join(taker, taker.id == ApprovalDelegation.to_user_id)
        .where(
            or_(
                ApprovalDelegation.from_user_id == actor.user_id,
                ApprovalDelegation.to_user_id == actor.user_id,
            ),
            ApprovalDelegation.ends_at > utc_now(),
        )
        .order_by(ApprovalDelegation.ends_at, ApprovalDelegation.id)
        .limit(_MOST)
    )
    return [
        DelegationRead(
            id=one.id,
            from_user=from_user,
            to_user=to_user,
            is_own=one.from_user_id == actor.user_id,
            starts_at=one.starts_at,
            ends_at=one.ends_at,
        )
        for one, from_user, to_user in await session.execute(statement)
    ]


async def delegate(session: AsyncSession, actor: Actor, wanted: DelegationCreate) -> DelegationRead:
    """Let somebody decide in one's place. Raises InvalidInputError, ForbiddenError."""
    check_acts_for_account(actor)
    if actor.user_id is None:
        raise ForbiddenError("Only a user can delegate approvals.")
    now = utc_now()
    starts_at = wanted.starts_at or now
    user = await find_user(session, wanted.to_user)
    problems = []
    if user is None or not user.enabled:
        problems.append(FieldError("to_user", "Must be the name of a user who can sign in"))
    elif user.id == actor.user_id:
        problems.append(FieldError("to_user", "Must be somebody else"))
    if wanted.ends_at <= max(starts_at, now):
        problems.append(FieldError("ends_at", "Must be in the future and after the start"))
    elif wanted.ends_at - starts_at > LONGEST:
        problems.append(FieldError("ends_at", f"Must be at most {LONGEST.days} days after the start"))
    if problems or user is None:
        raise InvalidInputError("Nothing was delegated.", fields=problems)
    made = ApprovalDelegation(
        id=uuid7(),
        from_user_id=actor.user_id,
        to_user_id=user.id,
        starts_at=starts_at,
        ends_at=wanted.ends_at,
    )
    session.add(made)
    await session.flush()
    return DelegationRead(
        id=made.id,
        from_user=actor.name,
        to_user=user.username,
        is_own=True,
        starts_at=starts_at,
        ends_at=wanted.ends_at,
    )


async def end_delegation(session: AsyncSession, actor: Actor, delegation_id: UUID) -> None:
    """End a delegation of one's own, or one that one stands in by. Raises NotFoundError, ForbiddenError."""
    check_acts_for_account(actor)
    found = await session.get(ApprovalDelegation, delegation_id)
    if found is None or actor.user_id not in {found.from_user_id, found.to_user_id}:
        raise NotFoundError("There is no such delegation.")
    await session.delete(found)
    await session.flush()
