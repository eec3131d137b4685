"""A list with its search, filters, columns and pages."""

from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlencode

# A list is a panel, and is made of what panels are made of.
if TYPE_CHECKING:
    from fleetkeeper.console.contexts.panels import Cell, Option, RowAction


@dataclass(frozen=True)
class BulkAction:
    """A button for what is selected, which leads to `<the list's path>/<path>`."""

    title: str
    path: str = "bulk"
    is_danger: bool = False


@dataclass(frozen=True)
class Empty:
    """What stands in a list without anything in it, and what to do next."""

    title: str
    text: str = ""
    # Address and words of a button.
    action: tuple[str, str] | None = None
    # What to do where filters leave nothing.
    narrowed: str = "Try fewer filters, or part of a name."


@dataclass(frozen=True)
class QuickFilterField:
    """A filter that is always in sight. `kind` is chips, select or date."""

    name: str
    title: str
    kind: str
    value: str
    options: "tuple[Option, ...]"
    hint: str


@dataclass(frozen=True)
class ActiveFilter:
    """A filter that was added, and the address of the list without it."""

    name: str
    value: str
    label: str
    text: str
    href: str


@dataclass(frozen=True)
class FilterInputs:
    """How a filter for a field is entered. `kind` is an input's type, `select`, `ticks`, or nothing without a value."""

    id: str
    path: str
    field: str
    conditions: "tuple[Option, ...]"
    kind: str
    value: str
    options: "tuple[Option, ...]" = ()
    hint: str = ""
    is_required: bool = True


@dataclass(frozen=True)
class FilterFragment:
    """What is exchanged of the form while a field is chosen."""

    inputs: FilterInputs


@dataclass(frozen=True)
class Head:
    """A column's head: where a click on it leads, and how the list is sorted now (an `aria-sort` value)."""

    title: str
    href: str
    sorted: str
    css: str


@dataclass(frozen=True)
class ShownCell:
    """A cell with the title of its column, which stands beside it on a phone."""

    cell: "Cell"
    label: str
    css: str


@dataclass(frozen=True)
class ListRow:
    """One of the things."""

    id: str
    cells: tuple[ShownCell, ...]
    actions: "tuple[RowAction, ...]"


@dataclass(frozen=True)
class ColumnChoice:
    """A column that can be shown."""

    name: str
    title: str
    is_shown: bool


@dataclass(frozen=True)
class ListPanel:
    """A list in a card. `here` is its own address; the part below the filters is exchanged as they change."""

    id: str
    title: str
    text: str
    path: str
    here: str
    q: str
    ordering: str
    columns: tuple[str, ...]
    search: str
    quick: tuple[QuickFilterField, ...]
    active: tuple[ActiveFilter, ...]
    fields: "tuple[Option, ...]"
    inputs: FilterInputs
    heads: tuple[Head, ...]
    rows: tuple[ListRow, ...]
    count: int
    is_counted: bool
    noun: str
    next_href: str | None
    previous_href: str | None
    column_choices: tuple[ColumnChoice, ...]
    exports: tuple[tuple[str, str], ...]
    empty: Empty
    is_narrowed: bool
    # Address and words of the list without what it leaves out by itself.
    wider: tuple[str, str] | None
    # The list without any filter.
    plain_href: str
    refresh_seconds: int
    message: str
    # What may be done with several rows, and the filters by which all that match are meant.
    bulk: tuple[BulkAction, ...]
    matching: str
    # Where the whole list is, if these are some rows of it.
    all_href: str = ""
    # Whether its title stands above it where it has no text.
    is_titled: bool = False

    kind = "list"

    @property
    def kept(self) -> tuple[tuple[str, str], ...]:
        """What the address says beside search and quick filters."""
        filters = tuple((one.name, one.value) for one in self.active)
        ordering = (("ordering", self.ordering),) if self.ordering else ()
        return (*filters, *ordering, *(("columns", name) for name in self.columns))

    @property
    def views_href(self) -> str:
        """Where the list's saved views are; what it shows now can be saved there."""
        return f"/views?{urlencode({'path': self.path, 'query': self.here.partition('?')[2]})}"

    @property
    def has_actions(self) -> bool:
        """Whether a row has a button."""
        return any(row.actions for row in self.rows)


@dataclass(frozen=True)
class ListResults:
    """What is exchanged of a list."""

    panel: ListPanel
    csrf_token: str
