"""Query text to expressions. The grammar and the checks of types are `promql-parser`'s."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, Literal, TypeVar

import promql_parser as parser

from fleetkeeper.kit.text import is_storable
from fleetkeeper.telemetry.promql.errors import BadDataError
from fleetkeeper.telemetry.promql.expressions import (
    Aggregation,
    Anchor,
    Binary,
    Call,
    Expression,
    Kind,
    Matching,
    Negation,
    Number,
    Selector,
    Subquery,
    Text,
)
from fleetkeeper.telemetry.promql.formatting import quoted
from fleetkeeper.telemetry.promql.function_names import FUNCTIONS
from fleetkeeper.telemetry.promql.labels import NAME
from fleetkeeper.telemetry.promql.patterns import compile_pattern
from fleetkeeper.telemetry.promql.places import place_of
from fleetkeeper.telemetry.selection import Matcher

MAX_QUERY_LENGTH = 65_536
# The parser recurses without a bound of its own, and so does the evaluation.
MAX_NESTING = 250
# Prometheus keeps durations in 64-bit nanoseconds.
MAX_DURATION_US = 2**63 // 1000
_MAX_TIME_US = 2**62
_STRINGS = re.compile(r'"(?:[^"\\]|\\.)*"|\'(?:[^\'\\]|\\.)*\'|`[^`]*`|#[^\n]*', re.DOTALL)
_BRACES = re.compile(r"\{[^{}]*\}")
_BEFORE_1970 = re.compile(r"@\s*-")
_Result = TypeVar("_Result")
_MARKS = re.compile(r"[()\[\]]|[-+*/%^<>=!]|\b(?:and|or|unless|atan2)\b", re.IGNORECASE)
# The package's own enumerations cannot be keys.
_MATCH_OPS: dict[str, Literal["=", "!=", "=~", "!~"]] = {
    "MatchOp.Equal": "=",
    "MatchOp.NotEqual": "!=",
    "MatchOp.Re": "=~",
    "MatchOp.NotRe": "!~",
}
_KINDS: dict[str, Kind] = {
    "ValueType.Vector": "vector",
    "ValueType.Scalar": "scalar",
    "ValueType.Matrix": "matrix",
    "ValueType.String": "string",
}
_MANY_SIDES: dict[str, Literal["left", "right"]] = {
    "VectorMatchCardinality.ManyToOne": "left",
    "VectorMatchCardinality.OneToMany": "right",
}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_AGGREGATIONS = frozenset(
    {
        "sum",
        "avg",
        "min",
        "max",
        "count",
        "stddev",
        "stdvar",
        "group",
        "topk",
        "bottomk",
        "quantile",
        "count_values",
    }
)

# The package follows a newer Prometheus, in which this function has another name.
parser.register_extra_functions(
    [
        parser.Function(
            "holt_winters",
            [parser.ValueType.Matrix, parser.ValueType.Scalar, parser.ValueType.Scalar],
            parser.ValueType.Vector,
        )
    ]
)


def parse_query(text: str) -> Expression:
    """The query as expressions. Raises BadDataError in the API's words."""
    return _guarded(_read, text)


def prettify(text: str) -> str:
    """The query in the usual layout. Raises BadDataError."""
    return _guarded(_prettify, text)


def parse_selector(text: str) -> tuple[Matcher, ...]:
    """The matchers of a series selector such as `up{job="node"}`. Raises BadDataError."""
    node = parse_query(text)
    if not isinstance(node, Selector) or node.offset or node.range or node.at is not None:
        raise BadDataError(f"parse error: {quoted(text[:200])} is no series selector")
    return node.matchers


def _read(text: str) -> Expression:
    return _convert(parser.parse(text))


def _prettify(text: str) -> str:
    return str(parser.parse(text).prettify())


def _guarded(work: Callable[[str], _Result], text: str) -> _Result:
    """What a compiled parser makes of a text that may be hostile."""
    if len(text) > MAX_QUERY_LENGTH:
        raise BadDataError(f"parse error: a query has at most {MAX_QUERY_LENGTH} characters")
    bare = _BRACES.sub("", _STRINGS.sub("", text))
    if _nesting(bare) > MAX_NESTING:
        raise BadDataError(f"parse error: a query nests at most {MAX_NESTING} operators and calls")
    if _BEFORE_1970.search(bare):
        raise BadDataError("parse error: a moment before 1970 cannot be given by the @ modifier")
    try:
        return work(text)
    except BadDataError as error:
        message = str(error).removeprefix("parse error: ")
        raise BadDataError(str(error), place_of(text, message, _problem)) from None
    except (ValueError, OverflowError, RecursionError) as error:
        raise BadDataError(f"parse error: {error}", place_of(text, str(error), _problem)) from None
    except BaseException as error:
        # What the library did not expect comes as a kind of exception that it does not export.
        if type(error).__name__ != "PanicException":
            raise
        raise BadDataError("parse error: the query cannot be read") from None


