"""Silences as people enter them: names instead of IDs, times on the clock of a time zone, and recurrences in words."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Annotated, Any, Literal
from uuid import UUID
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, NaiveDatetime
from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.alerts.recurrence_rules import DAYS, RecurrenceError, parse_rule
from fleetkeeper.alerts.rules.conditions import checked_matchers
from fleetkeeper.alerts.silences.patterns import DAY_NAMES, LAST, ORDINALS, Pattern, Repeats, pattern_of
from fleetkeeper.alerts.silences.schemas import AlertSilenceWrite
from fleetkeeper.annotations.tags.service import all_tags
from fleetkeeper.console.contexts.panels import Option
from fleetkeeper.console.device_names import device_named
from fleetkeeper.console.forms.form import Form, Widget
from fleetkeeper.console.lists.days import zone_of
from fleetkeeper.console.objects import Options, departments
from fleetkeeper.console.panels import model_of
from fleetkeeper.console.silence_list import ShownSilence
from fleetkeeper.errors import FieldError, InvalidInputError
from fleetkeeper.identity.actor import Actor
from fleetkeeper.identity.permissions import Permission
from fleetkeeper.identity.texts import Description, Name
from fleetkeeper.identity.users.schemas import time_zones
from fleetkeeper.kit.clock import utc_now

WeekDay = Literal["MO", "TU", "WE", "TH", "FR", "SA", "SU"]


class Ends(StrEnum):
    """How the end is entered."""

    AFTER = "after"
    AT = "at"


class SilenceEntry(BaseModel):
    """A silence, field by field; times are on the clock of its time zone."""

    model_config = ConfigDict(extra="forbid")

    name: Name
    comment: Description = ""
    device: str = Field(default="", max_length=300)
    tag_id: UUID | None = None
    department_id: UUID | None = None
    matchers: str = Field(default="", max_length=4000)
    starts_at: NaiveDatetime | None = None
    ends: Ends = Ends.AFTER
    lasts: Annotated[int, Field(ge=60, le=31_536_000)] | None = None
    ends_at: NaiveDatetime | None = None
    repeats: Repeats = Repeats.NEVER
    week_days: list[WeekDay] = Field(default_factory=list)
    month_day: Annotated[int, Field(ge=LAST, le=31)] | None = 1
    ordinal: Annotated[int, Field(ge=LAST, le=4)] | None = 1
    week_day: WeekDay | None = "SU"
    rule: str = Field(default="", max_length=500)
    until: NaiveDatetime | None = None
    time_zone: str = Field(default="", max_length=64)


FORM = Form(
    SilenceEntry,
    "silence",
    "Silence",
    "Save",
    {
        "name": "Name",
        "comment": Widget("Comment", "Why, such as a change number", kind="text", is_required=False),
        "device": Widget(
            "Device",
            "Type a part of its name",
            is_required=False,
            suggestions="/suggestions/devices",
        ),
        "tag_id": "Tag",
        "department_id": "Department",
        "matchers": Widget(
            "Label matchers",
            'Such as alertname="Disk full", instance=~"web-.*"',
            kind="text",
        ),
        "starts_at": Widget("Starts", "Empty: now", kind="datetime-local", is_required=False),
        "ends": Widget("Ends", kind="select"),
        "lasts": Widget(
            "Duration", "Such as 30m, 2h or 1d", kind="duration", only_if="ends=after", is_required=False
        ),
        "ends_at": Widget("End", kind="datetime-local", only_if="ends=at", is_required=False),
        "repeats": Widget("Repeats", kind="select"),
        "week_days": Widget("On", "None: the weekday of the start", kind="ticks", only_if="repeats=weekly"),
        "month_day": Widget("Day of the month", kind="select", only_if="repeats=monthly_on_day"),
        "ordinal": Widget("Which", kind="select", only_if="repeats=monthly_on_weekday"),
        "week_day": Widget("Weekday", kind="select", only_if="repeats=monthly_on_weekday"),
        "rule": Widget(
            "Rule",
            "RFC 5545, such as FREQ=MONTHLY;BYDAY=2TU;INTERVAL=3",
            kind="text",
            only_if="repeats=custom",
        ),
        "until": Widget(
            "Repeat until",
            "Empty: until you end it",
            kind="datetime-local",
            only_if=" ".join(f"repeats={one}" for one in Repeats if one is not Repeats.NEVER),
            is_required=False,
        ),
        "time_zone": Widget(
            "Time zone", "All times above are in this time zone", kind="zone", is_required=False
        ),
    },
    text="A silence needs at least one of device, tag, department and label matchers; an alert is silenced if all "
    "that you fill in match.",
)
_LISTED: Options = {
    "ends": (Option(Ends.AFTER, "After a duration"), Option(Ends.AT, "At a date and time")),
    "repeats": (
        Option(Repeats.NEVER, "Never"),
        Option(Repeats.DAILY, "Daily"),
        Option(Repeats.WEEKLY, "Weekly"),
        Option(Repeats.MONTHLY_ON_DAY, "Monthly on a day"),
        Option(Repeats.MONTHLY_ON_WEEKDAY, "Monthly on a weekday"),
        Option(Repeats.CUSTOM, "Custom rule"),
    ),
    "week_days": [Option(*one) for one in zip(DAYS, DAY_NAMES, strict=True)],
    "month_day": [*(Option(str(day), str(day)) for day in range(1, 32)), Option(str(LAST), "Last day")],
    "ordinal": [Option(str(number), words.capitalize()) for number, words in ORDINALS.items()],
    "week_day": [Option(*one) for one in zip(DAYS, DAY_NAMES, strict=True)],
}


async def options(session: AsyncSession, actor: Actor) -> Options:
    """What can be chosen. For a reader without a time zone of their own, the browser replaces UTC by its own."""
    zones = [Option(name, name.replace("_", " ")) for name in sorted(time_zones() - {"UTC"})]
    tags = [Option(str(one.id), one.name) for one in await all_tags(session)]
    return {
        **_LISTED,
        **await departments(Permission.ALERTS_RESPOND, "Any")(session, actor),
        "tag_id": [Option("", "Any"), *tags],
        "time_zone": [Option("UTC" if actor.time_zone else "", "UTC"), *zones],
    }


def new_entry(actor: Actor, starts_at: datetime | None = None, zone: str = "") -> SilenceEntry:
    """An empty form, perhaps with a start on the clock of a time zone."""
    return SilenceEntry.model_construct(
        starts_at=_local(starts_at), lasts=7200, time_zone=actor.time_zone or zone, department_id=None
    )


def entered(actor: Actor, silence: ShownSilence) -> SilenceEntry:
    """A silence as its form shows it: one that recurs on the clock of its own time zone, else on the reader's."""
    is_once = silence.recurrence is None
    name = (actor.time_zone or "") if is_once else silence.time_zone
    device = silence.device_name or str(silence.device_id or "")
    zone = zone_of(name)
    start = silence.starts_at.astimezone(zone)
    end = silence.ends_at and silence.ends_at.astimezone(zone)
    values: dict[str, Any] = silence.model_dump(
        include={"name", "comment", "tag_id", "department_id", "matchers"}
    ) | {"device": device, "starts_at": _local(start), "time_zone": name}
    if is_once:
        values |= {"ends": Ends.AT, "ends_at": _local(end)}
    else:
        values |= _recurring(silence.recurrence or "", start)
        values |= {"lasts": silence.duration_seconds, "until": _local(end)}
    return SilenceEntry.model_construct(**values)


