"""Which samples a query needs: one range of time for each selector, through offsets, @ and subqueries."""

from dataclasses import dataclass

from fleetkeeper.telemetry.matchers import Matcher
from fleetkeeper.telemetry.promql.errors import too_many_samples
from fleetkeeper.telemetry.promql.expressions import Anchor, Expression, Selector, Subquery, children_of
from fleetkeeper.telemetry.promql.matrices import Steps

MAX_TIME_US = 2**62
# What the windows over a subquery may hold together, for each of its series: some seconds of work.
MAX_WINDOW_POINTS = 2_000_000_000


@dataclass(frozen=True)
class Span:
    """Samples from `start` to `end`, both included (microseconds)."""

    start: int
    end: int

    def joined(self, other: "Span") -> "Span":
        """One span that holds both."""
        return Span(min(self.start, other.start), max(self.end, other.end))


@dataclass(frozen=True)
class Frame:
    """What holds for a whole query: its own limits, for start() and end(), and the server's defaults."""

    start: int
    end: int
    lookback: int
    subquery_step: int

    def moment(self, at: Anchor) -> int | None:
        """The moment of an @ modifier."""
        if at == "start":
            return self.start
        if at == "end":
            return self.end
        return at

    def step_of(self, node: Subquery) -> int:
        """The step of a subquery."""
        return node.step or self.subquery_step


def subquery_steps(node: Subquery, steps: Steps, frame: Frame) -> Steps:
    """The moments at which a subquery evaluates: multiples of its step, whatever the query's own are."""
    at = frame.moment(node.at)
    first, last = (steps.start, steps.end) if at is None else (at, at)
    step = frame.step_of(node)
    begin = -(-(first - node.offset - node.range) // step) * step
    end = last - node.offset
    return Steps(begin, step, max(0, (end - begin) // step + 1))


def needed(node: Expression, steps: Steps, frame: Frame) -> dict[Selector, Span]:
    """The samples of each selector. Raises ExecutionError for subqueries that multiply to too many points."""
    if isinstance(node, Selector):
        at = frame.moment(node.at)
        first, last = (steps.start, steps.end) if at is None else (at, at)
        before = node.range or frame.lookback
        start, end = first - node.offset - before, last - node.offset
        return {node: Span(max(start, -MAX_TIME_US), min(end, MAX_TIME_US))}
    if isinstance(node, Subquery):
        windows = 1 if node.at is not None else steps.count
        if windows * (node.range // frame.step_of(node)) > MAX_WINDOW_POINTS:
            raise too_many_samples()
        steps = subquery_steps(node, steps, frame)
        if not steps.count:
            return {}
    result: dict[Selector, Span] = {}
    for child in children_of(node):
        result |= needed(child, steps, frame)
    return result


def fetches(wanted: dict[Selector, Span]) -> dict[tuple[tuple[Matcher, ...], Span], list[Selector]]:
    """What to ask the source for: selectors with the same matchers and overlapping spans share one answer."""
    by_matchers: dict[tuple[Matcher, ...], list[tuple[Span, list[Selector]]]] = {}
    for selector, span in sorted(wanted.items(), key=lambda item: item[1].start):
        known = by_matchers.setdefault(selector.matchers, [])
        if known and span.start <= known[-1][0].end:
            last, selectors = known[-1]
            known[-1] = (last.joined(span), [*selectors, selector])
        else:
            known.append((span, [selector]))
    return {(matchers, span): who for matchers, spans in by_matchers.items() for span, who in spans}
