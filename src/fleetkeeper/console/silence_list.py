"""Silences as lists and pages show them: with the names of what they silence, and in words when."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.alerts.silences.schedules import current_or_next, schedule_words
from fleetkeeper.alerts.silences.schemas import AlertSilenceRead, SilenceState, state_of
from fleetkeeper.alerts.silences.service import silences
from fleetkeeper.annotations.tags.service import all_tags
from fleetkeeper.console.contexts.lists import Empty
from fleetkeeper.console.contexts.panels import Cell, Tag
from fleetkeeper.console.device_names import names_of_devices
from fleetkeeper.console.forms.schema_fields import words_of
from fleetkeeper.console.lists.days import zone_of
from fleetkeeper.console.lists.declaring import Column, ListPage
from fleetkeeper.console.lists.showing import SomeRows
from fleetkeeper.console.objects import Pairs
from fleetkeeper.identity.actor import Actor
from fleetkeeper.kit.clock import utc_now

HOME = "/alerts/silences"
_TONES = {SilenceState.ACTIVE: "good", SilenceState.PENDING: "", SilenceState.EXPIRED: ""}


class ShownSilence(AlertSilenceRead):
    """A silence with the names of what it silences; one that the reader may not see has none."""

    device_name: str = ""
    tag_name: str = ""


async def with_names(
    session: AsyncSession, actor: Actor, found: Sequence[AlertSilenceRead]
) -> list[ShownSilence]:
    """The silences with names."""
    devices = await names_of_devices(session, actor, [one.device_id for one in found])
    tags: dict[UUID, str] = {}
    if any(one.tag_id for one in found):
        tags = {one.id: one.name for one in await all_tags(session)}
    return [
        ShownSilence(
            **one.model_dump(),
            device_name=devices.get(one.device_id, "") if one.device_id else "",
            tag_name=tags.get(one.tag_id, "") if one.tag_id else "",
        )
        for one in found
    ]


async def list_silences(session: AsyncSession, actor: Actor, asked: list[tuple[str, str]]) -> SomeRows:
    """One page of the list."""
    page = await silences.list(session, actor, asked)
    return SomeRows.of(page, await with_names(session, actor, page.results))


async def get_silence(session: AsyncSession, actor: Actor, key: UUID) -> ShownSilence:
    """One of them. Raises NotFoundError."""
    (found,) = await with_names(session, actor, [await silences.get(session, actor, key)])
    return found


def state_cell(one: AlertSilenceRead) -> Cell:
    """Whether it silences now."""
    state = state_of(one, utc_now())
    return Cell(tags=(Tag(words_of(state), _TONES[state]),))


def _target(one: ShownSilence) -> Cell:
    parts = [f"tag {one.tag_name}" if one.tag_name else "", one.matchers]
    rest = ", ".join(part for part in parts if part)
    if one.device_id is None:
        return Cell(rest or "Department")
    return Cell(one.device_name or "A device", f"/devices/{one.device_id}", detail=rest)


def _repeats(one: ShownSilence) -> Cell:
    return Cell(schedule_words(one), detail=_next_words(one))


def _next_words(one: ShownSilence) -> str:
    """When a recurring silence applies next, on its own clock."""
    window = current_or_next(one, utc_now()) if one.recurrence else None
    if window is None or window[0] <= utc_now():
        return ""
    return f"Next on {window[0].astimezone(zone_of(one.time_zone)):%A, %Y-%m-%d at %H:%M}"


PAGE: ListPage[ShownSilence] = ListPage(
    path=HOME,
    title="Silences",
    noun=silences.noun,
    listing=silences.listing,
    search="Name or comment",
    columns=(
        Column(
            "name",
            "Name",
            lambda one: Cell(one.name, f"{HOME}/{one.id}", detail=one.comment[:120]),
            sort="name",
        ),
        Column("state", "State", state_cell, field=None),
        Column("target", "Silences", _target, field=None),
        Column("starts_at", "Starts", lambda one: Cell(at=one.starts_at, kind="time"), sort="starts_at"),
        Column(
            "ends_at",
            "Ends",
            lambda one: Cell(at=one.ends_at, kind="time") if one.ends_at else Cell("No end date"),
            sort="ends_at",
        ),
        Column("recurrence", "Repeats", _repeats, field="recurrence"),
        Column("created_by", "Created by", lambda one: Cell(one.created_by), sort="created_by"),
    ),
    export="/api/v1/alert-silences/export",
    empty=Empty(
        "No silences",
        "A silence stops notifications of the alerts that match it. Create one before you maintain a device.",
    ),
    titles={"device_id": "Device ID", "tag_id": "Tag ID", "department_id": "Department ID", "id": "ID"},
)


def facts(one: ShownSilence) -> Pairs:
    """What the page of one shows."""
    pairs = [
        ("State", state_cell(one)),
        ("Comment", Cell(one.comment)),
        (
            "Device",
            Cell(one.device_name or "A device", f"/devices/{one.device_id}")
            if one.device_id
            else Cell("Any"),
        ),
        ("Tag", Cell(one.tag_name or "Any")),
        ("Label matchers", Cell(one.matchers or "Any", kind="code" if one.matchers else "text")),
        ("Starts", Cell(at=one.starts_at, kind="time", style="full")),
        ("Ends", Cell(at=one.ends_at, kind="time", style="full") if one.ends_at else Cell("No end date")),
        ("Created by", Cell(one.created_by)),
    ]
    if one.recurrence is not None:
        pairs.insert(-3, ("Repeats", _repeats(one)))
    return pairs
