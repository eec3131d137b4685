"""`/alerts/calendar`: when alerts are silenced, by day."""

from typing import Annotated

from fastapi import APIRouter, Query, Response

from fleetkeeper.alerts.access import AlertsRead
from fleetkeeper.alerts.silences.occurrences import occurrences
from fleetkeeper.console.contexts.panels import Fragment
from fleetkeeper.console.lists.days import zone_of
from fleetkeeper.console.navigation import Place, declare
from fleetkeeper.console.panels import show_page
from fleetkeeper.console.silence_calendar import HOME, calendar, days_of, month_of, span_of
from fleetkeeper.database.request_session import Session
from fleetkeeper.identity.permissions import Permission
from fleetkeeper.kit.clock import utc_now

declare(
    Place(
        HOME,
        "Maintenance calendar",
        "calendar-time",
        Permission.ALERTS_READ,
        order=14,
        parent="/alerts",
        words="silences windows month",
    )
)
router = APIRouter()


@router.get(HOME)
async def show_calendar(
    actor: AlertsRead,
    session: Session,
    month: Annotated[str, Query(max_length=10)] = "",
    zone: Annotated[str, Query(max_length=64)] = "",
) -> Response:
    """A month of silences, on the reader's clock."""
    name = actor.time_zone or zone
    clock, now = zone_of(name), utc_now()
    first = month_of(month, now.astimezone(clock).date())
    start, end = span_of(days_of(first), clock)
    found = await occurrences(session, actor, start, end)
    may_add = actor.may(Permission.ALERTS_RESPOND)
    shown = calendar(first, found, now, clock, may_add=may_add, knows_zone=bool(name))
    return show_page(actor, HOME, "Maintenance calendar", [Fragment("alerts/_calendar.html", shown)])
