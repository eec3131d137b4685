"""Which silences quiet all alerts of a device now."""

from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy import or_, text
from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.alerts.models import AlertSilence
from fleetkeeper.alerts.silences.schemas import AlertSilenceRead, SilenceState, recurrence_of, state_of
from fleetkeeper.alerts.silences.service import silences
from fleetkeeper.identity.actor import Actor
from fleetkeeper.notifications.deliveries.queries import ancestors_of

# Of one device; more would be a mistake.
MOST = 100


@dataclass(frozen=True)
class DeviceSilence:
    """A silence that quiets a device now, and until when."""

    id: UUID
    name: str
    until: datetime | None
    department_id: UUID | None


async def silences_of_device(
    session: AsyncSession, actor: Actor, device_id: UUID, department_id: UUID | None, now: datetime
) -> list[DeviceSilence]:
    """The silences without matchers that quiet a device now, as far as an actor may see them."""
    departments = (
        (await ancestors_of(session)).get(department_id, frozenset()) if department_id else frozenset()
    )
    tags = (
        await session.scalars(
            text("SELECT tag_id FROM tagged WHERE object_type = 'devices' AND object_id = :device"),
            {"device": device_id},
        )
    ).all()
    statement = (
        silences.visible_to(actor)
        .where(
            AlertSilence.matchers == [],
            AlertSilence.starts_at <= now,
            or_(AlertSilence.ends_at.is_(None), AlertSilence.ends_at > now),
            or_(AlertSilence.device_id.is_(None), AlertSilence.device_id == device_id),
            or_(AlertSilence.tag_id.is_(None), AlertSilence.tag_id.in_(tags)),
            or_(AlertSilence.department_id.is_(None), AlertSilence.department_id.in_(sorted(departments))),
        )
        .order_by(AlertSilence.ends_at.desc().nulls_first(), AlertSilence.id)
        .limit(MOST)
    )
    found = [AlertSilenceRead.model_validate(row) for row in await session.scalars(statement)]
    return [
        DeviceSilence(one.id, one.name, _until(one, now), one.department_id)
        for one in found
        if state_of(one, now) is SilenceState.ACTIVE
    ]


def _until(silence: AlertSilenceRead, now: datetime) -> datetime | None:
    if silence.recurrence is None:
        return silence.ends_at
    window = recurrence_of(silence).window_at(now.astimezone(UTC))
    return window[1] if window else silence.ends_at
