"""Lists: filters, ordering and keyset paging from the names in a query string, over an allow-list of columns."""

import operator as operators
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from types import MappingProxyType
from typing import Any, TypeVar
from urllib.parse import urlencode
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Select,
    and_,
    false,
    func,
    literal,
    literal_column,
    or_,
    select,
)
from sqlalchemy import (
    text as sql,
)
from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.errors import FieldError, InvalidInputError
from fleetkeeper.kit.clock import parse_time
from fleetkeeper.kit.pagination import DEFAULT_LIMIT, MAX_LIMIT, decode_cursor, encode_cursor
from fleetkeeper.kit.text import is_storable

Answer = TypeVar("Answer")
OPERATORS = ("exact", "in", "gte", "lte", "gt", "lt", "contains", "isnull")
MAX_ITEMS = 200
MAX_TEXT_LENGTH = 300
_MOST_DECIMAL = Decimal(10) ** 15
CONTROL_PARAMETERS = frozenset({"limit", "cursor", "ordering", "q"})

# What stands in for a moment that is not there. PostgreSQL's infinity does not fit into a cursor's moment.
FIRST = "'1970-01-01 00:00:00+00'::timestamptz"
LAST = "'9998-01-01 00:00:00+00'::timestamptz"
LAST_DAY = "'9998-01-01'::date"


_KINDS = {
    "str": f"text of at most {MAX_TEXT_LENGTH} characters",
    "bool": "true or false",
    "date": "a date such as 2026-11-27",
    "datetime": "a time with its zone such as 2026-11-27T16:00:00Z, or epoch seconds",
    "UUID": "an ID such as 0198c0de-7c00-7a00-8000-000000000000",
}
_NOTHING: Mapping[tuple[str, str], ColumnElement[bool]] = MappingProxyType({})
_COMPARISONS: dict[str, Callable[[Any, Any], Any]] = {
    "exact": operators.eq,
    "gte": operators.ge,
    "lte": operators.le,
    "gt": operators.gt,
    "lt": operators.lt,
}


