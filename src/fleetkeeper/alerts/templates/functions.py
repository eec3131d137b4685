"""The functions that templates may call, and what they take."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from fleetkeeper.alerts.templates import comparing, humanizing, texts, times
from fleetkeeper.alerts.templates.effort import Effort
from fleetkeeper.alerts.templates.errors import FunctionError
from fleetkeeper.alerts.templates.formatting import printed, shown
from fleetkeeper.alerts.templates.numbers import float_of
from fleetkeeper.alerts.templates.printf import printf
from fleetkeeper.alerts.templates.values import (
    Arguments,
    Context,
    Labels,
    Row,
    Rows,
    is_true,
    type_name,
)

MAX_SAMPLES = 1000


@dataclass(frozen=True)
class Surroundings:
    """What functions know of the rendering they are called in."""

    context: Context
    effort: Effort


@dataclass(frozen=True)
class Function:
    """A function: the types of its arguments, `rest` that of any number more; `call` gets the surroundings first."""

    call: Callable[..., object]
    takes: tuple[type, ...] = ()
    rest: type | None = None


def _query(around: Surroundings, text: str) -> Rows:
    around.effort.query()
    try:
        samples = around.context.query(text)
    except FunctionError:
        raise
    except ValueError as error:
        raise FunctionError(str(error)) from error
    around.effort.spend(len(samples) // 10)
    return Rows(Row(Labels(sample.labels), sample.value) for sample in samples[:MAX_SAMPLES])


def _first(_around: Surroundings, rows: Rows) -> Row:
    if not rows:
        raise FunctionError("first() called on vector with no elements")
    return rows[0]


def _sorted(around: Surroundings, label: str, rows: Rows) -> Rows:
    around.effort.spend(len(rows) // 10)
    return Rows(sorted(rows, key=lambda row: row.labels.get(label, "")))


def _arguments(_around: Surroundings, *values: object) -> Arguments:
    return Arguments({f"arg{index}": value for index, value in enumerate(values)})


def _length(_around: Surroundings, value: object) -> int:
    if isinstance(value, str):
        return len(value.encode())
    if isinstance(value, Labels | Arguments | Rows):
        return len(value)
    raise FunctionError(f"len of type {type_name(value)}")


def _index(_around: Surroundings, value: object, *keys: object) -> object:
    for key in keys:
        value = _entry(value, key)
    return value


def _entry(value: object, key: object) -> object:
    if isinstance(value, Labels | Arguments):
        if not isinstance(key, str):
            raise FunctionError(f"value has type {type_name(key)}; should be string")
        return value.get(key, "" if isinstance(value, Labels) else None)
    sequence = value.encode() if isinstance(value, str) else value
    if not isinstance(sequence, bytes | Rows):
        raise FunctionError(f"cannot index item of type {type_name(value)}")
    if not isinstance(key, int) or isinstance(key, bool):
        raise FunctionError(f"cannot index slice with type {type_name(key)}")
    if not 0 <= key < len(sequence):
        raise FunctionError(f"index out of range: {key}")
    return sequence[key]


def _text_of(around: Surroundings, values: tuple[object, ...]) -> str:
    """What `html` and `urlquery` take: one text, or all as `print` writes them."""
    shown_values: list[object] = ["<no value>" if value is None else value for value in values]
    return printed(shown_values, around.effort)


def _line(around: Surroundings, *values: object) -> str:
    return " ".join(shown(value, around.effort) for value in values) + "\n"


def _plain(function: Callable[[str], object]) -> Function:
    return Function(lambda _, text: function(text), (str,))


def _number(function: Callable[[float], object]) -> Function:
    return Function(lambda _, value: function(float_of(value)), (object,))


def _compared(function: Callable[[Any, Any], bool]) -> Function:
    return Function(lambda _, first, other: function(first, other), (object, object))


FUNCTIONS: dict[str, Function] = {
    # Go's own. `and` and `or` look at their arguments one by one, which the interpreter does.
    "and": Function(lambda _, *values: values[-1], (object,), object),
    "or": Function(lambda _, *values: values[-1], (object,), object),
    "not": Function(lambda _, value: not is_true(value), (object,)),
    "eq": Function(lambda _, first, *others: comparing.equal(first, *others), (object,), object),
    "ne": _compared(lambda first, other: not comparing.equal(first, other)),
    "lt": _compared(comparing.less),
    "le": _compared(comparing.less_or_equal),
    "gt": _compared(comparing.greater),
    "ge": _compared(comparing.greater_or_equal),
    "len": Function(_length, (object,)),
    "index": Function(_index, (object,), object),
    "print": Function(lambda around, *values: printed(list(values), around.effort), (), object),
    "println": Function(_line, (), object),
    "printf": Function(
        lambda around, layout, *values: printf(layout, list(values), around.effort), (str,), object
    ),
    "html": Function(lambda around, *values: texts.html(_text_of(around, values)), (), object),
    "urlquery": Function(lambda around, *values: texts.url_query(_text_of(around, values)), (), object),
    # Those of Prometheus.
    "query": Function(_query, (str,)),
    "first": Function(_first, (Rows,)),
    "label": Function(lambda _, name, row: row.labels.get(name, ""), (str, Row)),
    "value": Function(lambda _, row: row.value, (Row,)),
    "strvalue": Function(lambda _, row: row.labels.get("__value__", ""), (Row,)),
    "sortByLabel": Function(_sorted, (str, Rows)),
    "args": Function(_arguments, (), object),
    "humanize": _number(humanizing.humanize),
    "humanize1024": _number(humanizing.humanize_1024),
    "humanizeDuration": _number(humanizing.humanize_duration),
    "humanizePercentage": _number(humanizing.humanize_percentage),
    "humanizeTimestamp": _number(times.humanize_timestamp),
    "toTime": _number(times.Moment),
    "title": _plain(texts.title),
    "toUpper": _plain(texts.upper),
    "toLower": _plain(texts.lower),
    "stripPort": _plain(texts.strip_port),
    "stripDomain": _plain(texts.strip_domain),
    "graphLink": _plain(texts.graph_link),
    "tableLink": _plain(texts.table_link),
    "parseDuration": _plain(texts.parse_duration),
    "safeHtml": _plain(lambda text: text),
    "match": Function(lambda around, *given: texts.match(around.effort, *given), (str, str)),
    "reReplaceAll": Function(
        lambda around, *given: texts.replace_all(around.effort, *given), (str, str, str)
    ),
    "pathPrefix": Function(lambda around: texts.path_of(around.context.external_url)),
    "externalURL": Function(lambda around: around.context.external_url),
}
_TYPE_NAMES: dict[type, str] = {str: "string", Rows: "template.queryResult", Row: "*template.sample"}


def call(name: str, values: list[object], around: Surroundings) -> object:
    """What a function gives. Raises FunctionError when it does not take these values, or finds fault with them."""
    function = FUNCTIONS[name]
    least = len(function.takes)
    if len(values) < least or (function.rest is None and len(values) > least):
        words = f"{least}" if function.rest is None else f"at least {least}"
        raise FunctionError(f"wrong number of args for {name}: want {words} got {len(values)}")
    for value, kind in zip(values, function.takes, strict=False):
        if kind is not object and not isinstance(value, kind):
            words = f"expected {_TYPE_NAMES[kind]}, got {type_name(value)}"
            raise FunctionError(f"wrong type of value for {name}: {words}")
    found = function.call(around, *values)
    return around.effort.value(found) if isinstance(found, str) else found
