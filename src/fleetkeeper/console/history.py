"""What was done to an object, from the audit log in plain words, as a tab of its page."""

from collections.abc import Sequence

from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.console.audit_entries import entry_row, with_filters
from fleetkeeper.console.audit_values import references_in
from fleetkeeper.console.contexts.audit import EntryRow, Said
from fleetkeeper.console.contexts.lists import Empty, ListPanel
from fleetkeeper.console.contexts.panels import Cell, Panel
from fleetkeeper.console.details import Tab
from fleetkeeper.console.lists.declaring import Column, ListPage
from fleetkeeper.console.lists.showing import SomeRows, related_panel
from fleetkeeper.identity.actor import Actor
from fleetkeeper.identity.permissions import Permission
from fleetkeeper.operations import audit_browser
from fleetkeeper.operations.audit_names import find_names

SHOWN = "25"


def history_tab(session: AsyncSession, actor: Actor, resource_type: str, record_id: object) -> Tab | None:
    """The tab, for those who may read the log."""
    if not actor.may(Permission.AUDIT_READ):
        return None

    async def read() -> Sequence[Panel | None]:
        return [await history_panel(session, actor, resource_type, str(record_id))]

    return Tab("history", "History", read)


async def history_panel(session: AsyncSession, actor: Actor, resource_type: str, record_id: str) -> ListPanel:
    """The newest entries."""
    filters = {"resource_type": resource_type, "record_id": record_id}
    page = await audit_browser.list_entries(session, actor, [*filters.items(), ("limit", SHOWN)])
    names = await find_names(session, actor, references_in(page.results))
    rows = [entry_row(one, names) for one in page.results]
    listed: ListPage[EntryRow] = ListPage(
        path=with_filters(**filters),
        title="History",
        noun=("entry", "entries"),
        columns=(
            Column("at", "When", lambda one: Cell(at=one.at, kind="time", style="exact")),
            Column("actor", "Who", lambda one: Cell(one.actor, one.actor_href)),
            Column("action", "What", _what),
            Column("reason", "Reason", lambda one: Cell(one.reason, is_soft=True)),
        ),
        empty=Empty(
            "No history yet", "Changes appear here as they are made. Old entries are in the archive."
        ),
    )
    return related_panel(listed, SomeRows(rows, page.count), "History")


def _what(one: EntryRow) -> Cell:
    changed = [f"{change.field}: {_side(change.before)} → {_side(change.after)}" for change in one.changes]
    told = [f"{label}: {value.text}" for label, value in one.facts]
    return Cell(" ".join(filter(None, (one.verb, one.kind))), one.href, detail=", ".join(changed or told))


def _side(said: Said | None) -> str:
    return said.text if said is not None and said.text else "(empty)"
