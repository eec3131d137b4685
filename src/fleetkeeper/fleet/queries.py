"""The SQL of enrollment tokens and agents."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, exists, func, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.devices.keys import is_good
from fleetkeeper.devices.models import Device, DeviceKey
from fleetkeeper.devices.queries import STATUSES
from fleetkeeper.devices.queries import visible_to as devices_visible_to
from fleetkeeper.fleet.models import Agent, EnrollmentToken
from fleetkeeper.fleet.status import STATE, EnrollmentTokenState
from fleetkeeper.identity.actor import Actor
from fleetkeeper.identity.permissions import Permission
from fleetkeeper.kit.clock import utc_now
from fleetkeeper.kit.listing import Field, Listing

TOKENS = Listing(
    fields={
        "name": Field(EnrollmentToken.name.expression, str),
        "state": Field(STATE, str, sortable=False, choices=tuple(EnrollmentTokenState)),
        "created_at": Field(EnrollmentToken.created_at.expression, datetime),
        "expires_at": Field(EnrollmentToken.expires_at.expression, datetime),
    },
    search=(EnrollmentToken.name.expression,),
    key=EnrollmentToken.id.expression,
    default_ordering="-created_at",
)

AGENTS = Listing(
    fields={
        "device_id": Field(Agent.device_id.expression, UUID, sortable=False),
        "device_name": Field(Device.name.expression, str),
        "status": Field(Device.status.expression, str, choices=STATUSES),
        "version": Field(Agent.version.expression, str, null_as="''"),
        "enrolled_at": Field(Agent.enrolled_at.expression, datetime),
    },
    search=(Device.search_text.expression,),
    key=Agent.device_id.expression,
    default_ordering="-enrolled_at",
)


def agents_visible_to(actor: Actor) -> Select[Agent, Device, bool]:
    """Agents on devices that the actor may see, and whether each has a key that is accepted."""
    key = exists().where(DeviceKey.device_id == Agent.device_id, is_good(utc_now()))
    return (
        devices_visible_to(actor)
        .join(Agent, Agent.device_id == Device.id)
        .with_only_columns(Agent, Device, key)
    )


def tokens_visible_to(actor: Actor) -> Select[Any]:
    """Enrollment tokens of departments where the actor may see how devices join."""
    scope = actor.scope(Permission.ENROLLMENT_READ)
    if scope.everywhere:
        return select(EnrollmentToken)
    return select(EnrollmentToken).where(EnrollmentToken.department_id.in_(sorted(scope.departments)))


async def use_token(
    session: AsyncSession, secret_hash: bytes, now: datetime, address: str
) -> tuple[UUID, UUID | None, UUID | None] | None:
    """Count one use of a token that is still good; returns its id, department and device.

    One statement, so that two racers cannot share the last use.
    """
    outcome = await session.execute(
        update(EnrollmentToken)
        .where(
            EnrollmentToken.secret_hash == secret_hash,
            EnrollmentToken.revoked_at.is_(None),
            EnrollmentToken.expires_at > now,
            EnrollmentToken.uses < EnrollmentToken.max_uses,
            text(
                "(enrollment_tokens.allowed_networks IS NULL OR "
                "CAST(NULLIF(:address, '') AS inet) <<= ANY (enrollment_tokens.allowed_networks))"
            ).bindparams(address=address),
        )
        .values(uses=EnrollmentToken.uses + 1, last_used_at=now)
        .returning(EnrollmentToken.id, EnrollmentToken.department_id, EnrollmentToken.device_id)
        .execution_options(synchronize_session=False)
    )
    row = outcome.one_or_none()
    return (row[0], row[1], row[2]) if row else None


async def store_agent(
    session: AsyncSession, device_id: UUID, version: str | None, collectors: Sequence[Any], now: datetime
) -> None:
    """Remember what an agent says of itself."""
    statement = insert(Agent).values(
        device_id=device_id, version=version, collectors=list(collectors), enrolled_at=now, last_contact=now
    )
    await session.execute(
        statement.on_conflict_do_update(
            index_elements=[Agent.device_id],
            set_={
                "version": func.coalesce(statement.excluded.version, Agent.version),
                "collectors": statement.excluded.collectors,
                "last_contact": now,
            },
        )
    )


async def join_again(session: AsyncSession, device_id: UUID, token_id: UUID, now: datetime) -> None:
    """Remember that a device's agent enrolled anew."""
    told = {"enrolled_at": now, "enrolled_with": token_id, "last_contact": now}
    statement = insert(Agent).values(device_id=device_id, **told)
    await session.execute(statement.on_conflict_do_update(index_elements=[Agent.device_id], set_=told))


async def is_first_report(session: AsyncSession, device_id: UUID) -> bool:
    """Whether an agent has never told its version, which comes with each inventory."""
    version = await session.scalar(select(Agent.version).where(Agent.device_id == device_id))
    return version is None


async def touch_agent(session: AsyncSession, device_id: UUID, now: datetime) -> None:
    """Remember that an agent asked for its configuration."""
    await session.execute(update(Agent).where(Agent.device_id == device_id).values(last_contact=now))
