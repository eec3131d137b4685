"""Sessions as the console shows them. Pure."""

from collections.abc import Callable
from dataclasses import replace

from fleetkeeper.console.contexts.lists import Empty, ListPanel
from fleetkeeper.console.contexts.panels import Cell, RowAction, Tag
from fleetkeeper.console.lists.declaring import Column, ListPage
from fleetkeeper.console.lists.showing import related_panel
from fleetkeeper.identity.sessions.queries import LISTING
from fleetkeeper.identity.sessions.schemas import SessionPage, SessionRead

HOME = "/sessions"
_BROWSERS = (
    ("Edg/", "Edge"),
    ("OPR/", "Opera"),
    ("Firefox/", "Firefox"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
)
_SYSTEMS = (
    ("Windows", "Windows"),
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Mac OS X", "macOS"),
    ("Linux", "Linux"),
)


def browser_name(user_agent: str) -> str:
    """What a browser says it is, in short: `Firefox on Linux`."""
    browser = next((name for mark, name in _BROWSERS if mark in user_agent), "")
    system = next((name for mark, name in _SYSTEMS if mark in user_agent), "")
    return " on ".join(part for part in (browser, system) if part) or user_agent[:60] or "Unknown"


def session_list(base: str = HOME) -> ListPage[SessionRead]:
    """Sessions; `base` is where the end of one is sent to."""

    def actions(one: SessionRead) -> tuple[RowAction, ...]:
        question = f"End this session of {one.username}? They have to sign in again."
        return () if one.is_current else (RowAction("End", f"{base}/{one.id}/end", question),)

    return ListPage(
        path=base,
        title="Sessions",
        noun=("session", "sessions"),
        listing=LISTING,
        search="User or browser",
        columns=(
            Column("browser", "Browser", _browser, field="user_agent"),
            Column("address", "IP address", lambda one: Cell(one.address or ""), is_extra=True),
            Column(
                "username", "User", lambda one: Cell(one.username, f"/users/{one.user_id}"), sort="username"
            ),
            Column("method", "Sign-in method", _method, sort="method"),
            Column("created_at", "Started", _moment("created_at"), sort="created_at", falls_first=True),
            Column(
                "last_used_at", "Last used", _moment("last_used_at"), sort="last_used_at", falls_first=True
            ),
        ),
        actions=actions,
        export="/api/v1/sessions/export",
        empty=Empty("Nobody is signed in"),
        titles={"has_second_factor": "Second factor", "user_id": "User ID", "id": "ID"},
    )


def sessions_of_one(page: SessionPage, base: str) -> ListPanel:
    """The sessions of one user, on a page of theirs."""
    listed = session_list(base)
    columns = tuple(one for one in listed.columns if one.name != "username")
    own = replace(listed, columns=columns, empty=Empty("Not signed in in any browser"))
    return related_panel(own, page)


def _browser(one: SessionRead) -> Cell:
    tags = (Tag("Current session", "good"),) if one.is_current else ()
    return Cell(browser_name(one.user_agent), detail=one.address or "", tags=tags)


def _method(one: SessionRead) -> Cell:
    return Cell(one.method.replace("_", " "), tags=(Tag("Second factor"),) if one.has_second_factor else ())


def _moment(name: str) -> Callable[[SessionRead], Cell]:
    return lambda one: Cell(at=getattr(one, name), kind="time", is_soft=True)
