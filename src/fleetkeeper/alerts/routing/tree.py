"""The tree of routes: which of them an alert takes, and why. Pure; the rules are Alertmanager's (dispatch/route.go).

An alert goes down from the first route: into the first branch below that fits, and after a fitting one that
`continues` into the next one, too. Where no branch fits, it stays where it is. A route of a department is for alerts of
that department and those below it.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from uuid import UUID

from fleetkeeper.alerts.matchers import LabelMatcher

ALL_LABELS = "..."


@dataclass(frozen=True)
class Options:
    """How a route tells; a route has those of the one above where it says nothing."""

    receiver_id: UUID | None = None
    group_by: tuple[str, ...] = ()
    group_wait_seconds: int = 30
    group_interval_seconds: int = 300
    repeat_interval_seconds: int = 14_400
    escalate_after_seconds: int | None = None
    escalate_to_id: UUID | None = None


@dataclass(frozen=True)
class Route:
    """A route with its own options filled in, and those below it in their order."""

    id: UUID
    name: str
    options: Options
    matchers: tuple[LabelMatcher, ...] = ()
    continues: bool = False
    department_id: UUID | None = None
    routes: tuple["Route", ...] = ()


@dataclass(frozen=True)
class Decision:
    """Whether an alert takes a route, and why."""

    route: Route
    depth: int
    is_taken: bool
    why: str
    # Whether this is where it is told.
    is_end: bool = False


@dataclass
class Walk:
    """Where an alert goes, step by step."""

    decisions: list[Decision] = field(default_factory=list)
    ends: list[Route] = field(default_factory=list)


def walk(root: Route, labels: Mapping[str, str], departments: Collection[UUID]) -> Walk:
    """The way of an alert with these labels; `departments` are its own and those above it."""
    found = Walk()
    _visit(root, labels, departments, 0, found)
    return found


def _visit(
    route: Route, labels: Mapping[str, str], departments: Collection[UUID], depth: int, found: Walk
) -> bool:
    why = _refusal(route, labels, departments)
    if why:
        found.decisions.append(Decision(route, depth, is_taken=False, why=why))
        return False
    place = len(found.decisions)
    found.decisions.append(Decision(route, depth, is_taken=True, why=_reason(route)))
    went_on = False
    for below in route.routes:
        if _visit(below, labels, departments, depth + 1, found):
            went_on = True
            if not below.continues:
                break
    if not went_on:
        found.ends.append(route)
        found.decisions[place] = replace(found.decisions[place], is_end=True)
    return True


def _refusal(route: Route, labels: Mapping[str, str], departments: Collection[UUID]) -> str:
    if route.department_id is not None and route.department_id not in departments:
        return "Applies to another department."
    wrong = next((one for one in route.matchers if not one.matches(labels)), None)
    if wrong is None:
        return ""
    return f"Requires {wrong}; the alert has {wrong.name}={labels.get(wrong.name, '')!r}."


def _reason(route: Route) -> str:
    return f"Matches {', '.join(map(str, route.matchers))}." if route.matchers else "Matches all alerts."


def group_labels(route: Route, labels: Mapping[str, str]) -> dict[str, str]:
    """The labels that alerts of a group have in common; `...` groups by all of them."""
    names: Sequence[str] = route.options.group_by
    if ALL_LABELS in names:
        return dict(labels)
    return {name: labels[name] for name in names if name in labels}
