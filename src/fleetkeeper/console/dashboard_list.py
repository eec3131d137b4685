"""The list of saved dashboards. Pure."""

from fleetkeeper.console.contexts.lists import Empty
from fleetkeeper.console.contexts.panels import Cell, RowAction, Tag
from fleetkeeper.console.lists.declaring import Choice, Column, ListPage, QuickFilter
from fleetkeeper.console.rendering import format_words
from fleetkeeper.telemetry.dashboards.queries import LISTING
from fleetkeeper.telemetry.dashboards.schemas import DashboardSummary

HOME = "/dashboards"
VISIBLE_TO = {"everyone": "Everyone", "private": "Only you"}


def dashboard_list(*, may_write: bool) -> ListPage[DashboardSummary]:
    """The list; those who make dashboards are told how to begin."""
    return ListPage(
        path=HOME,
        title="Dashboards",
        noun=("dashboard", "dashboards"),
        listing=LISTING,
        search="Name or description",
        quick=(
            QuickFilter(
                "visibility",
                "Visible to",
                tuple(Choice(value, label) for value, label in VISIBLE_TO.items()),
                is_chips=True,
            ),
        ),
        columns=(
            Column("name", "Name", _name, sort="name"),
            Column("visibility", "Visible to", lambda one: Cell(VISIBLE_TO[one.visibility]), "visibility"),
            Column("owner", "Owner", lambda one: Cell(one.owner), css="is-minor"),
            Column("panels", "Panels", lambda one: Cell(str(one.panels)), css="is-number is-minor"),
            Column(
                "updated_at",
                "Changed",
                lambda one: Cell(at=one.updated_at, kind="time", is_soft=True),
                sort="updated_at",
                falls_first=True,
            ),
            Column(
                "created_at",
                "Created",
                lambda one: Cell(at=one.created_at, kind="time", is_soft=True),
                sort="created_at",
                falls_first=True,
                is_extra=True,
            ),
        ),
        actions=_actions,
        titles={
            "id": "ID",
            "slug": "URL slug",
            "default_for": "Default for",
            "owner_id": "Owner ID",
            "updated_by": "Changed by",
        },
        empty=Empty(
            "No saved dashboards yet",
            "Create one, import a file, or open a built-in one below and duplicate it. A query in Explore becomes "
            "a panel with “Save to dashboard”."
            if may_write
            else "Dashboards that people share with everyone are listed here. The built-in ones are below.",
        ),
        export="/api/v1/dashboards/export",
    )


def _name(one: DashboardSummary) -> Cell:
    tags = (Tag(f"Default: {format_words(one.default_for)}"),) if one.default_for else ()
    return Cell(one.name, f"{HOME}/{one.slug}", detail=one.description, tags=tags)


def _actions(one: DashboardSummary) -> tuple[RowAction, ...]:
    if not one.may_change:
        return ()
    whom = "for everyone who uses it" if one.visibility == "everyone" else "for you"
    instead = " The built-in one becomes the default again." if one.default_for else ""
    consequence = (
        f"Delete “{one.name}” {whom}? Links to it stop working. This cannot be undone: export it first to keep a copy."
        f"{instead} Measurements stay."
    )
    return (RowAction("Delete", f"{HOME}/{one.slug}/delete", consequence),)
