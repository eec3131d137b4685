"""What the address of a list says: the page, the view and the filters. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from fleetkeeper.errors import FieldError, InvalidInputError
from fleetkeeper.kit.text import is_storable

DEFAULT_LIMIT = 50
MOST = 1000
MOST_VALUES = 2000
LONGEST_VALUE = 300
LARGEST_OFFSET = 2**53
CONTROLS = frozenset({"limit", "offset", "brief", "fields", "exclude", "omit", "ordering", "format"})
_TRUTH = {"true": True, "1": True, "false": False, "0": False}


@dataclass(frozen=True)
class View:
    """Which fields of an object are told."""

    is_brief: bool = False
    fields: frozenset[str] = frozenset()
    omitted: frozenset[str] = frozenset()

    def of(self, told: Mapping[str, Any], brief: Sequence[str]) -> dict[str, Any]:
        """The object with those fields alone."""
        kept: Any = told
        if self.fields:
            kept = [name for name in told if name in self.fields]
        elif self.is_brief:
            kept = [name for name in brief if name in told]
        return {name: told[name] for name in kept if name not in self.omitted}


@dataclass(frozen=True)
class Query:
    """A list as it was asked for. Values of one filter are alternatives."""

    limit: int
    offset: int
    ordering: Sequence[str] = ()
    filters: Mapping[str, Sequence[str]] = field(default_factory=dict)
    view: View = field(default_factory=View)


def read_query(parameters: Sequence[tuple[str, str]]) -> Query:
    """Read the parameters of an address. Raises InvalidInputError."""
    control: dict[str, str] = {}
    filters: dict[str, list[str]] = {}
    for name, text in parameters:
        if name in CONTROLS:
            control[name] = text
        else:
            _check_value(name, text)
            filters.setdefault(name, []).append(text)
    if sum(map(len, filters.values())) > MOST_VALUES:
        raise refused(next(iter(filters)), f"At most {MOST_VALUES} values of filters")
    limit = _whole(control, "limit", DEFAULT_LIMIT, LARGEST_OFFSET)
    return Query(
        limit=min(limit, MOST) or MOST,
        offset=_whole(control, "offset", 0, LARGEST_OFFSET),
        ordering=[one for one in control.get("ordering", "").split(",") if one],
        filters=filters,
        view=read_view(control),
    )


def read_view(control: Mapping[str, str]) -> View:
    """Which fields are wanted."""
    return View(
        is_brief="brief" in control and truth("brief", control["brief"] or "true"),
        fields=_names(control.get("fields", "")),
        omitted=_names(control.get("exclude", "")) | _names(control.get("omit", "")),
    )


def link(origin: str, path: str, parameters: Sequence[tuple[str, str]], limit: int, offset: int) -> str:
    """The address of another page of the same list."""
    kept = [(name, text) for name, text in parameters if name not in {"limit", "offset"}]
    paging = [("limit", str(limit)), *([("offset", str(offset))] if offset else [])]
    return f"{origin}{path}?{urlencode([*kept, *paging])}"


def truth(name: str, text: str) -> bool:
    """A filter's yes or no. Raises InvalidInputError."""
    found = _TRUTH.get(text.lower())
    if found is None:
        raise refused(name, "Must be true or false.")
    return found


def refused(name: str, message: str) -> InvalidInputError:
    """What is wrong with one parameter or field."""
    return InvalidInputError("The request is wrong.", fields=[FieldError(name[:100], message)])


def no_choice(name: str, text: str) -> InvalidInputError:
    """As NetBox says it of a value that does not exist."""
    return refused(name, f"Select a valid choice. {text} is not one of the available choices.")


def _names(text: str) -> frozenset[str]:
    return frozenset(one for one in text.split(",") if one)


def _whole(control: Mapping[str, str], name: str, default: int, most: int) -> int:
    text = control.get(name, "")
    if not text:
        return default
    if not text.isascii() or not text.isdigit() or len(text) > 16 or int(text) > most:
        raise refused(name, "Must be a whole number from 0 on.")
    return int(text)


def _check_value(name: str, text: str) -> None:
    if len(text) > LONGEST_VALUE or not is_storable(text):
        raise refused(name, f"Must have at most {LONGEST_VALUE} characters, none of them NUL.")
    if len(name) > LONGEST_VALUE:
        raise refused(name, "Unknown filter.")
