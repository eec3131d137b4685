"""From a list's declaration and one page of its rows to what the template shows. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias, TypeVar
from urllib.parse import parse_qs, urlencode
from uuid import UUID
from zoneinfo import ZoneInfo

from fleetkeeper.console.contexts.lists import (
    ActiveFilter,
    ColumnChoice,
    Head,
    ListPanel,
    ListRow,
    QuickFilterField,
    ShownCell,
)
from fleetkeeper.console.contexts.panels import Option
from fleetkeeper.console.lists.asked import Asked, read_asked
from fleetkeeper.console.lists.days import DayFilter
from fleetkeeper.console.lists.declaring import PAGE_SIZE, Choice, Column, ListPage, QuickFilter
from fleetkeeper.console.lists.filtering import (
    EMPTY,
    SET,
    UTC,
    condition_words,
    entered,
    filter_inputs,
    meant_by,
    shown_value,
)

Item = TypeVar("Item")
Parameters: TypeAlias = Sequence[tuple[str, str]]


# One page of rows, as services answer: `count`, `next`, `previous`, `results`.
Rows: TypeAlias = Any


@dataclass(frozen=True)
class SomeRows:
    """Rows that no service has made a page of."""

    results: Sequence[Any] = ()
    count: int = 0
    next: str | None = None
    previous: str | None = None
    # Whether there are exactly `count`; where not, there are more.
    is_counted: bool = True

    @classmethod
    def of(cls, page: Rows, rows: Sequence[Any]) -> "SomeRows":
        """A service's page, with rows that say more than its own."""
        return cls(rows, page.count, page.next, page.previous)


def asked_of(page: ListPage[Item], parameters: Parameters) -> Asked:
    """What an address asks of the list."""
    sortable = {name for name, one in page.fields.items() if one.sortable}
    asked = read_asked(
        page.path,
        parameters,
        filters=frozenset(page.fields) | {one.name for one in page.quick},
        columns=[one.name for one in page.columns],
        orderings=frozenset(sortable | {one.sort for one in page.columns if one.sort}),
    )
    return replace(asked, filters=tuple((name, entered(page, name, text)) for name, text in asked.filters))


def service_parameters(page: ListPage[Item], asked: Asked, zone: ZoneInfo = UTC) -> list[tuple[str, str]]:
    """The same as the service takes it, with days of that zone. Raises InvalidInputError for a wrong value."""
    quick = {one.name: one for one in page.quick}
    found = [
        ("q", asked.q),
        ("ordering", asked.ordering),
        ("cursor", asked.cursor),
        ("limit", str(PAGE_SIZE)),
    ]
    for name, text in asked.filters:
        found += quick[name].meaning(text) if name in quick else meant_by(page, name, text, zone)
    for name, filter_ in quick.items():
        found += () if asked.value(name) else filter_.otherwise
    return [(name, text) for name, text in found if text]


def list_panel(
    page: ListPage[Item], asked: Asked, rows: Rows, parameters: Parameters = (), message: str = ""
) -> ListPanel:
    """The list with one page of its rows, which the service gave for these parameters."""
    columns = shown_columns(page, asked)
    return ListPanel(
        id=page.id,
        title=page.heading or page.title,
        text=page.text,
        path=page.path,
        here=asked.address,
        q=asked.q,
        ordering=asked.ordering,
        columns=asked.columns,
        search=page.search,
        quick=tuple(_quick_field(one, asked) for one in page.quick),
        active=tuple(_active_filters(page, asked)),
        fields=_field_options(page),
        inputs=filter_inputs(page, UTC),
        heads=tuple(_head(page, one, asked) for one in columns),
        rows=tuple(_row(page, columns, one) for one in rows.results),
        count=rows.count,
        is_counted=getattr(rows, "is_counted", True),
        noun=page.noun[0] if rows.count == 1 else page.noun[1],
        next_href=_neighbour(asked, rows.next),
        previous_href=_neighbour(asked, rows.previous),
        column_choices=_column_choices(page, columns),
        exports=_exports(page, parameters, columns),
        empty=page.empty,
        is_narrowed=asked.is_narrowed,
        wider=_wider(page, asked),
        plain_href=Asked(page.path).explicit_address,
        refresh_seconds=page.refresh_seconds,
        message=message,
        bulk=page.bulk,
        matching=matching_of(parameters),
    )


def matching_of(parameters: Parameters) -> str:
    """The filters of a list in one text, by which all that match are meant."""
    return urlencode([item for item in parameters if item[0] not in {"limit", "cursor", "ordering"}])


