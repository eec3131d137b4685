"""Query text to expressions: the grammar of Prometheus 2.42 (promql/parser/generated_parser.y), by precedence.

Python alone: what a text can do to this process is to be refused. Depth, tokens and nodes are bounded while it reads.
"""

import math
from dataclasses import dataclass, field, replace
from typing import Literal, cast

from fleetkeeper.kit.text import is_storable
from fleetkeeper.telemetry.matchers import Matcher
from fleetkeeper.telemetry.promql.cursor import Cursor
from fleetkeeper.telemetry.promql.errors import BadDataError
from fleetkeeper.telemetry.promql.expressions import (
    Aggregation,
    Anchor,
    Binary,
    Call,
    Expression,
    Matching,
    Negation,
    Number,
    Selector,
    Subquery,
    Text,
    kind_of,
)
from fleetkeeper.telemetry.promql.formatting import quoted
from fleetkeeper.telemetry.promql.labels import NAME, is_plain_name
from fleetkeeper.telemetry.promql.lexing import AGGREGATIONS, KEYWORDS, Token, wrong
from fleetkeeper.telemetry.promql.patterns import PatternBudget
from fleetkeeper.telemetry.promql.signatures import FUNCTIONS
from fleetkeeper.telemetry.promql.typing_rules import (
    COMPARISONS,
    TAKES_NUMBER,
    problem_of_aggregation,
    problem_of_binary,
    problem_of_call,
    problem_of_selector,
)

# Brackets, calls and signs inside one another, which recursion follows, and with them the operators of a chain.
MAX_BRACKETS = 100
MAX_NESTING = 250
MAX_NODES = 2000
_MAX_TIME_US = 2**62
_UNARY = 5
_POWER = 6
_PRECEDENCE = {
    "or": 1,
    "and": 2,
    "unless": 2,
    **dict.fromkeys(COMPARISONS, 3),
    "+": 4,
    "-": 4,
    "*": _UNARY,
    "/": _UNARY,
    "%": _UNARY,
    "atan2": _UNARY,
    "^": _POWER,
}
# Keywords that are no names of metrics, and those that are no names of labels.
_NO_METRIC = frozenset({"bool", "on", "ignoring", "group_left", "group_right", "atan2"})
_NO_LABEL = frozenset({"without"})
_TAKES_PARAMETER = TAKES_NUMBER | {"count_values"}


@dataclass
class Parsed:
    """An expression, and what of its text it does not say: brackets around expressions, signs without effect."""

    expression: Expression
    brackets: dict[Expression, int] = field(default_factory=dict)


def parse_query(text: str, patterns: PatternBudget | None = None) -> Expression:
    """The query as expressions. Raises BadDataError in the API's words. `patterns` is for those that come together."""
    return parse(text, patterns).expression


def parse(text: str, patterns: PatternBudget | None = None) -> Parsed:
    """The query as expressions, and its brackets. Raises BadDataError."""
    return _Parser(text, patterns or PatternBudget()).query()


