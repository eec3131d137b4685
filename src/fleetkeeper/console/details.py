"""The page of one object: a header with its actions, and tabs, of which only the open one is read."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass

from fastapi import Request, Response

from fleetkeeper.console.contexts.panels import EntryForm, Fragment, Note, Panel, RowAction, Tag
from fleetkeeper.console.contexts.shell import TabLink
from fleetkeeper.console.panels import Sent, refuse_in, show_page
from fleetkeeper.errors import FleetkeeperError
from fleetkeeper.identity.actor import Actor

Panels = Sequence[Panel | None]


@dataclass(frozen=True)
class Tab:
    """A part of an object's page. `read` makes its panels once it is opened."""

    name: str
    title: str
    read: Callable[[], Awaitable[Panels]]


@dataclass(frozen=True)
class Refusal:
    """A form of the page that was refused, and what was sent with it."""

    form_id: str
    error: FleetkeeperError
    sent: Sent
    # The tab that the form stands in; the first where none is named.
    tab: str = ""


def tab_of(page: str, tab: str) -> str:
    """The address of a tab of an object's page."""
    return f"{page}?tab={tab}"


async def show_detail(
    request: Request,
    actor: Actor,
    current: str,
    title: str,
    tabs: Sequence[Tab | None],
    *,
    crumbs: Sequence[tuple[str, str]],
    tags: Sequence[Tag] = (),
    links: Sequence[tuple[str, str]] = (),
    head: Fragment | None = None,
    notes: Sequence[Note] = (),
    actions: Sequence[RowAction] = (),
    refusal: Refusal | None = None,
) -> Response:
    """The page with the tab that its address names; tabs that are None are left out."""
    shown = [tab for tab in tabs if tab is not None]
    wanted = refusal.tab if refusal is not None else request.query_params.get("tab", "")
    chosen = next((tab for tab in shown if tab.name == wanted), shown[0])
    panels = list(await chosen.read())
    if refusal is not None:
        if not any(isinstance(one, EntryForm) and one.id == refusal.form_id for one in panels):
            # What the form was for has changed meanwhile, and it is not offered any more.
            notes = (Note(refusal.error.detail, tone="bad"), *notes)
        panels = refuse_in(panels, refusal.form_id, refusal.error, refusal.sent)
    return show_page(
        actor,
        current,
        title,
        panels,
        crumbs=crumbs,
        tags=tags,
        links=links,
        head=head,
        notes=notes,
        actions=actions,
        tabs=_links(shown, chosen, request.path_params, request.url.path) if len(shown) > 1 else (),
        status=200 if refusal is None else refusal.error.status,
    )


def _links(
    tabs: Sequence[Tab], chosen: Tab, parameters: Mapping[str, object], path: str
) -> tuple[TabLink, ...]:
    """Where each tab is: a form of the page may have been sent to an address below it."""
    key = next((str(value) for value in parameters.values()), "")
    page = path[: path.index(key) + len(key)] if key and key in path else path
    first = tabs[0]
    return tuple(
        TabLink(page if tab is first else tab_of(page, tab.name), tab.title, tab is chosen) for tab in tabs
    )