def _recurring(rrule: str, start: datetime) -> dict[str, Any]:
    found = pattern_of(rrule, start)
    if found is None:
        return {"repeats": Repeats.CUSTOM, "rule": rrule}
    days = [DAYS[day] for day in found.week_days]
    values = {
        "repeats": found.repeats,
        "week_days": days,
        "month_day": found.month_day,
        "ordinal": found.ordinal,
    }
    return values | ({"week_day": days[0]} if days else {})


def _local(at: datetime | None) -> str | None:
    return None if at is None else f"{at:%Y-%m-%dT%H:%M}"


async def wanted_of(session: AsyncSession, actor: Actor, entry: SilenceEntry) -> AlertSilenceWrite:
    """What the API is asked for, of an entry that was checked. Raises InvalidInputError."""
    zone = zone_of(entry.time_zone)
    start = utc_now() if entry.starts_at is None else entry.starts_at.replace(tzinfo=zone).astimezone(UTC)
    end = _end(entry, start, zone)
    values: dict[str, Any] = entry.model_dump(
        include={"name", "comment", "tag_id", "department_id", "matchers"}
    )
    if entry.device:
        values["device_id"] = (await device_named(session, actor, entry.device)).id
    values |= {"starts_at": start, "time_zone": zone.key, "ends_at": end}
    if entry.repeats is not Repeats.NEVER:
        until = None if entry.until is None else entry.until.replace(tzinfo=zone).astimezone(UTC)
        lasts = int((end - start).total_seconds())
        values |= {"recurrence": _rrule(entry), "duration_seconds": lasts, "ends_at": until}
    return model_of(AlertSilenceWrite, values)


def _end(entry: SilenceEntry, start: datetime, zone: ZoneInfo) -> datetime:
    if entry.ends is Ends.AFTER or entry.ends_at is None:
        return start + timedelta(seconds=entry.lasts or 0)
    return entry.ends_at.replace(tzinfo=zone).astimezone(UTC)


def _rrule(entry: SilenceEntry) -> str:
    days: Sequence[str] = entry.week_days if entry.repeats is Repeats.WEEKLY else [entry.week_day or "SU"]
    numbers = tuple(sorted({DAYS.index(day) for day in days}))
    return Pattern(entry.repeats, numbers, entry.month_day or 1, entry.ordinal or 1).rrule or entry.rule


async def problems_of(session: AsyncSession, actor: Actor, entry: SilenceEntry) -> list[FieldError]:
    """All that is wrong with an entry."""
    problems = _problems(entry)
    if entry.device:
        try:
            await device_named(session, actor, entry.device)
        except InvalidInputError as error:
            problems += error.fields
    return problems


def _problems(entry: SilenceEntry) -> list[FieldError]:
    problems = []
    if not (entry.device or entry.tag_id or entry.department_id or entry.matchers.strip("{} ")):
        problems.append(FieldError("device", "Enter a device, tag, department or label matchers"))
    if entry.ends is Ends.AFTER and entry.lasts is None:
        problems.append(FieldError("lasts", "Enter a duration such as 2h"))
    if entry.ends is Ends.AT and entry.ends_at is None:
        problems.append(FieldError("ends_at", "Enter when the silence ends"))
    if entry.ends is Ends.AT and entry.starts_at and entry.ends_at and entry.ends_at <= entry.starts_at:
        problems.append(FieldError("ends_at", "Must be after the start"))
    if entry.time_zone and entry.time_zone not in time_zones():
        problems.append(FieldError("time_zone", "Choose one of the time zones"))
    if entry.repeats is Repeats.CUSTOM:
        try:
            parse_rule(entry.rule)
        except RecurrenceError as error:
            problems.append(FieldError("rule", error.message))
    try:
        checked_matchers(entry.matchers)
    except ValueError as error:
        problems.append(FieldError("matchers", str(error)))
    return problems