class _Parser(Cursor):
    def __init__(self, text: str, patterns: PatternBudget) -> None:
        super().__init__(text)
        self._brackets: dict[Expression, int] = {}
        self._patterns = patterns
        self._depth = 0
        self._nodes = 0
        # The first fault of types; those of syntax come before it, wherever they stand.
        self._fault: BadDataError | None = None
        # How far the expression that was read last nests.
        self._height = 0

    def query(self) -> Parsed:
        if self.now.kind == "eof":
            raise BadDataError("parse error: no expression found in input")
        node = self._expression(0)
        if self.now.kind != "eof":
            self.unexpected("")
        if self._fault is not None:
            raise self._fault
        return Parsed(node, self._brackets)

    def _check(self, problem: str | None, start: int, end: int) -> None:
        if problem and self._fault is None:
            self._fault = wrong(problem, start, end)

    # Bounds

    def _made(self, node: Expression, height: int) -> Expression:
        self._nodes += 1
        if self._nodes > MAX_NODES:
            raise BadDataError(f"parse error: a query has at most {MAX_NODES} operators, calls and selectors")
        if height > MAX_NESTING:
            raise BadDataError(f"parse error: a query nests at most {MAX_NESTING} operators and calls")
        self._height = height
        return node

    def _inside(self, least: int) -> Expression:
        """An expression one level further in."""
        self._depth += 1
        if self._depth > MAX_BRACKETS:
            raise BadDataError(f"parse error: a query nests at most {MAX_BRACKETS} brackets and signs")
        node = self._expression(least)
        self._depth -= 1
        return node

    # Expressions

    def _expression(self, least: int) -> Expression:
        """An expression of operators that bind at least so strongly."""
        start = self.now.start
        left: Expression = self._operand()
        height = self._height
        while (precedence := _PRECEDENCE.get(self.now.kind, 0)) and precedence >= max(least, 1):
            op = self.next().kind
            return_bool, matching, has_matching = self._modifiers()
            # To the right of `^` another one comes first.
            right = self._inside(_POWER) if op == "^" else self._expression(precedence + 1)
            both_numbers = kind_of(left) == kind_of(right) == "scalar"
            node = Binary(op, left, right, matching, return_bool, "scalar" if both_numbers else "vector")
            self._check(problem_of_binary(node, has_matching=has_matching), start, self.last.end)
            height = max(height, self._height) + 1
            left = self._made(node, height)
        self._height = height
        return left

    def _operand(self) -> Expression:
        sign = self.accept("+", "-")
        if sign is None:
            return self._followed(self._primary())
        node = self._inside(_POWER)
        if kind_of(node) not in {"scalar", "vector"}:
            words = "unary expression only allowed on expressions of type scalar or instant vector"
            self._check(f"{words}, got {quoted(_TYPES[kind_of(node)])}", sign.start, self.last.end)
        if sign.kind == "+":
            return node
        if isinstance(node, Number) and node not in self._brackets:
            return self._made(Number(-node.value), self._height)
        return self._made(Negation(node, kind_of(node)), self._height + 1)

    def _primary(self) -> Expression:
        token = self.now
        if token.kind == "number":
            return self._made(Number(self.number()), 1)
        if token.kind == "string":
            self.next()
            return self._made(Text(token.text), 1)
        if token.kind == "(":
            self.next()
            node = self._inside(0)
            self.take(")", "parentheses")
            self._brackets[node] = self._brackets.get(node, 0) + 1
            self._height += 1
            return node
        if token.kind == "{":
            return self._selector(None)
        if token.kind != "word" and (token.kind not in KEYWORDS or token.kind in _NO_METRIC):
            self.unexpected("")
        return self._named()

    def _named(self) -> Expression:
        """A call, an aggregation or a metric."""
        name = self.next()
        if name.kind in AGGREGATIONS and self.now.kind in {"(", "by", "without"}:
            return self._aggregation(name)
        if name.kind == "word" and self.now.kind == "(" and ":" not in name.text:
            return self._call(name)
        return self._selector(name)

    def _arguments(self) -> tuple[Expression, ...]:
        self.take("(", "call")
        found: list[Expression] = []
        height = 0
        while self.now.kind != ")":
            found.append(self._inside(0))
            height = max(height, self._height)
            if not self.accept(","):
                break
            if self.now.kind == ")":
                raise wrong(
                    "trailing commas not allowed in function call args", self.last.start, self.last.end
                )
        self.take(")", "call")
        self._height = height
        return tuple(found)

    def _call(self, name: Token) -> Expression:
        signature = FUNCTIONS.get(name.text)
        if signature is None:
            raise wrong(f"unknown function with name {quoted(name.text[:100])}", name.start, name.end)
        arguments = self._arguments()
        self._check(problem_of_call(name.text, signature, arguments), name.start, name.end)
        return self._made(Call(signature.function, arguments, signature.gives), self._height + 1)

    def _aggregation(self, op: Token) -> Expression:
        modifier = self.accept("by", "without")
        labels = self._labels() if modifier else ()
        arguments = self._arguments()
        height = self._height
        if modifier is None and (modifier := self.accept("by", "without")):
            labels = self._labels()
        takes_parameter = op.kind in _TAKES_PARAMETER
        if problem := problem_of_aggregation(op.kind, arguments, takes_parameter=takes_parameter):
            raise wrong(problem, op.start, self.last.end)
        parameter = arguments[0] if takes_parameter else None
        without = modifier is not None and modifier.kind == "without"
        return self._made(Aggregation(op.kind, arguments[-1], parameter, labels, without), height + 1)

    def _labels(self) -> tuple[str, ...]:
        self.take("(", "grouping opts")
        names: list[str] = []
        while self.now.kind != ")":
            token = self.now
            is_quoted = self._is_quoted_name()
            is_word = token.kind == "word" or (token.kind in KEYWORDS and token.kind not in _NO_LABEL)
            if not (is_quoted or (is_word and ":" not in token.text)):
                self.unexpected("grouping opts", "label")
            names.append(self.next().text)
            if not self.accept(","):
                break
        self.take(")", "grouping opts")
        return tuple(names)

    def _modifiers(self) -> tuple[bool, Matching, bool]:
        return_bool = self.accept("bool") is not None
        how = self.accept("on", "ignoring")
        if how is None:
            return return_bool, Matching(), False
        labels = self._labels()
        many: Literal["", "left", "right"] = ""
        include: tuple[str, ...] = ()
        if side := self.accept("group_left", "group_right"):
            many = "left" if side.kind == "group_left" else "right"
            if self.now.kind == "(":
                include = self._labels()
        return return_bool, Matching(how.kind == "on", labels, many, include), bool(labels)

    # Selectors, and what follows them

    def _selector(self, name: Token | None) -> Expression:
        start = self.now.start if name is None else name.start
        matchers = self._matchers() if self.now.kind == "{" else []
        if name is not None:
            for item in matchers:
                if item.name == NAME:
                    words = f"metric name must not be set twice: {quoted(name.text)} or {quoted(item.value)}"
                    raise wrong(words, start, self.last.end)
            matchers.append(Matcher(NAME, "=", name.text))
        self._check(problem_of_selector(matchers), start, self.last.end)
        return self._made(Selector(tuple(matchers), 0, None), 1)

    def _matchers(self) -> list[Matcher]:
        self.take("{", "label matching")
        found: list[Matcher] = []
        while self.now.kind != "}":
            if self.now.kind != "word" and not self._is_quoted_name():
                self.unexpected("label matching", "identifier or '}'")
            label = self.next()
            self._check_value("=", label)
            if label.kind == "string" and self.now.kind in {",", "}"}:
                # A metric's name in quotes, as Prometheus 3 has it.
                found.append(Matcher(NAME, "=", label.text))
            else:
                found.append(self._matcher(label.text))
            if not self.accept(","):
                if self.now.kind != "}":
                    self.unexpected("label matching", "',' or '}'")
                break
        self.take("}", "label matching")
        return found

    def _is_quoted_name(self) -> bool:
        # Others have no quotes in Prometheus 2.
        return self.now.kind == "string" and bool(self.now.text) and not is_plain_name(self.now.text)

    def _matcher(self, label: str) -> Matcher:
        op = self.accept("=", "!=", "=~", "!~")
        if op is None:
            self.unexpected("label matching", "label matching operator")
        if self.now.kind != "string":
            self.unexpected("label matching", "string")
        value = self.next()
        self._check_value(op.kind, value)
        return Matcher(label, cast("Literal['=', '!=', '=~', '!~']", op.kind), value.text)

    def _check_value(self, op: str, value: Token) -> None:
        if not is_storable(value.text):
            raise wrong("a label holds characters that no series can have", value.start, value.end)
        if op in {"=~", "!~"} and (problem := self._patterns.problem_of(value.text)):
            raise wrong(f"error parsing regexp: {problem}", value.start, value.end)

    def _followed(self, node: Expression) -> Expression:
        start = self.last.start
        while True:
            if self.accept("["):
                node = self._ranged(node, start)
            elif self.accept("offset"):
                node = self._moved(node, start)
            elif self.accept("@"):
                node = self._anchored(node, start)
            else:
                return node

    def _ranged(self, node: Expression, start: int) -> Expression:
        length = self.duration("subquery or range")
        if not self.accept(":"):
            self.take("]", "subquery or range selector")
            if not isinstance(node, Selector) or node in self._brackets or node.range:
                raise wrong("ranges only allowed for vector selectors", start, self.last.end)
            if node.offset:
                raise wrong("no offset modifiers allowed before range", start, self.last.end)
            if node.at is not None:
                raise wrong("no @ modifiers allowed before range", start, self.last.end)
            return replace(node, range=length)
        step = 0 if self.now.kind == "]" else self.duration("subquery selector")
        self.take("]", "subquery selector")
        self._check(_problem_of_subquery(node), start, self.last.end)
        return self._made(Subquery(node, length, step, 0, None), self._height + 1)

    def _moved(self, node: Expression, start: int) -> Expression:
        sign = -1 if self.accept("-") else 1
        offset = sign * self.duration("offset")
        if not isinstance(node, Selector | Subquery) or node in self._brackets:
            raise wrong(
                "offset modifier must be preceded by an instant vector selector or range vector selector or a subquery",
                start,
                self.last.end,
            )
        if node.offset:
            raise wrong("offset may not be set multiple times", start, self.last.end)
        return replace(node, offset=offset)

    def _anchored(self, node: Expression, start: int) -> Expression:
        at = self._anchor()
        if not isinstance(node, Selector | Subquery) or node in self._brackets:
            raise wrong(
                "@ modifier must be preceded by an instant vector selector or range vector selector or a subquery",
                start,
                self.last.end,
            )
        if node.at is not None:
            raise wrong("@ <timestamp> may not be set multiple times", start, self.last.end)
        return replace(node, at=at)

    def _anchor(self) -> Anchor:
        if word := self.accept("start", "end"):
            self.take("(", "@ modifier")
            self.take(")", "@ modifier")
            return "start" if word.kind == "start" else "end"
        sign = -1.0 if self.accept("-") else 1.0
        if sign > 0:
            self.accept("+")
        if self.now.kind != "number":
            self.unexpected("@", "timestamp")
        token = self.now
        seconds = sign * self.number()
        if not math.isfinite(seconds) or abs(seconds) >= 2.0**63:
            raise wrong("timestamp out of bounds for @ modifier", token.start, token.end)
        return max(-_MAX_TIME_US, min(_MAX_TIME_US, _millis(seconds) * 1000))


_TYPES = {"vector": "instant vector", "matrix": "range vector", "scalar": "scalar", "string": "string"}


def _problem_of_subquery(node: Expression) -> str | None:
    if kind_of(node) == "vector":
        return None
    return f"subquery is only allowed on instant vector, got {_TYPES[kind_of(node)]} instead"


def _millis(seconds: float) -> int:
    """Whole milliseconds, halves away from zero."""
    millis = seconds * 1000
    return math.floor(millis + 0.5) if millis >= 0 else math.ceil(millis - 0.5)
