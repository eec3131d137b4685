"""`/alerts/routes`: who is told of which alert, as a tree, and a tester."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.alerts.access import AlertsRead
from fleetkeeper.alerts.matchers import MatcherError, parse_matchers
from fleetkeeper.alerts.routing.schemas import AlertRouteRead, AlertRouteWrite, RouteTest
from fleetkeeper.alerts.routing.service import explain, receivers, routes
from fleetkeeper.console.contexts.lists import Empty
from fleetkeeper.console.contexts.panels import Cell, Facts, Option, Row, Table, Tag
from fleetkeeper.console.forms.form import Form, Widget
from fleetkeeper.console.lists.declaring import Column, ListPage
from fleetkeeper.console.lists.showing import SomeRows
from fleetkeeper.console.navigation import Place, declare
from fleetkeeper.console.objects import Objects, Options, Service, departments, object_pages
from fleetkeeper.console.panels import refused, show_page
from fleetkeeper.console.requests import FormLists
from fleetkeeper.database.request_session import Session
from fleetkeeper.errors import FieldError, InvalidInputError
from fleetkeeper.identity.actor import Actor
from fleetkeeper.identity.departments.service import all_departments
from fleetkeeper.identity.permissions import Permission
from fleetkeeper.kit.durations import duration_words

HOME = "/alerts/routes"
declare(
    Place(
        HOME,
        "Routes",
        "hierarchy-2",
        Permission.ALERTS_READ,
        order=15,
        parent="/alerts",
        words="routing escalation",
    )
)
declare(
    Place(
        f"{HOME}-test",
        "Test routes",
        "hierarchy-2",
        Permission.ALERTS_READ,
        order=16,
        parent="/alerts",
        words="why told",
    )
)
_ALL = [("limit", "1000"), ("ordering", "position")]


class InventedAlert(BaseModel):
    """An alert that nobody is told of."""

    model_config = ConfigDict(extra="forbid")

    labels: str = Field(max_length=4000)
    department_id: UUID | None = None


TESTER = Form(
    InventedAlert,
    "test",
    "Test alert",
    "Test",
    {
        "labels": Widget("Labels", 'Such as alertname="Disk full", severity="critical", instance="web-01"'),
        "department_id": "Department",
    },
    text="No notification is sent. The result shows which routes match and why.",
)


class PlacedRoute(AlertRouteRead):
    """A route, and how far below the first one it lies."""

    depth: int = 0
    receiver: str = ""
    escalates_to: str = ""


async def _tree(session: AsyncSession, actor: Actor, parameters: list[tuple[str, str]]) -> Any:
    """All routes, each below the one above it; in a plain list where something is searched or sorted."""
    if any(name not in {"limit", "columns"} and text for name, text in parameters):
        page = await routes.list(session, actor, parameters)
        results = [PlacedRoute(**one.model_dump()) for one in page.results]
        named = await _with_receivers(session, actor, results)
        return SomeRows.of(page, named)
    found = (await routes.list(session, actor, _ALL)).results
    below: dict[UUID | None, list[AlertRouteRead]] = {}
    known = {one.id for one in found}
    for one in found:
        below.setdefault(one.parent_id if one.parent_id in known else None, []).append(one)
    ordered: list[PlacedRoute] = []

    def visit(parent: UUID | None, depth: int) -> None:
        for one in below.get(parent, ()):
            ordered.append(PlacedRoute(**one.model_dump(), depth=depth))
            visit(one.id, depth + 1)

    visit(None, 0)
    return SomeRows(await _with_receivers(session, actor, ordered), len(ordered))


async def _with_receivers(
    session: AsyncSession, actor: Actor, found: Sequence[PlacedRoute]
) -> list[PlacedRoute]:
    """The routes with the names of their receivers, where the reader may see these."""
    wanted = sorted({str(key) for one in found for key in (one.receiver_id, one.escalate_to_id) if key})
    names: dict[UUID | None, str] = {}
    if wanted:
        asked = [("id__in", ",".join(wanted)), ("limit", "200")]
        names = {one.id: one.name for one in (await receivers.list(session, actor, asked)).results}
    return [
        one.model_copy(
            update={
                "receiver": names.get(one.receiver_id, ""),
                "escalates_to": names.get(one.escalate_to_id, ""),
            }
        )
        for one in found
    ]


async def _get(session: AsyncSession, actor: Actor, key: UUID) -> PlacedRoute:
    """One of them. Raises NotFoundError."""
    route = PlacedRoute(**(await routes.get(session, actor, key)).model_dump())
    (named,) = await _with_receivers(session, actor, [route])
    return named


def _receiver(key: UUID | None, name: str, nothing: str) -> Cell:
    if key is None:
        return Cell(nothing, is_soft=True)
    return Cell(name or "A receiver", f"/alerts/receivers/{key}")


def _name(one: PlacedRoute) -> Cell:
    return Cell(one.name, f"{HOME}/{one.id}", indent=one.depth)


def _duration(value: int | None) -> Cell:
    return Cell("Inherited", is_soft=True) if value is None else Cell(duration_words(value))


PAGE: ListPage[PlacedRoute] = ListPage(
    path=HOME,
    title="Routes",
    noun=routes.noun,
    listing=routes.listing,
    search="Name",
    text="Each alert enters at the top route and follows the first matching child.",
    columns=(
        Column("name", "Route", _name, sort="name"),
        Column("matchers", "Labels", lambda one: Cell(one.matchers or "All", kind="code"), field="matchers"),
        Column(
            "receiver_id",
            "Receiver",
            lambda one: _receiver(one.receiver_id, one.receiver, "Inherited"),
            field="receiver_id",
        ),
        Column(
            "group_by",
            "Grouped by",
            lambda one: Cell(", ".join(one.group_by or ()) or "Inherited"),
            field="group_by",
        ),
        Column(
            "repeat_interval_seconds",
            "Repeat interval",
            lambda one: _duration(one.repeat_interval_seconds),
            field="repeat_interval_seconds",
        ),
        Column(
            "continues", "Continue", lambda one: Cell("Yes" if one.continues else "No"), field="continues"
        ),
    ),
    export="/api/v1/alert-routes/export",
    empty=Empty("No routes", "Every alert takes the first route."),
    titles={
        "parent_id": "Parent ID",
        "receiver_id": "Receiver ID",
        "department_id": "Department ID",
        "position": "Position",
        "id": "ID",
    },
)


async def _options(session: AsyncSession, actor: Actor) -> Options:
    found: dict[str, Sequence[Option]] = dict(await departments(Permission.ALERTS_WRITE)(session, actor))
    who = (await receivers.list(session, actor, [("limit", "200")])).results
    told = [Option(str(one.id), one.name) for one in who]
    found["receiver_id"] = [Option("", "Inherited"), *told]
    found["escalate_to_id"] = [Option("", "Nobody"), *told]
    tree = (await _tree(session, actor, [])).results
    found["parent_id"] = [Option(str(one.id), f"{'- ' * one.depth}{one.name}") for one in tree]
    return found


def _facts(one: PlacedRoute) -> list[tuple[str, Cell]]:
    return [
        ("Labels", Cell(one.matchers or "All", kind="code")),
        ("Receiver", _receiver(one.receiver_id, one.receiver, "Inherited")),
        ("Grouped by", Cell(", ".join(one.group_by or ()) or "Inherited")),
        ("Group wait", _duration(one.group_wait_seconds)),
        ("Group interval", _duration(one.group_interval_seconds)),
        ("Repeat interval", _duration(one.repeat_interval_seconds)),
        (
            "Escalates after",
            Cell("Never") if one.escalate_after_seconds is None else _duration(one.escalate_after_seconds),
        ),
        ("Escalates to", _receiver(one.escalate_to_id, one.escalates_to, "Nobody")),
    ]


def _wait(label: str, hint: str) -> Widget:
    return Widget(label, hint, kind="duration", is_required=False)


router = APIRouter()


@router.get(f"{HOME}-test")
async def show_tester(actor: AlertsRead, session: Session) -> Response:
    """The form of the tester."""
    return show_page(
        actor, f"{HOME}-test", "Test routes", [await _tester(session, actor)], crumbs=((HOME, "Routes"),)
    )


@router.post(f"{HOME}-test")
async def test_routes(request: Request, sent: FormLists, actor: AlertsRead, session: Session) -> Response:
    """Where an invented alert goes."""
    del request
    form = await _tester(session, actor)
    crumbs = ((HOME, "Routes"),)
    try:
        wanted = TESTER.read(sent)
        answer = await explain(
            session, actor, RouteTest(labels=_labels(wanted.labels), department_id=wanted.department_id)
        )
    except InvalidInputError as error:
        again = refused(form, error, sent)
        return show_page(actor, f"{HOME}-test", "Test routes", [again], crumbs=crumbs, status=error.status)
    rows = tuple(
        Row(
            (
                Cell(one.name, f"{HOME}/{one.route_id}", indent=one.depth),
                Cell(
                    tags=(
                        Tag("Delivered here", "good")
                        if one.is_end
                        else Tag("Matches" if one.is_taken else "Does not match"),
                    )
                ),
                Cell(one.why, is_soft=True),
            )
        )
        for one in answer.steps
    )
    told = Facts("told", "Recipients", (("Receivers", Cell(", ".join(answer.receivers) or "Nobody")),))
    steps = Table("steps", "Step by step", ("Route", "Result", "Why"), rows, is_stacked=True)
    filled = refused(form, InvalidInputError(""), sent)
    return show_page(actor, f"{HOME}-test", "Test routes", [told, steps, filled], crumbs=crumbs)


async def _tester(session: AsyncSession, actor: Actor) -> Any:
    places = await all_departments(session, actor, Permission.ALERTS_READ)
    options = {"department_id": [Option("", "None"), *(Option(str(one.id), one.path) for one in places)]}
    return TESTER.shown(f"{HOME}-test", options=options, is_open=True)


def _labels(text: str) -> dict[str, str]:
    try:
        matchers = parse_matchers(text)
    except MatcherError as error:
        raise InvalidInputError(
            "Correct the marked fields.", fields=[FieldError("labels", str(error))]
        ) from None
    if any(one.op != "=" for one in matchers):
        wrong = FieldError("labels", 'Write each label with =, such as alertname="Test"')
        raise InvalidInputError("Correct the marked fields.", fields=[wrong])
    return {one.name: one.value for one in matchers}


router.include_router(
    object_pages(
        Objects(
            page=PAGE,
            table=routes.table,
            read=routes.read,
            write=routes.write,
            service=Service(_tree, _get, routes.create, routes.change, routes.delete),
            form=Form(
                AlertRouteWrite,
                "route",
                "Route",
                "Save",
                {
                    "name": "Name",
                    "parent_id": Widget("Parent route", kind="select", is_required=False),
                    "position": Widget("Order", "Lower first, 0 to 10000", is_required=False),
                    "matchers": Widget(
                        "Labels", 'Such as severity=~"high|critical"; empty: all', is_required=False
                    ),
                    "receiver_id": Widget("Receiver", kind="select", is_required=False),
                    "group_by": Widget(
                        "Group by",
                        "Labels, separated by commas; empty: inherited",
                        kind="text",
                        is_required=False,
                    ),
                    "group_wait_seconds": _wait("Group wait", "Empty: inherited"),
                    "group_interval_seconds": _wait("Group interval", "Empty: inherited"),
                    "repeat_interval_seconds": _wait("Repeat interval", "Empty: inherited"),
                    "continues": "Continue to the next routes",
                    "escalate_after_seconds": _wait("Escalate after", "Without acknowledgment"),
                    "escalate_to_id": Widget("Escalate to", kind="select", is_required=False),
                    "department_id": "Department",
                },
            ),
            name=lambda one: one.name,
            facts=_facts,
            options=_options,
            deletion="Routes below it are deleted, too. Its alerts go where the rest of the tree says.",
        )
    )
)
