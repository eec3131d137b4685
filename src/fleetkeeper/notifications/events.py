"""Events: declared beside the work that emits them, and emitted in its transaction."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.jobs.service import wake
from fleetkeeper.kit.clock import utc_now
from fleetkeeper.kit.ids import uuid7
from fleetkeeper.kit.text import spelled_out
from fleetkeeper.notifications.models import NotificationEvent

DISPATCH = "notifications.dispatch"
# A path; two slashes would lead to another host.
_PAGE = re.compile(r"/(?![/\\])")
MAX_TITLE_LENGTH = 300
MAX_BODY_LENGTH = 10_000
MAX_FIELD_LENGTH = 9_000


class Severity(StrEnum):
    """How much an event matters, least first."""

    INFO = "info"
    WARNING = "warning"
    CRITICAL = "critical"


SEVERITIES = tuple(Severity)


@dataclass(frozen=True)
class EventType:
    """A kind of event. `subject` and `body` are formats of its `fields`, and of `subject` (what it is about).

    Values of the fields in `lines` may have several lines; in others, the end of a line is spelled out. Those in `data`
    are JSON for receivers of webhooks, and stand in no text. Rules for all events leave out one that is `by_name_only`.
    """

    name: str
    title: str
    subject: str
    body: str
    fields: tuple[str, ...]
    severity: Severity
    lines: frozenset[str] = frozenset()
    data: frozenset[str] = frozenset()
    by_name_only: bool = False


@dataclass(frozen=True)
class ObjectRef:
    """What an event is about: its kind, its id, what people call it, and its page."""

    type: str
    id: str
    label: str
    href: str = ""


@dataclass(frozen=True)
class Way:
    """Where an event goes besides what rules say: channels, and whom a mail on one of them goes to."""

    channels: tuple[UUID, ...] = ()
    groups: tuple[UUID, ...] = ()
    addresses: tuple[str, ...] = ()


NO_WAY = Way()
EVENTS: dict[str, EventType] = {}


def declare_event(
    name: str,
    title: str,
    *,
    subject: str,
    body: str,
    fields: tuple[str, ...] = (),
    severity: Severity = Severity.INFO,
    lines: tuple[str, ...] = (),
    data: tuple[str, ...] = (),
    by_name_only: bool = False,
) -> EventType:
    """Declare a kind of event, `room.verb`. Raises ValueError for a name that another has, or an unknown field."""
    if name in EVENTS:
        raise ValueError(f"two events have the name {name}")
    if unknown := {*lines, *data} - set(fields):
        raise ValueError(f"{name} has no field {', '.join(sorted(unknown))}")
    kind = EventType(
        name, title, subject, body, fields, severity, frozenset(lines), frozenset(data), by_name_only
    )
    _written(kind, dict.fromkeys({*fields, "subject"} - kind.data, ""))
    EVENTS[name] = kind
    return kind


async def emit(
    session: AsyncSession,
    name: str,
    *,
    subject: ObjectRef,
    department_id: UUID | None = None,
    to_users: Iterable[UUID] = (),
    way: Way = NO_WAY,
    severity: Severity | None = None,
    payload: Mapping[str, Any] | None = None,
    at: datetime | None = None,
    **fields: object,
) -> UUID:
    """Tell of an event once the caller's transaction is committed, to those whom rules name and to `to_users`.

    `severity` is the kind's unless it is given; `payload` is what a receiver of another format is told.

    Values of fields may come from anywhere: they are put into the text as text. Raises KeyError for an event that
    nobody declared or a field that is missing, ValueError for a subject that has no page of the console.
    """
    kind = EVENTS[name]
    if subject.href and not _PAGE.match(subject.href):
        raise ValueError(f"{subject.href} is no page of the console")
    values = {
        field: _lines_shown(fields[field]) if field in kind.lines else _shown(fields[field])
        for field in kind.fields
        if field not in kind.data
    }
    title, body = _written(kind, values | {"subject": _shown(subject.label)})
    event_id = uuid7()
    await session.execute(
        insert(NotificationEvent).values(
            id=event_id,
            name=name,
            severity=severity or kind.severity,
            title=" ".join(title.split())[:MAX_TITLE_LENGTH],
            body=body[:MAX_BODY_LENGTH],
            subject=asdict(subject) | {"label": _shown(subject.label)},
            fields=values | {field: fields[field] for field in kind.data},
            department_id=department_id,
            to_users=list(to_users),
            to_channels=list(way.channels),
            to_groups=list(way.groups),
            to_addresses=list(way.addresses),
            payload=None if payload is None else dict(payload),
            occurred_at=at or utc_now(),
        )
    )
    await wake(session, DISPATCH)
    return event_id


def _shown(value: object) -> str:
    return spelled_out(str(value))[:MAX_FIELD_LENGTH]


def _lines_shown(value: object) -> str:
    return "\n".join(map(spelled_out, str(value).splitlines()))[:MAX_FIELD_LENGTH]


def _written(kind: EventType, values: dict[str, str]) -> tuple[str, str]:
    """Title and text. A format stands in the code; values are never formats."""
    try:
        return kind.subject.format_map(values), kind.body.format_map(values)
    except KeyError as error:
        raise ValueError(f"{kind.name} has no field {error}") from None
