"""What a page says of its list: columns, filters, words."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Generic, TypeVar

from fleetkeeper.console.contexts.lists import BulkAction, Empty
from fleetkeeper.console.contexts.panels import Cell, RowAction
from fleetkeeper.console.forms.schema_fields import words_of
from fleetkeeper.console.lists.days import DayFilter
from fleetkeeper.kit.error_words import field_words
from fleetkeeper.kit.listing import Listing

Item = TypeVar("Item")
PAGE_SIZE = 50
FORMATS = (("csv", "CSV"), ("xlsx", "Excel"), ("json", "JSON"))


@dataclass(frozen=True)
class Column(Generic[Item]):
    """A column. `sort` is the field that a click on its head sorts by."""

    name: str
    title: str
    cell: Callable[[Item], Cell]
    sort: str = ""
    falls_first: bool = False
    # Seen only by those who choose it.
    is_extra: bool = False
    # `is-minor` goes first where there is little room, `is-wide` has a line of its own on a phone.
    css: str = ""
    # What exports call it, where that is not its name; None where they do not have it.
    field: str | None = ""


@dataclass(frozen=True)
class Choice:
    """A value of a filter. `means` is what it asks the service for, where that is not the value itself."""

    value: str
    label: str
    means: tuple[tuple[str, str], ...] | None = None
    # The state of devices whose mark stands before it.
    mark: str = ""


@dataclass(frozen=True)
class QuickFilter:
    """A filter that is always in sight. With `is_chips` all its choices are, too."""

    name: str
    title: str
    choices: tuple[Choice, ...]
    everything: str = "All"
    is_chips: bool = False
    # What the service is asked for where none is chosen.
    otherwise: tuple[tuple[str, str], ...] = ()

    hint = ""

    @property
    def kind(self) -> str:
        """How it is shown."""
        return "chips" if self.is_chips else "select"

    def meaning(self, text: str) -> tuple[tuple[str, str], ...]:
        """What the service is asked for."""
        known = next((one for one in self.choices if one.value == text), None)
        return ((self.name, text),) if known is None or known.means is None else known.means


def status_filter(states: type[StrEnum], name: str = "status", *, is_chips: bool = False) -> QuickFilter:
    """The filter for the states of a status machine."""
    return QuickFilter(name, "Status", tuple(Choice(one, words_of(one)) for one in states), is_chips=is_chips)


@dataclass(frozen=True)
class ListPage(Generic[Item]):
    """A list as a page shows it. Rows need an attribute `id` where the list has actions on several of them."""

    path: str
    title: str
    # One of them, and several.
    noun: tuple[str, str]
    columns: tuple[Column[Item], ...]
    empty: Empty
    listing: Listing | None = None
    # What can be searched for; without it there is no search.
    search: str = ""
    quick: tuple[QuickFilter | DayFilter, ...] = ()
    actions: Callable[[Item], Sequence[RowAction]] = field(default=lambda _: ())
    # What the fields that have no column of their own are called.
    titles: Mapping[str, str] = field(default_factory=dict)
    # What people call the values of filters, by field and value: names instead of IDs.
    values: Mapping[tuple[str, str], str] = field(default_factory=dict)
    # Where the whole list can be had as a file: the address of the API's export, and what it can be.
    export: str = ""
    formats: tuple[tuple[str, str], ...] = FORMATS
    # Whether a file has the columns that the list shows; without it a file has all there is.
    exports_columns: bool = True
    text: str = ""
    # What stands above the list's text, where that is not the page's title.
    heading: str = ""
    refresh_seconds: int = 0
    # What may be done with several.
    bulk: tuple[BulkAction, ...] = ()

    @property
    def id(self) -> str:
        """The panel's own."""
        return self.path.rpartition("/")[2]

    @property
    def fields(self) -> Mapping[str, Any]:
        """The fields that may be filtered by."""
        return self.listing.fields if self.listing is not None else {}

    def title_of(self, name: str) -> str:
        """What people call a field."""
        column = next((one for one in self.columns if name in (one.sort, one.name)), None)
        return self.titles.get(name) or (column.title if column else field_words(name))
