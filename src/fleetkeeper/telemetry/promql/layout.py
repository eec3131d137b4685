"""A query in the usual layout, as Prometheus 2.42 prints it (promql/parser/printer.go, prettier.go)."""

import math
from collections.abc import Callable, Sequence
from decimal import Decimal

from fleetkeeper.telemetry.promql.expressions import (
    Aggregation,
    Anchor,
    Binary,
    Call,
    Expression,
    Negation,
    Number,
    Selector,
    Subquery,
    Text,
)
from fleetkeeper.telemetry.promql.formatting import format_number, quoted
from fleetkeeper.telemetry.promql.labels import NAME, label_spelling
from fleetkeeper.telemetry.promql.parsing import Parsed, parse

LINE = 100
WITHOUT_EXPONENT = 1e6
_INDENT = "  "
_UNITS = (
    ("y", 31_536_000_000),
    ("w", 604_800_000),
    ("d", 86_400_000),
    ("h", 3_600_000),
    ("m", 60_000),
    ("s", 1000),
    ("ms", 1),
)
_EXACT = frozenset({"y", "w"})


def prettify(text: str) -> str:
    """The query in the usual layout. Raises BadDataError."""
    parsed = parse(text)
    return _Layout(parsed).over_lines(parsed.expression, 0)


class _Layout:
    def __init__(self, parsed: Parsed) -> None:
        self._brackets = parsed.brackets
        self._lines: dict[Expression, str] = {}

    def over_lines(self, node: Expression, level: int, brackets: int | None = None) -> str:
        """The expression, on several lines where it is too long for one."""
        indent = _INDENT * level
        brackets = self._brackets.get(node, 0) if brackets is None else brackets
        line = self.line(node, brackets)
        if len(line) <= LINE:
            # As Prometheus does it, a subquery that fits stands at the margin.
            return line if isinstance(node, Subquery) and not brackets else indent + line
        if brackets:
            return f"{indent}(\n{self.over_lines(node, level + 1, brackets - 1)}\n{indent})"
        return self._split(node, level)

    def _split(self, node: Expression, level: int) -> str:
        indent = _INDENT * level
        if isinstance(node, Binary):
            left, right = self.over_lines(node.left, level + 1), self.over_lines(node.right, level + 1)
            return f"{left}\n{indent}{_operator(node)}\n{right}"
        if isinstance(node, Call):
            return f"{indent}{node.function}(\n{self._listed(node.arguments, level)}\n{indent})"
        if isinstance(node, Aggregation):
            inner = (node.expr,) if node.parameter is None else (node.parameter, node.expr)
            return f"{indent}{_aggregator(node)}(\n{self._listed(inner, level)}\n{indent})"
        if isinstance(node, Subquery):
            return self.over_lines(node.expr, level) + _subquery_suffix(node)
        if isinstance(node, Negation):
            return f"{indent}-{self.over_lines(node.expr, level).strip()}"
        return indent + self.line(node, 0)

    def _listed(self, nodes: Sequence[Expression], level: int) -> str:
        return ",\n".join(self.over_lines(item, level + 1) for item in nodes)

    def line(self, node: Expression, brackets: int | None = None) -> str:
        """The expression on one line. Remembered: each level asks how long those below are."""
        brackets = self._brackets.get(node, 0) if brackets is None else brackets
        known = self._lines.get(node)
        if known is None:
            known = self._lines[node] = _PRINTERS[type(node)](self, node)
        return "(" * brackets + known + ")" * brackets


def _selector(_: _Layout, node: Selector) -> str:
    name = ""
    shown = list(node.matchers)
    if shown and shown[-1].name == NAME and shown[-1].op == "=" and _is_name(shown[-1].value):
        name = shown.pop().value
    inner = ",".join(sorted(f"{label_spelling(item.name)}{item.op}{quoted(item.value)}" for item in shown))
    text = name if name and not shown else f"{name}{{{inner}}}"
    return text + (f"[{_duration(node.range)}]" if node.range else "") + _moved(node.offset, node.at)


def _is_name(text: str) -> bool:
    return bool(text) and text.replace(":", "_").isascii() and text.replace(":", "_").isidentifier()


def _subquery_suffix(node: Subquery) -> str:
    step = _duration(node.step) if node.step else ""
    return f"[{_duration(node.range)}:{step}]{_moved(node.offset, node.at)}"


def _moved(offset: int, at: Anchor) -> str:
    moment = "" if at is None else f" @ {at / 1_000_000:.3f}" if isinstance(at, int) else f" @ {at}()"
    if not offset:
        return moment
    return f"{moment} offset {'-' if offset < 0 else ''}{_duration(abs(offset))}"


def _duration(micros: int) -> str:
    left, text = micros // 1000, ""
    for unit, millis in _UNITS:
        if unit in _EXACT and left % millis:
            continue
        if count := left // millis:
            text += f"{count}{unit}"
            left -= count * millis
    return text or "0s"


def _number(_: _Layout, node: Number) -> str:
    """With an exponent where Go's `%v` has one."""
    value = node.value
    if not math.isfinite(value) or not value or 1e-4 <= abs(value) < WITHOUT_EXPONENT:
        return format_number(value)
    sign, digits, exponent = Decimal(repr(value)).normalize().as_tuple()
    first, *rest = map(str, digits)
    tail = f".{''.join(rest)}" if rest else ""
    return f"{'-' * sign}{first}{tail}e{int(exponent) + len(rest):+03d}"


def _operator(node: Binary) -> str:
    words = [node.op, "bool"] if node.return_bool else [node.op]
    matching = node.matching
    if matching.labels or matching.on:
        words.append(f"{'on' if matching.on else 'ignoring'} ({_names(matching.labels)})")
        if matching.many:
            words.append(f"group_{matching.many} ({_names(matching.include)})")
    return " ".join(words)


def _names(labels: Sequence[str]) -> str:
    return ", ".join(map(label_spelling, labels))


def _aggregator(node: Aggregation) -> str:
    if node.without:
        return f"{node.op} without ({_names(node.labels)}) "
    return f"{node.op} by ({_names(node.labels)}) " if node.labels else node.op


def _aggregation(layout: _Layout, node: Aggregation) -> str:
    parameter = "" if node.parameter is None else f"{layout.line(node.parameter)}, "
    return f"{_aggregator(node)}({parameter}{layout.line(node.expr)})"


def _call(layout: _Layout, node: Call) -> str:
    return f"{node.function}({', '.join(map(layout.line, node.arguments))})"


_PRINTERS: dict[type, Callable[..., str]] = {
    Aggregation: _aggregation,
    Binary: lambda layout, node: f"{layout.line(node.left)} {_operator(node)} {layout.line(node.right)}",
    Call: _call,
    Negation: lambda layout, node: f"-{layout.line(node.expr)}",
    Number: _number,
    Selector: _selector,
    Subquery: lambda layout, node: layout.line(node.expr) + _subquery_suffix(node),
    Text: lambda _, node: quoted(node.value),
}
