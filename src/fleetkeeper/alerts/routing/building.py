"""The tree of routes from its rows, with what each inherits filled in. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from uuid import UUID

from fleetkeeper.alerts.matchers import parse_matchers
from fleetkeeper.alerts.models import AlertRoute
from fleetkeeper.alerts.routing.tree import Options, Route

_OWN = ("receiver_id", "group_wait_seconds", "group_interval_seconds", "repeat_interval_seconds")


def build(rows: Sequence[AlertRoute]) -> Route:
    """The first route with all below it. Raises LookupError where there is none."""
    below: dict[UUID | None, list[AlertRoute]] = {}
    for row in rows:
        below.setdefault(row.parent_id, []).append(row)
    if not below.get(None):
        raise LookupError("the tree of routes has no first route")
    return _built(below[None][0], Options(), below)


def _built(row: AlertRoute, above: Options, below: dict[UUID | None, list[AlertRoute]]) -> Route:
    own = {name: getattr(row, name) for name in _OWN if getattr(row, name) is not None}
    options = replace(above, **own)
    if row.group_by is not None:
        options = replace(options, group_by=tuple(row.group_by))
    if row.escalate_after_seconds is not None:
        options = replace(
            options, escalate_after_seconds=row.escalate_after_seconds, escalate_to_id=row.escalate_to_id
        )
    return Route(
        row.id,
        row.name,
        options,
        parse_matchers(row.matchers[0]) if row.matchers else (),
        row.continues,
        row.department_id,
        tuple(_built(one, options, below) for one in below.get(row.id, ())),
    )


def path_of(parents: Mapping[UUID, UUID | None], key: UUID) -> list[UUID]:
    """A route and those above it, as far as they do not come again."""
    path: list[UUID] = []
    current: UUID | None = key
    while current is not None and current not in path:
        path.append(current)
        current = parents.get(current)
    return path


def by_id(root: Route) -> dict[UUID, Route]:
    """All routes of a tree."""
    found = {root.id: root}
    for one in root.routes:
        found |= by_id(one)
    return found