def _problem(text: str) -> str | None:
    """What the parser has against a text."""
    try:
        parser.parse(text)
    except (ValueError, OverflowError, RecursionError) as error:
        return str(error)
    except BaseException as error:
        if type(error).__name__ != "PanicException":
            raise
        return "unexpected"
    return None


def _nesting(bare: str) -> int:
    """How deep a query can nest at most: brackets, and operators, whose chains nest to the left."""
    deepest, chains = 0, [0]
    for found in _MARKS.finditer(bare):
        if found.group() in "([":
            chains.append(1)
        elif found.group() not in ")]":
            chains[-1] += 1
        elif len(chains) > 1:
            chains.pop()
        deepest = max(deepest, sum(chains))
    return deepest


def micros(duration: timedelta | None) -> int:
    """A duration in microseconds. Raises BadDataError for one that Prometheus cannot hold."""
    if duration is None:
        return 0
    result = (duration.days * 86_400 + duration.seconds) * 1_000_000 + duration.microseconds
    if abs(result) > MAX_DURATION_US:
        raise BadDataError("parse error: duration out of range")
    return result


def _anchor(at: Any) -> Anchor:
    if at is None:
        return None
    if at.type == parser.AtModifierType.Start:
        return "start"
    if at.type == parser.AtModifierType.End:
        return "end"
    try:
        moment = at.at
        result = micros(moment - _EPOCH) if moment is not None else _MAX_TIME_US
    except (ValueError, OverflowError):
        raise BadDataError("parse error: timestamp out of bounds for @ modifier") from None
    return result


def _matchers(node: Any) -> tuple[Matcher, ...]:
    if node.matchers.or_matchers:
        raise BadDataError("parse error: `or` between matchers is not part of this language version")
    result = [Matcher(item.name, _MATCH_OPS[str(item.op)], item.value) for item in node.matchers.matchers]
    if node.name is not None:
        result.append(Matcher(NAME, "=", node.name))
    for item in result:
        if not is_storable(item.name + item.value):
            raise BadDataError("parse error: a label holds characters that no series can have")
        if item.op in {"=~", "!~"}:
            _check_pattern(item.value)
    return tuple(result)


def _check_pattern(pattern: str) -> None:
    if compile_pattern(pattern) is None:
        raise BadDataError(f"parse error: error parsing regexp: {quoted(pattern[:200])}")


def _convert(node: Any) -> Expression:
    return _CONVERTERS[type(node)](node)


def _selector(node: Any) -> Expression:
    return Selector(_matchers(node), micros(node.offset), _anchor(node.at))


def _range_selector(node: Any) -> Expression:
    inner = node.vector_selector
    return Selector(_matchers(inner), micros(inner.offset), _anchor(inner.at), micros(node.range))


def _subquery(node: Any) -> Expression:
    inner = _convert(node.expr)
    return Subquery(inner, micros(node.range), micros(node.step), micros(node.offset), _anchor(node.at))


def _call(node: Any) -> Expression:
    name = node.func.name
    if name not in FUNCTIONS:
        raise BadDataError(f'parse error: unknown function with name "{name}"')
    arguments = tuple(_convert(item) for item in node.args)
    return Call(FUNCTIONS[name], arguments, _KINDS[str(node.func.return_type)])


def _aggregation(node: Any) -> Expression:
    op = str(node.op)
    if op not in _AGGREGATIONS:
        raise BadDataError(f'parse error: unknown aggregation "{op}"')
    modifier = node.modifier
    parameter = None if node.param is None else _convert(node.param)
    labels = () if modifier is None else tuple(modifier.labels)
    dropped = modifier is not None and modifier.type == parser.AggModifierType.Without
    return Aggregation(op, _convert(node.expr), parameter, labels, dropped)


def _binary(node: Any) -> Expression:
    modifier = node.modifier
    matching, return_bool = Matching(), False
    if modifier is not None:
        how = modifier.matching
        matching = Matching(
            on=how is not None and how.type == parser.LabelModifierType.Include,
            labels=() if how is None else tuple(how.labels),
            many=_MANY_SIDES.get(str(modifier.card), ""),
            include=tuple(modifier.group_labels or ()),
        )
        return_bool = modifier.return_bool
        fill = modifier.fill_values
        if fill is not None and (fill.lhs is not None or fill.rhs is not None):
            raise BadDataError("parse error: fill modifiers are not part of this language version")
    return Binary(str(node.op), _convert(node.lhs), _convert(node.rhs), matching, return_bool)


_CONVERTERS: dict[type, Callable[[Any], Expression]] = {
    parser.AggregateExpr: _aggregation,
    parser.BinaryExpr: _binary,
    parser.Call: _call,
    parser.MatrixSelector: _range_selector,
    parser.NumberLiteral: lambda node: Number(node.val),
    parser.ParenExpr: lambda node: _convert(node.expr),
    parser.StringLiteral: lambda node: Text(node.val),
    parser.SubqueryExpr: _subquery,
    parser.UnaryExpr: lambda node: Negation(_convert(node.expr)),
    parser.VectorSelector: _selector,
}
