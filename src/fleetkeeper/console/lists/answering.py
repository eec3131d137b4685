"""Answers with a list: its page, or what of it is exchanged while filters change."""

from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar
from zoneinfo import ZoneInfo

from fastapi import Request, Response
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.responses import RedirectResponse

from fleetkeeper.annotations.views.service import default_query
from fleetkeeper.console.contexts.lists import FilterFragment, FilterInputs, ListPanel, ListResults
from fleetkeeper.console.contexts.panels import Note, Panel
from fleetkeeper.console.lists.days import zone_of
from fleetkeeper.console.lists.declaring import ListPage
from fleetkeeper.console.lists.filtering import filter_inputs
from fleetkeeper.console.lists.showing import Rows, SomeRows, asked_of, list_panel, service_parameters
from fleetkeeper.console.panels import show_page
from fleetkeeper.console.rendering import render
from fleetkeeper.console.requests import is_fragment_request
from fleetkeeper.errors import InvalidInputError
from fleetkeeper.identity.actor import Actor

Item = TypeVar("Item")
# Asks for the inputs of the form that adds a filter, instead of the list.
FILTER_INPUTS = "filter_inputs"
Fetch = Callable[[list[tuple[str, str]]], Awaitable[Rows]]


async def read_list(request: Request, page: ListPage[Item], fetch: Fetch, zone: ZoneInfo) -> ListPanel:
    """The list that an address asks for; one that the service refuses says why, and is empty."""
    asked = asked_of(page, request.query_params.multi_items())
    try:
        parameters = service_parameters(page, asked, zone)
        return list_panel(page, asked, await fetch(parameters), parameters)
    except InvalidInputError as error:
        problems = [f"{page.title_of(one.field.partition('__')[0])}: {one.message}." for one in error.fields]
        return list_panel(page, asked, SomeRows(), message=" ".join((error.detail, *problems)))


def _inputs(request: Request, page: ListPage[Item], zone: ZoneInfo) -> FilterInputs:
    """How a filter for the chosen field and condition is entered."""
    sent = request.query_params
    return filter_inputs(page, zone, sent.get("field", ""), sent.get("operator", ""), sent.getlist("value"))


async def show_list(
    request: Request,
    session: AsyncSession,
    actor: Actor,
    page: ListPage[Item],
    fetch: Fetch,
    *,
    before: Sequence[Panel | None] = (),
    after: Sequence[Panel | None] = (),
    crumbs: Sequence[tuple[str, str]] = (),
    links: Sequence[tuple[str, str]] = (),
    notes: Sequence[Note] = (),
    status: int = 200,
    current: str = "",
) -> Response:
    """The list's page, with other panels around it; htmx gets the list alone.

    `current` is the address of its entry in the navigation, by default the list's own.

    An address that asks for nothing leads to the reader's default view of the list, if they have one.
    """
    is_whole = request.method == "GET" and not is_fragment_request(request)
    if is_whole and not request.url.query and (query := await default_query(session, actor, page.path)):
        return RedirectResponse(f"{page.path}?{query}", 303)
    zone = zone_of(actor.time_zone)
    if not is_whole and FILTER_INPUTS in request.query_params:
        return render("panels/_filter_inputs.html", FilterFragment(_inputs(request, page, zone)))
    panel = await read_list(request, page, fetch, zone)
    if request.method == "GET" and not is_whole:
        return render("panels/_list.html", ListResults(panel, actor.csrf_token or ""))
    status = 422 if panel.message else status
    panels = [*before, panel, *after]
    return show_page(
        actor,
        current or page.path,
        page.title,
        panels,
        crumbs=crumbs,
        links=links,
        notes=notes,
        status=status,
    )
