"""Query text to expressions. The grammar and the checks of types are `promql-parser`'s."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

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
from fleetkeeper.telemetry.promql.function_names import FUNCTIONS
from fleetkeeper.telemetry.promql.formatting import quoted
from fleetkeeper.telemetry.promql.labels import NAME
from fleetkeeper.telemetry.promql.patterns import compile_pattern
from fleetkeeper.telemetry.selection import Matcher

MAX_QUERY_LENGTH = 65_536
# The parser recurses without a bound of its own, and so does the evaluation.
MAX_NESTING = 300
# Prometheus keeps durations in 64-bit nanoseconds.
MAX_DURATION_US = 2**63 // 1000
_MAX_TIME_US = 2**62
_STRINGS = re.compile(r'"(?:[^"\\]|\\.)*"|\'(?:[^\'\\]|\\.)*\'|`[^`]*`|#[^\n]*', re.DOTALL)
_BRACES = re.compile(r"\{[^{}]*\}")
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
    return _convert(_parse(text))


def prettify(text: str) -> str:
    """The query in the usual layout. Raises BadDataError."""
    return str(_parse(text).prettify())


def parse_selector(text: str) -> tuple[Matcher, ...]:
    """The matchers of a series selector such as `up{job="node"}`. Raises BadDataError."""
    node = _parse(text)
    if not isinstance(node, parser.VectorSelector) or node.offset or node.at:
        raise BadDataError(f"parse error: {text[:200]!r} is no series selector")
    return _matchers(node)


def _parse(text: str) -> Any:
    if len(text) > MAX_QUERY_LENGTH:
        raise BadDataError(f"parse error: a query has at most {MAX_QUERY_LENGTH} characters")
    if _nesting(text) > MAX_NESTING:
        raise BadDataError(f"parse error: a query nests at most {MAX_NESTING} operators and calls")
    try:
        return parser.parse(text)
    except (ValueError, OverflowError) as error:
        raise BadDataError(f"parse error: {error}") from None
    except BaseException as error:
        # What a compiled library did not expect comes as a kind of exception that it does not export.
        if type(error).__name__ != "PanicException":
            raise
        raise BadDataError("parse error: the query cannot be read") from None


def _nesting(text: str) -> int:
    """How deep a query can nest at most: brackets, and operators, whose chains nest to the left."""
    deepest, chains = 0, [0]
    for found in _MARKS.finditer(_BRACES.sub("", _STRINGS.sub("", text))):
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
    if isinstance(node, parser.ParenExpr):
        return _convert(node.expr)
    if isinstance(node, parser.NumberLiteral):
        return Number(node.val)
    if isinstance(node, parser.StringLiteral):
        return Text(node.val)
    if isinstance(node, parser.VectorSelector):
        return Selector(_matchers(node), micros(node.offset), _anchor(node.at))
    if isinstance(node, parser.MatrixSelector):
        inner = node.vector_selector
        return Selector(_matchers(inner), micros(inner.offset), _anchor(inner.at), micros(node.range))
    if isinstance(node, parser.SubqueryExpr):
        return Subquery(
            _convert(node.expr), micros(node.range), micros(node.step), micros(node.offset), _anchor(node.at)
        )
    if isinstance(node, parser.UnaryExpr):
        return Negation(_convert(node.expr))
    if isinstance(node, parser.Call):
        return _call(node)
    if isinstance(node, parser.AggregateExpr):
        return _aggregation(node)
    return _binary(node)


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
