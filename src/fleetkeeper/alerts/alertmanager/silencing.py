"""Silences in Alertmanager's shape."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from pydantic import ValidationError
from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.alerts.alertmanager import queries
from fleetkeeper.alerts.alertmanager.listing import matchers_of
from fleetkeeper.alerts.alertmanager.posting import home_of
from fleetkeeper.alerts.alertmanager.schemas import GettableSilence, PostableSilence, SilenceStatus
from fleetkeeper.alerts.matchers import LabelMatcher, MatcherError, format_matchers, parse_matchers
from fleetkeeper.alerts.prometheus.service import rfc3339
from fleetkeeper.alerts.silences.schemas import AlertSilenceRead, AlertSilenceWrite, SilenceState, state_of
from fleetkeeper.alerts.silences.service import silences
from fleetkeeper.errors import BadRequestError, NotFoundError
from fleetkeeper.identity.actor import Actor
from fleetkeeper.kit.clock import utc_now
from fleetkeeper.kit.turns import Turns

# What a recurring silence without an end says.
_NEVER = datetime(9999, 1, 1, tzinfo=UTC)
_ANY = LabelMatcher("alertname", "=~", ".+")


async def list_silences(
    session: AsyncSession, actor: Actor, filters: Sequence[str], states: frozenset[SilenceState]
) -> list[GettableSilence]:
    """The silences that an actor may see, whose matchers are about what the filters say. Raises BadRequestError."""
    wanted, now = matchers_of(filters), utc_now()
    told, turns = [], Turns()
    for stored in await queries.silences_of(session, actor):
        await turns.give_way()
        row = AlertSilenceRead.model_validate(stored)
        if _fits(row, wanted):
            told.append(_told(row, now))
    return [one for one in told if one.status.state in states]


async def get_silence(session: AsyncSession, actor: Actor, key: UUID) -> GettableSilence:
    """One silence. Raises NotFoundError."""
    return _told(await silences.get(session, actor, key), utc_now())


async def post_silence(session: AsyncSession, actor: Actor, posted: PostableSilence) -> UUID:
    """Make a silence, or change the one with the ID. Raises BadRequestError, NotFoundError, ForbiddenError."""
    wanted = _wanted(posted, await home_of(session, actor))
    if not posted.id:
        return (await silences.create(session, actor, wanted)).id
    try:
        key = UUID(posted.id)
    except ValueError:
        raise NotFoundError("silence not found") from None
    present = await silences.get(session, actor, key)
    if present.recurrence is not None:
        raise BadRequestError(
            "this silence recurs, which Alertmanager's API cannot say; change it in Fleetkeeper"
        )
    kept = {"name": present.name, "device_id": present.device_id, "tag_id": present.tag_id}
    kept["department_id"] = present.department_id
    return (await silences.change(session, actor, key, wanted.model_copy(update=kept))).id


def _wanted(posted: PostableSilence, home: UUID | None) -> AlertSilenceWrite:
    now = utc_now()
    try:
        _ = posted.starts_at.astimezone(UTC), posted.ends_at.astimezone(UTC)
    except OverflowError:
        raise BadRequestError("start time and end time must lie within the calendar") from None
    if posted.ends_at <= max(posted.starts_at, now):
        raise BadRequestError("end time must be in the future, and after the start time")
    try:
        matchers = [LabelMatcher.from_json(one) for one in posted.matchers]
        if all(one.matches({}) for one in matchers):
            raise BadRequestError("at least one matcher must not match the empty string")
        first = (posted.comment.strip().splitlines() or [""])[0].strip()
        return AlertSilenceWrite(
            name=first[:100].strip() or "Silence",
            comment=posted.comment,
            matchers=format_matchers(matchers),
            department_id=home,
            starts_at=max(posted.starts_at, now),
            ends_at=posted.ends_at,
        )
    except MatcherError as error:
        raise BadRequestError(f"invalid label matcher: {error}") from None
    except ValidationError as error:
        raise BadRequestError("; ".join(one["msg"] for one in error.errors())) from None


def _matchers(row: AlertSilenceRead) -> list[LabelMatcher]:
    """The matchers; a silence of a device, a tag or a department may have none, which Alertmanager does not know."""
    found = list(parse_matchers(row.matchers))
    if row.device_id is not None:
        found.append(LabelMatcher("device_id", "=", str(row.device_id)))
    return found or [_ANY]


def _fits(row: AlertSilenceRead, wanted: Sequence[LabelMatcher]) -> bool:
    """Whether the filters fit the values of the silence's own matchers, as Alertmanager has it."""
    labels = {one.name: one.value for one in _matchers(row)} if wanted else {}
    return all(one.matches(labels) for one in wanted)


def _told(row: AlertSilenceRead, now: datetime) -> GettableSilence:
    matchers: list[dict[str, Any]] = [one.to_json() for one in _matchers(row)]
    return GettableSilence(
        id=str(row.id),
        status=SilenceStatus(state=state_of(row, now)),
        matchers=matchers,
        starts_at=rfc3339(row.starts_at),
        ends_at=rfc3339(row.ends_at or _NEVER),
        updated_at=rfc3339(row.updated_at),
        created_by=row.created_by,
        comment=row.comment or row.name,
    )