def related_panel(
    page: ListPage[Item], rows: Rows, title: str = "", text: str = "", all_href: str = ""
) -> ListPanel:
    """Some rows of a list on the page of something else, without search and filters; `all_href` has all of them."""
    columns = tuple(replace(one, sort="") for one in page.columns)
    plain = replace(
        page, columns=columns, listing=None, search="", quick=(), export="", refresh_seconds=0, bulk=()
    )
    panel = list_panel(plain, Asked(page.path), rows)
    return replace(
        panel,
        title=title or page.title,
        text=text,
        is_titled=bool(title),
        here="",
        next_href=None,
        previous_href=None,
        all_href=all_href if rows.next else "",
    )


def shown_columns(page: ListPage[Item], asked: Asked) -> list[Column[Item]]:
    """The columns that were chosen, in that order; those that a list has by itself where none were."""
    by_name = {one.name: one for one in page.columns}
    return [by_name[name] for name in asked.columns] or [one for one in page.columns if not one.is_extra]


def _row(page: ListPage[Item], columns: Sequence[Column[Item]], item: Item) -> ListRow:
    cells = tuple(ShownCell(one.cell(item), one.title, one.css) for one in columns)
    return ListRow(str(getattr(item, "id", "")), cells, tuple(page.actions(item)))


def _head(page: ListPage[Item], column: Column[Item], asked: Asked) -> Head:
    if not column.sort:
        return Head(column.title, "", "none", column.css)
    default = page.listing.default_ordering if page.listing is not None else ""
    present = asked.ordering or default
    rises, falls = present == column.sort, present == f"-{column.sort}"
    falls_next = rises or (column.falls_first and not falls)
    following = f"-{column.sort}" if falls_next else column.sort
    href = asked.sorted_by("" if following == default else following).explicit_address
    return Head(column.title, href, "ascending" if rises else "descending" if falls else "none", column.css)


def _neighbour(asked: Asked, link: str | None) -> str | None:
    if link is None:
        return None
    return asked.at(parse_qs(link.partition("?")[2])["cursor"][0]).address


def _field_options(page: ListPage[Item]) -> tuple[Option, ...]:
    """The fields to filter by, but for those that hold no value for people."""
    named = [(page.title_of(name), name) for name, one in page.fields.items() if one.kind is not UUID]
    return tuple(Option(name, title) for title, name in sorted(named))


def _quick_field(quick: QuickFilter | DayFilter, asked: Asked) -> QuickFilterField:
    chosen = asked.value(quick.name)
    choices = (Choice("", quick.everything), *quick.choices)
    options = tuple(Option(one.value, one.label, one.value == chosen, mark=one.mark) for one in choices)
    is_known = quick.kind == "date" or any(one.is_chosen for one in options)
    return QuickFilterField(
        quick.name, quick.title, quick.kind, chosen if is_known else "", options, quick.hint
    )


def _wider(page: ListPage[Item], asked: Asked) -> tuple[str, str] | None:
    """The list without what a quick filter leaves out where nothing is chosen: its first choice."""
    for quick in page.quick:
        if quick.otherwise and not asked.value(quick.name):
            choice = quick.choices[0]
            return asked.with_filter((quick.name, choice.value)).address, choice.label
    return None


def _active_filters(page: ListPage[Item], asked: Asked) -> list[ActiveFilter]:
    """The filters that no quick one shows, each with the address of the list without it."""
    quick = {(one.name, one.value) for one in (_quick_field(one, asked) for one in page.quick)}
    found = []
    for name, text in asked.filters:
        if (name, text) in quick:
            continue
        base, _, operator = name.partition("__")
        operator = SET if operator == EMPTY and text.lower() != "true" else operator or "exact"
        shown = "" if operator in {EMPTY, SET} else shown_value(page, name, text)
        label = f"{page.title_of(base)} {condition_words(page.fields.get(base), operator)}"
        found.append(ActiveFilter(name, text, label, shown, asked.without((name, text)).explicit_address))
    return found


def _column_choices(page: ListPage[Item], columns: Sequence[Column[Item]]) -> tuple[ColumnChoice, ...]:
    shown = [ColumnChoice(one.name, one.title, is_shown=True) for one in columns]
    names = {one.name for one in columns}
    return (
        *shown,
        *(ColumnChoice(one.name, one.title, is_shown=False) for one in page.columns if one.name not in names),
    )


def _exports(
    page: ListPage[Item], parameters: Parameters, columns: Sequence[Column[Item]]
) -> tuple[tuple[str, str], ...]:
    if not page.export:
        return ()
    wanted = [one for one in parameters if one[0] not in {"cursor", "limit"}]
    if page.exports_columns:
        fields = (one.name if one.field == "" else one.field for one in columns)
        wanted.append(("fields", ",".join(filter(None, fields))))
    return tuple(
        (f"{page.export}?{urlencode([*wanted, ('format', name)])}", label) for name, label in page.formats
    )
