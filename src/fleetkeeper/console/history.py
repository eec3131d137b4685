"""What was done to an object, from the audit log in plain words, as a tab of its page."""

from collections.abc import Sequence

from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.console.audit_entries import entry_row, with_filters
from fleetkeeper.console.audit_list import COLUMNS
from fleetkeeper.console.audit_values import references_in
from fleetkeeper.console.contexts.audit import EntryRow
from fleetkeeper.console.contexts.lists import Empty, ListPanel
from fleetkeeper.console.contexts.panels import Panel
from fleetkeeper.console.details import Tab
from fleetkeeper.console.lists.declaring import ListPage
from fleetkeeper.console.lists.showing import SomeRows, related_panel
from fleetkeeper.identity.actor import Actor
from fleetkeeper.identity.permissions import Permission
from fleetkeeper.operations import audit_browser
from fleetkeeper.operations.audit_names import find_names

SHOWN = "25"


async def read_entries(
    session: AsyncSession, actor: Actor, parameters: Sequence[tuple[str, str]]
) -> SomeRows:
    """One page of entries with the names of what they refer to. Raises InvalidInputError."""
    page = await audit_browser.list_entries(session, actor, parameters)
    names = await find_names(session, actor, references_in(page.results))
    rows = [entry_row(one, names) for one in page.results]
    return SomeRows(rows, page.count, page.next, page.previous, page.count_is_exact)


def history_tab(session: AsyncSession, actor: Actor, resource_type: str, record_id: object) -> Tab | None:
    """The tab, for those who may read the log."""
    return entries_tab(session, actor, {"resource_type": resource_type, "record_id": str(record_id)})


def entries_tab(session: AsyncSession, actor: Actor, filters: dict[str, str]) -> Tab | None:
    """The tab with the newest entries that fit these filters of the log."""
    if not actor.may(Permission.AUDIT_READ):
        return None

    async def read() -> Sequence[Panel | None]:
        return [await history_panel(session, actor, filters)]

    return Tab("history", "History", read)


async def history_panel(session: AsyncSession, actor: Actor, filters: dict[str, str]) -> ListPanel:
    """The newest entries."""
    rows = await read_entries(session, actor, [*filters.items(), ("limit", SHOWN)])
    listed: ListPage[EntryRow] = ListPage(
        path="/history",
        title="History",
        noun=("entry", "entries"),
        columns=COLUMNS,
        empty=Empty(
            "No history yet", "Changes appear here as they are made. Old entries are in the archive."
        ),
    )
    return related_panel(listed, rows, all_href=with_filters(**filters))
