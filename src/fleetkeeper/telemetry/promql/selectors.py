"""Series selectors by themselves, as `match[]` has them."""

from collections.abc import Sequence

from fleetkeeper.telemetry.matchers import Matcher
from fleetkeeper.telemetry.promql.errors import BadDataError
from fleetkeeper.telemetry.promql.expressions import Selector
from fleetkeeper.telemetry.promql.formatting import quoted
from fleetkeeper.telemetry.promql.lexing import MAX_QUERY_LENGTH
from fleetkeeper.telemetry.promql.parsing import parse_query
from fleetkeeper.telemetry.promql.patterns import PatternBudget

MAX_SELECTORS = 100


def parse_selectors(texts: Sequence[str]) -> list[tuple[Matcher, ...]]:
    """The matchers of series selectors that come together. Raises BadDataError."""
    if len(texts) > MAX_SELECTORS or sum(map(len, texts)) > MAX_QUERY_LENGTH:
        raise BadDataError(
            f"parse error: at most {MAX_SELECTORS} selectors with {MAX_QUERY_LENGTH} characters come together"
        )
    patterns = PatternBudget()
    return [parse_selector(text, patterns) for text in texts]


def parse_selector(text: str, patterns: PatternBudget | None = None) -> tuple[Matcher, ...]:
    """The matchers of a series selector such as `up{job="node"}`. Raises BadDataError."""
    node = parse_query(text, patterns)
    if not isinstance(node, Selector) or node.offset or node.range or node.at is not None:
        raise BadDataError(f"parse error: {quoted(text[:200])} is no series selector")
    return node.matchers
