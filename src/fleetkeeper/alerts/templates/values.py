"""The values that templates work with, and what Go's templates make of them.

Texts, numbers, truth values and `nil` are Python's own; the rest is here.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from fleetkeeper.alerts.templates.effort import Allowance
from fleetkeeper.alerts.templates.errors import FunctionError


@dataclass(frozen=True)
class Sample:
    """One of what a query gives."""

    labels: Mapping[str, str]
    value: float


def no_query(_text: str) -> list[Sample]:
    """The answer where templates may not ask. Raises FunctionError."""
    raise FunctionError("queries are not possible here")


@dataclass(frozen=True)
class Context:
    """What a template may use. `query` gives a query's samples; a ValueError of it becomes a TemplateError.

    `allowance` is what it may cost together with others.
    """

    labels: Mapping[str, str]
    value: float
    external_labels: Mapping[str, str] = field(default_factory=dict)
    external_url: str = ""
    query: Callable[[str], list[Sample]] = no_query
    allowance: Allowance | None = None


class Labels(dict[str, str]):
    """A map of texts: what is not in it is an empty text."""


class Arguments(dict[str, object]):
    """What `args` gives: what is not in it is nothing."""


@dataclass(frozen=True)
class Row:
    """A sample as templates see it."""

    labels: Labels
    value: float


class Rows(tuple[Row, ...]):
    """A query's result."""

    __slots__ = ()


@dataclass(frozen=True)
class Data:
    """The first dot."""

    labels: Labels
    external_labels: Labels
    external_url: str
    value: float


_FIELDS: dict[type, dict[str, str]] = {
    Row: {"Labels": "labels", "Value": "value"},
    Data: {
        "Labels": "labels",
        "ExternalLabels": "external_labels",
        "ExternalURL": "external_url",
        "Value": "value",
    },
}


def field_of(value: object, name: str) -> object:
    """A field, or an entry of a map. Raises FunctionError."""
    if isinstance(value, Labels):
        return value.get(name, "")
    if isinstance(value, Arguments):
        return value.get(name)
    attribute = _FIELDS.get(type(value), {}).get(name)
    if attribute is None:
        raise FunctionError(f"{type_name(value)} has no field {name[:50]!r}")
    found: object = getattr(value, attribute)
    return found


def is_true(value: object) -> bool:
    """What `if` takes as true: not zero, not empty, not nothing."""
    return value is not None and (isinstance(value, Row | Data) or bool(value))


_NAMES: dict[type, str] = {
    str: "string",
    bool: "bool",
    int: "int",
    float: "float64",
    Labels: "map[string]string",
    Arguments: "map[string]interface {}",
    Row: "*template.sample",
    Rows: "template.queryResult",
    type(None): "nil",
}


def type_name(value: object) -> str:
    """The type as Go calls it."""
    return _NAMES.get(type(value), "struct" if isinstance(value, Data) else "*time.Time")
