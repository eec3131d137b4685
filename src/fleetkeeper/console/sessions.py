"""Sessions as the console shows them. Pure."""

from fleetkeeper.console.contexts.panels import Cell, Row, RowAction, Table, Tag
from fleetkeeper.identity.sessions.schemas import SessionPage, SessionRead

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


def session_table(
    page: SessionPage,
    base: str,
    *,
    with_user: bool = False,
    neighbours: tuple[str | None, str | None] = (None, None),
) -> Table:
    """Sessions; `base` is where the end of one is sent to."""
    columns = ("Browser", "Signed in by", "Since", "Last used")
    return Table(
        "sessions",
        "Sessions",
        ("User", *columns) if with_user else columns,
        tuple(_row(one, base, with_user=with_user) for one in page.results),
        count=page.count,
        previous_href=neighbours[0],
        next_href=neighbours[1],
        empty="Nobody is signed in." if with_user else "Not signed in in any browser.",
    )


def _row(one: SessionRead, base: str, *, with_user: bool) -> Row:
    cells = (
        Cell(
            browser_name(one.user_agent),
            detail=one.address or "",
            tags=(Tag("This one", "good"),) if one.is_current else (),
        ),
        Cell(one.method.replace("_", " "), tags=(Tag("Second factor"),) if one.has_second_factor else ()),
        Cell(at=one.created_at, kind="time", is_soft=True),
        Cell(at=one.last_used_at, kind="time", is_soft=True),
    )
    user = (Cell(one.username, f"/users/{one.user_id}"),) if with_user else ()
    end = RowAction("End", f"{base}/{one.id}/end", f"End this session of {one.username}? They sign in anew.")
    return Row((*user, *cells), () if one.is_current else (end,))