@dataclass(frozen=True)
class Field:
    """One column of a list: the expression, its type, and an SQL literal that stands in for NULL when sorting.

    The literal is part of the statement, not a parameter, so that an index on the same expression serves the order.
    """

    expression: ColumnElement[Any]
    kind: type[str | int | float | bool | date | datetime | Decimal | UUID]
    sortable: bool = True
    null_as: str | None = None
    # Whether the column comes with a join that the list's `narrow` statement leaves out.
    joined: bool = False
    # Of a text that is one of few: a filter for another is a mistake, and finds nothing.
    choices: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Raises ValueError for a stand-in that no cursor can hold."""
        if self.null_as is not None and "infinity" in self.null_as:
            raise ValueError(f"{self.null_as} fits into no cursor; take FIRST, LAST or LAST_DAY")

    @property
    def sort_expression(self) -> ColumnElement[Any]:
        """What to sort by: never NULL, so that a keyset comparison decides."""
        return (
            self.expression
            if self.null_as is None
            else func.coalesce(self.expression, literal_column(self.null_as))
        )

    def parse(self, name: str, text: str) -> Any:
        """Read a value of this column. Raises InvalidInputError that names the field."""
        try:
            if self.kind is bool:
                return {"true": True, "false": False}[text.lower()]
            if self.kind is datetime:
                return parse_time(text)
            if self.kind is date:
                return date.fromisoformat(text)
            return _read_value(
                self.kind, text, bits=64 if isinstance(self.expression.type, BigInteger) else 32
            )
        except OverflowError:
            raise _wrong(name, "Must be a smaller number") from None
        except (ValueError, KeyError):
            kind = _KINDS.get(self.kind.__name__, "a number")
            raise _wrong(name, f"Must be {kind}") from None

    def parse_choice(self, name: str, text: str) -> Any:
        """Read a value that is asked for. Raises InvalidInputError that names the field and its choices."""
        if self.choices and text not in self.choices:
            *others, last = self.choices
            raise _wrong(name, f"Must be {', '.join(others)} or {last}")
        return self.parse(name, text)


def _read_value(kind: Any, text: str, *, bits: int) -> Any:
    """Raises ValueError for what is no such value, OverflowError for a number that the database could not hold."""
    if not is_storable(text) or len(text) > MAX_TEXT_LENGTH:
        raise ValueError(text)
    if kind is Decimal:
        return _read_decimal(text)
    value = kind(text)
    if isinstance(value, int) and not -(2 ** (bits - 1)) <= value < 2 ** (bits - 1):
        raise OverflowError(text)
    return value


def _read_decimal(text: str) -> Decimal:
    """Raises ValueError for what is no finite number, OverflowError for one that the database could not hold."""
    try:
        value = Decimal(text)
    except InvalidOperation:
        raise ValueError(text) from None
    if not value.is_finite():
        raise ValueError(text)
    if abs(value) >= _MOST_DECIMAL:
        raise OverflowError(text)
    return value


@dataclass(frozen=True)
class Page:
    """One page of rows, with the query strings of its neighbors (None at the ends)."""

    count: int
    next: str | None
    previous: str | None
    rows: Sequence[Any]
    # Whether there are exactly `count`; where not, there are more.
    is_counted: bool = True


@dataclass(frozen=True)
class Listing:
    """A list that clients may filter by `field`, `field__in`, `field__gte`, …, search by `q` and order."""

    fields: Mapping[str, Field]
    search: Sequence[ColumnElement[Any]]
    key: ColumnElement[Any]
    default_ordering: str
    key_kind: type[UUID] | type[int] | type[str] = UUID
    # Lists of millions are counted up to here only.
    count_limit: int | None = None
    # Parameters that the list's own service understands, and takes out before it reads the list: name and description.
    special: Mapping[str, str] = field(default_factory=dict)

    def filters(
        self,
        parameters: Sequence[tuple[str, str]],
        meant: Mapping[tuple[str, str], ColumnElement[bool]] = _NOTHING,
    ) -> list[ColumnElement[bool]]:
        """The conditions in a query string, of which `meant` has some. Raises InvalidInputError for an unknown name."""
        conditions: list[ColumnElement[bool]] = []
        for name, text in parameters:
            if (name, text) in meant:
                conditions.append(meant[name, text])
                continue
            if name == "q" and text.strip():
                pattern = f"%{_escape_like(text.strip()[:MAX_TEXT_LENGTH])}%"
                if not is_storable(text):
                    raise InvalidInputError(
                        "The search is wrong.", fields=[FieldError("q", "has no NUL character")]
                    )
                conditions.append(or_(*(column.ilike(pattern, escape="\\") for column in self.search)))
            if name in CONTROL_PARAMETERS or not text:
                continue
            base, separator, operator = name.partition("__")
            field = self.fields.get(base)
            operator = operator if separator else "exact"
            if field is None or operator not in OPERATORS:
                raise InvalidInputError(
                    "The filter is unknown.",
                    fields=[
                        FieldError(
                            name, f"filters are {', '.join(self.fields)}, with __in, __gte, __contains, …"
                        ),
                    ],
                )
            conditions.append(_condition(name, field, operator, text))
        return conditions

    async def page(
        self,
        session: AsyncSession,
        statement: Select[*tuple[Any, ...]],
        parameters: Sequence[tuple[str, str]],
        *,
        narrow: Select[*tuple[Any, ...]] | None = None,
        meant: Mapping[tuple[str, str], ColumnElement[bool]] = _NOTHING,
        is_counted: bool = True,
    ) -> Page:
        """Run `statement`, filtered, ordered and cut to a page as the query string says.

        The page's keys are found first, in rows as narrow as can be, and only then are its objects read. `narrow` is
        the same list without its joins; it serves for counting and finding where no joined column is asked for. `meant`
        are the conditions of pairs in the query string that are more than a comparison. Who goes through all pages
        needs no total: without it `count` is that of the page.
        """
        values = dict(parameters)
        limit = _limit(values.get("limit"))
        ordering = values.get("ordering") or self.default_ordering
        descending, field = ordering.startswith("-"), self.fields.get(ordering.removeprefix("-"))
        if field is None or not field.sortable:
            known = ", ".join(name for name, item in self.fields.items() if item.sortable)
            raise InvalidInputError(
                "The ordering is unknown.", fields=[FieldError("ordering", f"one of {known}")]
            )
        names = {name.partition("__")[0] for name, text in parameters if text}
        needs_join = any(item.joined for name, item in self.fields.items() if name in names)
        counted = statement if narrow is None or needs_join else narrow
        searched = statement if narrow is None or needs_join or field.joined else narrow
        conditions = self.filters(parameters, meant)
        filtered = searched.where(*conditions)
        sort, backwards = field.sort_expression, False
        cut = filtered
        if values.get("cursor"):
            direction, last, last_key = decode_cursor(values["cursor"], 3)
            backwards = direction == "p"
            position = (field.parse("cursor", str(last)), _read_key(self.key_kind, last_key))
            cut = filtered.where(_beyond(sort, self.key, position, descending=descending is not backwards))
        down = descending is not backwards
        order = (sort.desc(), self.key.desc()) if down else (sort.asc(), self.key.asc())
        keys = (
            cut.with_only_columns(self.key.label("key"), sort.label("sort"), maintain_column_froms=True)
            .order_by(*order)
            .limit(limit + 1)
            .subquery()
        )
        chosen = statement.join(keys, keys.c.key == self.key).add_columns(
            keys.c.sort.label("_sort"), self.key.label("_key")
        )
        final = (keys.c.sort.desc(), keys.c.key.desc()) if down else (keys.c.sort.asc(), keys.c.key.asc())
        if values.get("q"):
            # Which index finds a text depends on the text: a plan for any would go through all rows.
            await session.execute(sql("SET LOCAL plan_cache_mode = force_custom_plan"))
        rows = list((await session.execute(chosen.order_by(*final))).all())
        more, rows = len(rows) > limit, rows[:limit]
        # A list that fits its first page is counted already.
        count, is_whole = len(rows), is_counted
        if is_counted and (more or values.get("cursor")):
            count, is_whole = await self._count(session, counted.where(*conditions))
        if backwards:
            rows.reverse()
        link = [(name, text) for name, text in parameters if name != "cursor"]
        has_next, has_previous = (True, more) if backwards else (more, bool(values.get("cursor")))
        return Page(
            count=count,
            next=_link(link, "n", rows[-1]) if rows and has_next else None,
            previous=_link(link, "p", rows[0]) if rows and has_previous else None,
            rows=rows,
            is_counted=is_whole,
        )

    async def read(
        self,
        session: AsyncSession,
        statement: Select[*tuple[Any, ...]],
        parameters: Sequence[tuple[str, str]],
        page: Callable[..., Answer],
        read: Callable[[Any], Any],
        **more: Any,
    ) -> Answer:
        """A page of the list as its API answers: `read` makes what is told of each row. Takes what `page` takes."""
        found = await self.page(session, statement, parameters, **more)
        results = [read(row) for row in found.rows]
        return page(count=found.count, next=found.next, previous=found.previous, results=results)

    async def keys(
        self,
        session: AsyncSession,
        statement: Select[*tuple[Any, ...]],
        parameters: Sequence[tuple[str, str]],
        *,
        meant: Mapping[tuple[str, str], ColumnElement[bool]] = _NOTHING,
        limit: int,
    ) -> list[Any]:
        """The keys of what fits a query string, so many at most, in no order. Raises InvalidInputError."""
        found = statement.with_only_columns(self.key, maintain_column_froms=True)
        return list(await session.scalars(found.where(*self.filters(parameters, meant)).limit(limit)))

    async def _count(self, session: AsyncSession, statement: Select[*tuple[Any, ...]]) -> tuple[int, bool]:
        """How many rows there are, and whether that is all of them."""
        if self.count_limit is None:
            columns = statement.with_only_columns(func.count(), maintain_column_froms=True)
            return await session.scalar(columns.order_by(None)) or 0, True
        some = statement.with_only_columns(self.key, maintain_column_froms=True).order_by(None)
        found = some.limit(self.count_limit + 1).subquery()
        count = await session.scalar(select(func.count()).select_from(found)) or 0
        return min(count, self.count_limit), count <= self.count_limit


def _link(parameters: Sequence[tuple[str, str]], direction: str, row: Any) -> str:
    sort = row._mapping["_sort"]  # noqa: SLF001 - the documented name of a row's mapping
    value = sort.isoformat() if isinstance(sort, date) else sort
    cursor = encode_cursor([direction, value, str(row._mapping["_key"])])  # noqa: SLF001
    return "?" + urlencode([*parameters, ("cursor", cursor)])


def _beyond(
    sort: ColumnElement[Any], key: ColumnElement[Any], position: tuple[Any, Any], *, descending: bool
) -> ColumnElement[bool]:
    value, last_key = position
    if isinstance(value, bool):
        # Python's own is no parameter to SQLAlchemy, which would not compare by it.
        value = literal(value)
    if descending:
        return and_(sort <= value, or_(sort < value, key < last_key))
    return and_(sort >= value, or_(sort > value, key > last_key))


def _read_key(kind: type[UUID] | type[int] | type[str], value: Any) -> UUID | int | str:
    try:
        key: UUID | int | str = _read_value(kind, str(value), bits=64)
    except (ValueError, OverflowError):
        raise InvalidInputError(
            "The cursor does not fit this list.", fields=[FieldError("cursor", "start again without it")]
        ) from None
    return key


def _limit(text: str | None) -> int:
    if not text:
        return DEFAULT_LIMIT
    if not text.isascii() or not text.isdigit() or len(text) > 6 or not 1 <= int(text) <= MAX_LIMIT:
        raise InvalidInputError("The limit is wrong.", fields=[FieldError("limit", f"is 1 to {MAX_LIMIT}")])
    return int(text)


def _wrong(name: str, words: str) -> InvalidInputError:
    return InvalidInputError("The filter is wrong.", fields=[FieldError(name, words)])


def _condition(name: str, field: Field, operator: str, text: str) -> ColumnElement[bool]:
    column = field.expression
    if operator == "isnull":
        if text.lower() not in {"true", "false"}:
            raise _wrong(name, "Must be true or false")
        return column.is_(None) if text.lower() == "true" else column.is_not(None)
    if operator == "in":
        items = [item for item in text.split(",") if item]
        if len(items) > MAX_ITEMS:
            raise InvalidInputError(
                "The filter is too long.", fields=[FieldError(name, f"at most {MAX_ITEMS} items")]
            )
        return column.in_([field.parse_choice(name, item) for item in items]) if items else false()
    if operator == "contains":
        if field.kind is not str:
            raise _wrong(name, "Works for texts only")
        return column.ilike(f"%{_escape_like(field.parse(name, text))}%", escape="\\")
    value = field.parse_choice(name, text) if operator == "exact" else field.parse(name, text)
    if operator != "exact" and field.kind is bool:
        raise _wrong(name, "Works with equality only")
    condition: ColumnElement[bool] = _COMPARISONS[operator](column, value)
    return condition


def _escape_like(text: str) -> str:
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


async def count_rows(session: AsyncSession, model: Any, *conditions: ColumnElement[bool]) -> int:
    """How many rows of a model fit."""
    return await session.scalar(select(func.count()).select_from(model).where(*conditions)) or 0
