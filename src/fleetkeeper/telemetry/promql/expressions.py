"""The parsed query as plain values: times in microseconds, `start()` and `end()` still open."""

from dataclasses import dataclass
from typing import Literal

from fleetkeeper.telemetry.matchers import Matcher

Kind = Literal["vector", "scalar", "matrix", "string"]
Anchor = int | Literal["start", "end"] | None


@dataclass(frozen=True, eq=False)
class Number:
    """A number in the text."""

    value: float


@dataclass(frozen=True, eq=False)
class Text:
    """A string in the text."""

    value: str


@dataclass(frozen=True, eq=False)
class Selector:
    """Series by matchers. `range` is 0 for an instant vector; `at` is the moment of the @ modifier."""

    matchers: tuple[Matcher, ...]
    offset: int
    at: Anchor
    range: int = 0


@dataclass(frozen=True, eq=False)
class Subquery:
    """An expression evaluated at many moments; `step` is 0 where the text leaves it to the server."""

    expr: "Expression"
    range: int
    step: int
    offset: int
    at: Anchor


@dataclass(frozen=True, eq=False)
class Negation:
    """A minus in front."""

    expr: "Expression"
    kind: Kind


@dataclass(frozen=True, eq=False)
class Call:
    """A function with its arguments."""

    function: str
    arguments: tuple["Expression", ...]
    kind: Kind


@dataclass(frozen=True, eq=False)
class Aggregation:
    """`sum by (…) (…)` and its like; `labels` are kept, or dropped where `without` says so."""

    op: str
    expr: "Expression"
    parameter: "Expression | None"
    labels: tuple[str, ...]
    without: bool


@dataclass(frozen=True)
class Matching:
    """How two vectors meet: on or ignoring labels; `many` is the side that may have several, with labels to include."""

    on: bool = False
    labels: tuple[str, ...] = ()
    many: Literal["", "left", "right"] = ""
    include: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Binary:
    """An operator between two expressions."""

    op: str
    left: "Expression"
    right: "Expression"
    matching: Matching
    return_bool: bool
    kind: Kind = "vector"


Expression = Number | Text | Selector | Subquery | Negation | Call | Aggregation | Binary


def kind_of(node: Expression) -> Kind:
    """What an expression gives."""
    if isinstance(node, Call | Binary | Negation):
        return node.kind
    if isinstance(node, Selector):
        return "matrix" if node.range else "vector"
    return _PLAIN_KINDS[type(node)]


_PLAIN_KINDS: dict[type, Kind] = {
    Number: "scalar",
    Text: "string",
    Subquery: "matrix",
    Aggregation: "vector",
}


def children_of(node: Expression) -> tuple[Expression, ...]:
    """The expressions directly inside."""
    if isinstance(node, Call):
        return node.arguments
    if isinstance(node, Aggregation):
        return (node.expr,) if node.parameter is None else (node.parameter, node.expr)
    if isinstance(node, Binary):
        return (node.left, node.right)
    if isinstance(node, Subquery | Negation):
        return (node.expr,)
    return ()
