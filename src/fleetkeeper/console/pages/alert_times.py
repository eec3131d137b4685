"""`/alerts/times`: how long alerts take until somebody acknowledges them, and until they are resolved."""

from collections.abc import Awaitable, Callable
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.alerts.access import AlertsRead
from fleetkeeper.alerts.log.schemas import AlertTimes
from fleetkeeper.alerts.log.service import times
from fleetkeeper.console.contexts.alerts import TimesRow, TimesTable
from fleetkeeper.console.contexts.panels import Fragment
from fleetkeeper.console.details import Panels, Tab, show_detail
from fleetkeeper.console.forms.durations import duration_text
from fleetkeeper.console.forms.schema_fields import words_of
from fleetkeeper.console.navigation import Place, declare
from fleetkeeper.database.request_session import Session
from fleetkeeper.identity.actor import Actor
from fleetkeeper.identity.permissions import Permission

HOME = "/alerts/times"
SPANS = (7, 30, 90)
_GROUPS = (("rule", "Rule"), ("severity", "Severity"), ("department", "Department"), ("week", "Week"))
declare(
    Place(
        HOME,
        "Response times",
        "clock",
        Permission.ALERTS_READ,
        order=18,
        parent="/alerts",
        words="mtta mttr mean time acknowledge resolve",
    )
)
router = APIRouter()


@router.get(HOME)
async def show_times(
    request: Request,
    actor: AlertsRead,
    session: Session,
    days: Annotated[int, Query(ge=1, le=365)] = 30,
    tab: Annotated[str, Query(max_length=20)] = "",
) -> Response:
    """Means by rule, severity, department or week."""
    tabs = [Tab(by, heading, _reader(session, actor, by, heading, days)) for by, heading in _GROUPS]
    kept = f"&tab={tab}" if tab in dict(_GROUPS) else ""
    links = [(f"{HOME}?days={span}{kept}", f"Last {span} days") for span in SPANS if span != days]
    crumbs = (("/alerts", "Alerts"),)
    return await show_detail(request, actor, HOME, "Response times", tabs, crumbs=crumbs, links=links)


def _reader(
    session: AsyncSession, actor: Actor, by: str, heading: str, days: int
) -> Callable[[], Awaitable[Panels]]:
    async def read() -> Panels:
        found = await times(session, actor, by, days)
        return [Fragment("alerts/_times.html", _table(found, heading, days))]

    return read


def _table(found: list[AlertTimes], heading: str, days: int) -> TimesTable:
    return TimesTable(
        heading,
        days,
        tuple(
            TimesRow(
                words_of(one.group) if heading == "Severity" else one.group or "None",
                one.alerts,
                one.resolved,
                _text(one.mtta_seconds),
                _seconds(one.mtta_seconds),
                _text(one.mttr_seconds),
                _seconds(one.mttr_seconds),
            )
            for one in found
        ),
        # A bar needs some length to be a part of.
        max([1.0, *(_seconds(one.mtta_seconds) for one in found)]),
        max([1.0, *(_seconds(one.mttr_seconds) for one in found)]),
    )


def _text(seconds: float | None) -> str:
    return "" if seconds is None else duration_text(round(seconds))


def _seconds(seconds: float | None) -> float:
    return -1.0 if seconds is None else round(seconds, 1)
