"""How each field of a list is filtered: its conditions, how a value is entered, and what is meant by it. Pure."""

import re
from collections.abc import Iterator, Sequence
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from fleetkeeper.console.contexts.lists import FilterInputs
from fleetkeeper.console.contexts.panels import Option
from fleetkeeper.console.lists.days import begin_of, day_wrong
from fleetkeeper.console.lists.declaring import Choice, ListPage
from fleetkeeper.console.rendering import format_words
from fleetkeeper.errors import FieldError, InvalidInputError
from fleetkeeper.kit.clock import parse_time
from fleetkeeper.kit.listing import Field

UTC = ZoneInfo("UTC")
EMPTY, SET = "isnull", "isset"
_EMPTINESS = {EMPTY: "is empty", SET: "is not empty"}
_WORDS = {
    "exact": "is",
    "contains": "contains",
    "in": "is one of",
    "gte": "is at least",
    "lte": "is at most",
    "gt": "is more than",
    "lt": "is less than",
}
_DAYS = {
    "exact": "is on",
    "gte": "is on or after",
    "lte": "is on or before",
    "gt": "is after",
    "lt": "is before",
}
_OFFERED = {
    str: ("exact", "contains", "in"),
    bool: ("exact",),
    int: ("exact", "gte", "lte"),
    float: ("exact", "gte", "lte"),
    date: ("exact", "gte", "lte"),
    datetime: ("exact", "gte", "lte"),
}
_INPUTS = {int: "number", float: "number", date: "date", datetime: "date"}
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_YES_AND_NO = (Choice("true", "Yes"), Choice("false", "No"))
_TRUTH = {"yes": "true", "no": "false"}


def filter_inputs(
    page: ListPage[Any], zone: ZoneInfo, name: str = "", condition: str = "", values: Sequence[str] = ()
) -> FilterInputs:
    """The condition and the value of a filter for a field; for none, what fits any."""
    field = page.fields.get(name)
    if field is None:
        words = tuple(Option(one, text) for one, text in {**_WORDS, **_EMPTINESS}.items())
        return FilterInputs(page.id, page.path, "", words, "text", "", is_required=False)
    choices = _choices(page, name)
    offered = ("exact", "in") if choices and field.kind is str else _OFFERED.get(field.kind, ("exact",))
    offered = (*offered, *_EMPTINESS) if getattr(field.expression, "nullable", True) else offered
    condition = condition if condition in offered else offered[0]
    kind = _input_of(field, condition, has_choices=bool(choices))
    return FilterInputs(
        page.id,
        page.path,
        name,
        tuple(Option(one, condition_words(field, one), one == condition) for one in offered),
        kind,
        values[0] if values and not choices and _fits(kind, values[0]) else "",
        tuple(Option(one.value, one.label, one.value in values) for one in choices),
        _hint(field, kind, condition, zone),
    )


def condition_words(field: Field | None, operator: str) -> str:
    """What people call a condition of a field."""
    words = _DAYS if field is not None and field.kind in {date, datetime} else _WORDS
    return _EMPTINESS.get(operator) or words.get(operator) or _WORDS.get(operator, operator)


def entered(page: ListPage[Any], name: str, text: str) -> str:
    """A filter's value as the address has it: for the word that people see, the value that it stands for."""
    base, _, operator = name.partition("__")
    quick = next((one for one in page.quick if one.name == name), None)
    choices = (*_choices(page, base), *(quick.choices if quick is not None else ()))
    values = {word.casefold(): one.value for one in reversed(choices) for word in (one.label, one.value)}
    if operator == EMPTY:
        return _TRUTH.get(text.strip().lower(), text)
    if operator == "in" and choices:
        return ",".join(values.get(one.strip().casefold(), one.strip()) for one in text.split(","))
    return values.get(text.strip().casefold(), text)


def shown_value(page: ListPage[Any], name: str, text: str) -> str:
    """A filter's value in words."""
    base, _, operator = name.partition("__")
    labels = {one.value: one.label for one in _choices(page, base)}
    if operator == "in":
        return ", ".join(labels.get(one, one) for one in text.split(","))
    return page.values.get((name, text)) or labels.get(text, text)


def meant_by(page: ListPage[Any], name: str, text: str, zone: ZoneInfo) -> Iterator[tuple[str, str]]:
    """What the service is asked for. Raises InvalidInputError for what is no value of the field."""
    base, _, operator = name.partition("__")
    field = page.fields.get(base)
    if field is None or operator in {EMPTY, "contains"}:
        yield name, text
    elif field.kind is datetime:
        yield from _times(base, operator or "exact", text, zone)
    else:
        _check_choices(page, name, text)
        yield name, text


def _times(base: str, operator: str, text: str, zone: ZoneInfo) -> Iterator[tuple[str, str]]:
    """A day as the moments at which it begins and ends; other times as they are."""
    try:
        if operator == "in" or not _DAY.fullmatch(text):
            for one in text.split(",") if operator == "in" else (text,):
                parse_time(one)
            yield base if operator == "exact" else f"{base}__{operator}", text
            return
        first, following = begin_of(text, zone), begin_of(text, zone, is_following=True)
    except (ValueError, OverflowError):
        raise day_wrong(base) from None
    if operator in {"exact", "gte"}:
        yield f"{base}__gte", first
    if operator in {"exact", "lte"}:
        yield f"{base}__lt", following
    if operator == "gt":
        yield f"{base}__gte", following
    if operator == "lt":
        yield f"{base}__lt", first


def _check_choices(page: ListPage[Any], name: str, text: str) -> None:
    base, _, operator = name.partition("__")
    choices = _choices(page, base)
    known = {one.value for one in choices}
    values = [one for one in text.split(",") if one] if operator == "in" else [text]
    if choices and operator in {"", "in"} and not known.issuperset(values):
        *others, last = (one.label for one in choices)
        cure = f"Must be {', '.join(others)} or {last}" if others else f"Must be {last}"
        raise InvalidInputError("The filter is wrong.", fields=[FieldError(base, cure)])


def _choices(page: ListPage[Any], name: str) -> tuple[Choice, ...]:
    field = page.fields.get(name)
    if field is None:
        return ()
    if field.kind is bool:
        return _YES_AND_NO
    return tuple(Choice(one, page.values.get((name, one)) or format_words(one)) for one in field.choices)


def _input_of(field: Field, condition: str, *, has_choices: bool) -> str:
    if condition in _EMPTINESS:
        return ""
    if has_choices:
        return "ticks" if condition == "in" else "select"
    return _INPUTS.get(field.kind, "text")


def _fits(kind: str, text: str) -> bool:
    return kind == "text" or (kind == "date") == bool(_DAY.fullmatch(text))


def _hint(field: Field, kind: str, condition: str, zone: ZoneInfo) -> str:
    if kind == "date" and field.kind is datetime:
        return f"Days in {zone.key}"
    return "Separate several values by commas" if kind == "text" and condition == "in" else ""
