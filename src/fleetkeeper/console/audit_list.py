"""The audit log as a list: what it may be narrowed to, and an entry as a row. Pure."""

import contextlib
from collections.abc import Iterable, Mapping
from functools import cache
from uuid import UUID
from zoneinfo import ZoneInfo

from fleetkeeper.audit.coverage import UNAUDITED
from fleetkeeper.audit.words import kind_of
from fleetkeeper.console.contexts.audit import EntryCell, EntryRow
from fleetkeeper.console.contexts.lists import Empty
from fleetkeeper.console.contexts.panels import Cell, Fragment
from fleetkeeper.console.lists.days import DayFilter
from fleetkeeper.console.lists.declaring import Choice, Column, ListPage, QuickFilter
from fleetkeeper.console.rendering import format_words
from fleetkeeper.database.base import Base
from fleetkeeper.operations.audit_browser import ENTRIES, PEOPLES_KINDS
from fleetkeeper.operations.audit_names import Reference, table_of

HOME = "/audit"
EVENT_KINDS = ("audit", "permission", "session")
TITLES = {
    "id": "Entry",
    "timestamp": "Time",
    "action": "Action",
    "actor_kind": "Kind of actor",
    "actor_name": "Name of actor",
    "user_id": "User",
    "token_id": "Token",
    "session_id": "Session",
    "device_id": "Device",
    "resource_type": "Kind of object",
    "record_id": "Object ID",
    "request_id": "Request ID",
    "ip_address": "IP address",
    "since": "From",
    "until": "To",
    "by": "Changes by",
}
# Machines write a hundred times as many entries as people, who look for their own first.
ACTORS = QuickFilter(
    "by",
    "Changes by",
    (Choice("all", "People and machines", ()),),
    everything="People",
    is_chips=True,
    otherwise=(("actor_kind__in", PEOPLES_KINDS),),
)


def _cell(template: str, row: EntryRow) -> Cell:
    return Cell(kind="fragment", fragment=Fragment(template, EntryCell(row)))


# Entries are in the order of their numbers, which is that of time: no other has an index in all partitions.
COLUMNS: tuple[Column[EntryRow], ...] = (
    Column(
        "when",
        "When",
        lambda one: Cell(at=one.at, href=one.href, kind="time", style="full"),
        sort="id",
        falls_first=True,
        css="col-when",
    ),
    Column(
        "who",
        "Who",
        lambda one: Cell(one.actor, one.actor_href, detail=one.actor_kind),
        css="col-who",
    ),
    Column("what", "What", lambda one: _cell("audit/_what.html", one), css="col-what is-wide"),
    Column("details", "Details", lambda one: _cell("audit/_changes.html", one), css="col-changes is-wide"),
)


def audit_list(
    zone: ZoneInfo, values: Mapping[tuple[str, str], str], *, may_export: bool
) -> ListPage[EntryRow]:
    """The list for a reader; `values` are the names of what filters refer to."""
    return ListPage(
        path=HOME,
        title="Audit log",
        noun=("entry", "entries"),
        listing=ENTRIES,
        search="Object, user or action",
        quick=(
            ACTORS,
            QuickFilter("resource_type", "Kind of object", _kinds(), everything="All objects"),
            DayFilter("since", "From", "timestamp__gte", zone),
            DayFilter("until", "to", "timestamp__lt", zone, is_last=True),
        ),
        columns=COLUMNS,
        titles=TITLES,
        values=values,
        empty=Empty(
            "No changes by people yet",
            "Every change and every sign-in is listed here.",
            narrowed="Try fewer filters or other days. Archived months are in files, not in this list.",
        ),
        export="/api/v1/audit/export" if may_export else "",
        formats=(("csv", "CSV"), ("parquet", "Parquet")),
        exports_columns=False,
    )


def references_of(query: Iterable[tuple[str, str]]) -> dict[tuple[str, str], Reference]:
    """What filters refer to by its ID."""
    found = {}
    for name, value in query:
        table = table_of("", name) if name in ENTRIES.fields else None
        with contextlib.suppress(ValueError):
            if table is not None:
                found[name, value] = Reference(table, UUID(value))
    return found


def values_of(
    references: Mapping[tuple[str, str], Reference], names: Mapping[Reference, str]
) -> dict[tuple[str, str], str]:
    """What people call the values of filters; what is not to be seen has a part of its ID."""
    return {item: names.get(one, f"{str(one.id)[:8]}…") for item, one in references.items()}


@cache
def _kinds() -> tuple[Choice, ...]:
    """What the log can be about: its tables and kinds of events, with their names for people."""
    names = [*EVENT_KINDS, *(name for name in Base.metadata.tables if name not in UNAUDITED)]
    kinds = (Choice(name, format_words(kind_of(name).removeprefix("the "))) for name in names)
    return tuple(sorted(kinds, key=lambda one: one.label))
