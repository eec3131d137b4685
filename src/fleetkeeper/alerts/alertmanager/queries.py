"""The SQL of alerts that came by the API, and of open alerts as Alertmanager lists them."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import delete, func, or_, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.alerts.log.firing_again import BY_API
from fleetkeeper.alerts.log.queries import visible_to
from fleetkeeper.alerts.models import AlertInstance, AlertLog, AlertSilence
from fleetkeeper.alerts.silences.service import silences
from fleetkeeper.identity.actor import Actor, Scope
from fleetkeeper.identity.models import Department

MOST_LISTED = 10_000


async def hold(session: AsyncSession) -> None:
    """Let nobody else post alerts until the transaction ends."""
    await session.execute(text("SELECT pg_advisory_xact_lock(hashtextextended('alerts.post', 0))"))


async def top_departments(session: AsyncSession, scope: Scope) -> Sequence[UUID]:
    """The departments of a scope that lie below no other of it."""
    own = sorted(scope.departments)
    statement = select(Department.id).where(
        Department.id.in_(own), or_(Department.parent_id.is_(None), Department.parent_id.not_in(own))
    )
    return (await session.scalars(statement.order_by(Department.id).limit(2))).all()


async def posted(session: AsyncSession, fingerprints: Collection[bytes]) -> dict[bytes, AlertInstance]:
    """What came by the API and is not over."""
    statement = select(AlertInstance).where(
        AlertInstance.rule_id == BY_API, AlertInstance.fingerprint.in_(list(fingerprints))
    )
    return {one.fingerprint: one for one in await session.scalars(statement)}


async def count_posted(session: AsyncSession) -> dict[UUID | None, int]:
    """How many alerts of each department came by the API and are not over; those without any are left out."""
    counted = select(AlertInstance.department_id, func.count()).where(AlertInstance.rule_id == BY_API)
    rows = await session.execute(counted.group_by(AlertInstance.department_id))
    return {row[0]: row[1] for row in rows}


async def postpone(session: AsyncSession, ends: Sequence[tuple[bytes, datetime]]) -> None:
    """Move when alerts expire."""
    if ends:
        await session.execute(
            text(
                "UPDATE alert_instances i SET expires_at = k.at "
                "FROM unnest(CAST(:keys AS bytea[]), CAST(:moments AS timestamptz[])) AS k (fingerprint, at) "
                "WHERE i.rule_id = :rule AND i.fingerprint = k.fingerprint"
            ),
            {"rule": BY_API, "keys": [one[0] for one in ends], "moments": [one[1] for one in ends]},
        )


async def forget(session: AsyncSession, fingerprints: Collection[bytes]) -> None:
    """Forget what is over."""
    if fingerprints:
        await session.execute(
            delete(AlertInstance).where(
                AlertInstance.rule_id == BY_API, AlertInstance.fingerprint.in_(list(fingerprints))
            )
        )


async def expired(session: AsyncSession, now: datetime) -> Sequence[AlertInstance]:
    """What nobody has posted again in time, locked with its alert, unless somebody is at either."""
    statement = (
        select(AlertInstance)
        .join(
            AlertLog,
            (AlertLog.alert_id == AlertInstance.alert_id)
            & (AlertLog.triggered_at == AlertInstance.triggered_at),
        )
        .where(AlertInstance.rule_id == BY_API, AlertInstance.expires_at <= now)
        .order_by(AlertInstance.expires_at)
        .limit(MOST_LISTED)
    )
    return (await session.scalars(statement.with_for_update(skip_locked=True))).all()


async def open_alerts_of(session: AsyncSession, actor: Actor) -> Sequence[Any]:
    """Open alerts that an actor may see, each with when it expires; the newest first."""
    statement = (
        visible_to(actor)
        .outerjoin(
            AlertInstance,
            (AlertInstance.rule_id == BY_API)
            & (AlertInstance.fingerprint == AlertLog.fingerprint)
            & (AlertInstance.alert_id == AlertLog.alert_id),
        )
        .where(AlertLog.resolved_at.is_(None))
        .add_columns(AlertInstance.expires_at)
        .order_by(AlertLog.triggered_at.desc(), AlertLog.alert_id.desc())
        .limit(MOST_LISTED)
    )
    return (await session.execute(statement)).all()


async def silences_of(session: AsyncSession, actor: Actor) -> Sequence[AlertSilence]:
    """Silences that an actor may see, those that end last first."""
    statement = silences.visible_to(actor).order_by(
        AlertSilence.ends_at.desc().nulls_first(), AlertSilence.id
    )
    return (await session.scalars(statement.limit(MOST_LISTED))).all()
