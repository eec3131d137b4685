"""When silences apply within a span, each of their recurrences by itself."""

from datetime import datetime, timedelta
from uuid import UUID

from pydantic import BaseModel, Field
from sqlalchemy import or_
from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.alerts.models import AlertSilence
from fleetkeeper.alerts.silences.schedules import windows_of
from fleetkeeper.alerts.silences.schemas import AlertSilenceRead
from fleetkeeper.alerts.silences.service import silences
from fleetkeeper.errors import FieldError, InvalidInputError
from fleetkeeper.identity.actor import Actor
from fleetkeeper.kit.turns import Turns

LONGEST_SPAN = timedelta(days=92)
MOST_SILENCES = 500
MOST_OCCURRENCES = 1000


class SilenceOccurrence(BaseModel):
    """A time at which a silence applies."""

    silence_id: UUID
    name: str
    device_id: UUID | None
    starts_at: datetime
    ends_at: datetime
    recurs: bool


class SilenceOccurrences(BaseModel):
    """The times at which silences apply, oldest first."""

    results: list[SilenceOccurrence]
    is_complete: bool = Field(description="Whether these are all")


async def occurrences(
    session: AsyncSession, actor: Actor, start: datetime, end: datetime
) -> SilenceOccurrences:
    """When the silences that the actor may see apply. Raises InvalidInputError."""
    if not start < end <= start + LONGEST_SPAN:
        problem = f"Must be after start, by at most {LONGEST_SPAN.days} days"
        raise InvalidInputError("The span is wrong.", fields=[FieldError("end", problem)])
    statement = (
        silences.visible_to(actor)
        .where(
            AlertSilence.starts_at < end, or_(AlertSilence.ends_at.is_(None), AlertSilence.ends_at > start)
        )
        .order_by(AlertSilence.starts_at.desc(), AlertSilence.id)
        .limit(MOST_SILENCES + 1)
    )
    rows = (await session.scalars(statement)).all()
    most = MOST_OCCURRENCES // 4
    listed, turns = [], Turns()
    for row in rows[:MOST_SILENCES]:
        await turns.give_way()
        listed.append(_of(AlertSilenceRead.model_validate(row), start, end, most + 1))
    found = [one for of_silence in listed for one in of_silence[:most]]
    found.sort(key=lambda one: (one.starts_at, one.name))
    is_complete = (
        len(rows) <= MOST_SILENCES
        and len(found) <= MOST_OCCURRENCES
        and all(len(of_silence) <= most for of_silence in listed)
    )
    return SilenceOccurrences(results=found[:MOST_OCCURRENCES], is_complete=is_complete)


def _of(silence: AlertSilenceRead, start: datetime, end: datetime, limit: int) -> list[SilenceOccurrence]:
    return [
        SilenceOccurrence(
            silence_id=silence.id,
            name=silence.name,
            device_id=silence.device_id,
            starts_at=begin,
            ends_at=stop,
            recurs=silence.recurrence is not None,
        )
        for begin, stop in windows_of(silence, start, end, limit)
    ]
