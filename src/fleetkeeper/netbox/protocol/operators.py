"""Filters' lookups, such as `name__ic`, and what they mean of a column and of a value."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, and_, func, literal, not_, or_, true

from fleetkeeper.errors import InvalidInputError
from fleetkeeper.kit.clock import parse_time
from fleetkeeper.netbox.protocol.query import refused, truth

TEXT = ("", "n", "ic", "nic", "isw", "nisw", "iew", "niew", "ie", "nie", "empty")
NUMBER = ("", "n", "lt", "lte", "gt", "gte", "empty")
SAME = ("", "n")
ALL = frozenset({*TEXT, *NUMBER})
_LARGEST = 2**63
Test = Callable[[Any], bool]


def split(name: str) -> tuple[str, str]:
    """A filter's name and its lookup, empty for equality."""
    base, separator, lookup = name.rpartition("__")
    return (base, lookup) if separator and lookup in ALL else (name, "")


def text_test(lookup: str, values: Sequence[str]) -> Test:
    """Whether a text fits one of the values, or with an `n` before the lookup none of them."""
    if lookup == "empty":
        is_empty = truth("empty", values[-1])
        return lambda told: (not told) is is_empty
    is_negated = lookup.startswith("n")
    wanted = [one.lower() for one in values]
    kind = lookup.removeprefix("n")
    if not kind:
        same = frozenset(values)
        return lambda told: ((told or "") in same) is not is_negated
    tests: dict[str, Callable[[str, str], bool]] = {
        "ic": lambda told, one: one in told,
        "isw": str.startswith,
        "iew": str.endswith,
        "ie": lambda told, one: told == one,
    }
    test = tests[kind]
    return lambda told: any(test((told or "").lower(), one) for one in wanted) is not is_negated


def text_condition(column: ColumnElement[Any], lookup: str, values: Sequence[str]) -> ColumnElement[bool]:
    """The same in SQL."""
    told = func.coalesce(column, "")
    if lookup == "empty":
        return told == "" if truth("empty", values[-1]) else told != ""
    is_negated = lookup.startswith("n")
    kind = lookup.removeprefix("n")
    if not kind:
        # The bare column, so that an index serves.
        fits = or_(column.in_(list(values)), *([column.is_(None)] if "" in values else []))
        return and_(not_(told.in_(list(values)))) if is_negated else fits
    patterns = {"ic": "%{}%", "isw": "{}%", "iew": "%{}", "ie": "{}"}
    fits = or_(*(told.ilike(patterns[kind].format(_escaped(one)), escape="\\") for one in values))
    return not_(fits) if is_negated else fits


def number_condition(
    name: str, column: ColumnElement[Any], lookup: str, values: Sequence[str], read: Callable[..., Any]
) -> ColumnElement[bool]:
    """A comparison of numbers or times. Raises InvalidInputError for what is none."""
    if lookup == "empty":
        is_empty = truth(name, values[-1])
        return column.is_(None) if is_empty else column.is_not(None)
    wanted = [_as_told(read(name, one)) for one in values]
    if not lookup:
        return column.in_(wanted)
    if lookup == "n":
        return or_(column.is_(None), column.not_in(wanted))
    compare = {"lt": column.__lt__, "lte": column.__le__, "gt": column.__gt__, "gte": column.__ge__}[lookup]
    return or_(*(compare(one) for one in wanted))


def _as_told(value: Any) -> Any:
    """A whole number with all its digits, of which a column of smaller numbers has none alike."""
    return literal(value, BigInteger) if isinstance(value, int) else value


def any_number(
    name: str, column: ColumnElement[Any], values: Sequence[str], unit: int = 1
) -> ColumnElement[bool]:
    """One of some whole numbers, in units of the column. Raises InvalidInputError for what is none."""
    return column.in_([_as_told(read_whole(name, one) // unit) for one in values])


def read_whole(name: str, text: str) -> int:
    """A whole number. Raises InvalidInputError."""
    digits = text.removeprefix("-")
    if not digits.isascii() or not digits.isdigit() or len(digits) > 19 or int(digits) >= _LARGEST:
        raise refused(name, "Enter a whole number.")
    return int(text)


def read_moment(name: str, text: str) -> datetime:
    """A time. Raises InvalidInputError."""
    try:
        return parse_time(text if "T" in text or " " in text else f"{text}T00:00:00Z")
    except ValueError:
        raise refused(name, "Enter a valid date/time.") from None


def either(conditions: Sequence[ColumnElement[bool]]) -> ColumnElement[bool]:
    """Any of them; what has none fits nothing."""
    return or_(*conditions) if conditions else not_(true())


def unknown(name: str) -> InvalidInputError:
    """As NetBox says it of a filter that it does not have."""
    return refused(name, "Unknown filter field.")


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
