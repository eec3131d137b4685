"""Rules in groups, and the alerts that they see, in the shape of Prometheus' API."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import numpy as np
from pydantic import TypeAdapter
from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.alerts.engine.states import Seen
from fleetkeeper.alerts.engine.texts import rendered_annotations
from fleetkeeper.alerts.models import AlertEvaluation, AlertInstance, AlertRule
from fleetkeeper.alerts.prometheus import queries
from fleetkeeper.alerts.prometheus.expressions import expression_of
from fleetkeeper.alerts.recording.models import RecordingRule
from fleetkeeper.alerts.rule_files.planning import file_of, group_of
from fleetkeeper.alerts.rules.conditions import Condition
from fleetkeeper.alerts.rules.health import is_evaluated, problem_of
from fleetkeeper.alerts.templates.effort import Allowance
from fleetkeeper.identity.actor import Actor
from fleetkeeper.identity.permissions import Permission
from fleetkeeper.kit.turns import Turns
from fleetkeeper.telemetry.promql.errors import BadDataError
from fleetkeeper.telemetry.promql.formatting import quoted

_CONDITION: TypeAdapter[Condition] = TypeAdapter(Condition)
# Go's zero time: what was never evaluated.
NEVER = "0001-01-01T00:00:00Z"
WHOLE_FLEET = "fleet"


@dataclass(frozen=True)
class Wanted:
    """Which rules are asked for; empty: all."""

    kind: str = ""
    rules: Sequence[str] = ()
    groups: Sequence[str] = ()
    files: Sequence[str] = ()


async def list_groups(session: AsyncSession, actor: Actor, wanted: Wanted) -> dict[str, Any]:
    """The groups of rules that the actor may see. Raises BadDataError."""
    if wanted.kind not in {"", "alert", "record"}:
        raise BadDataError(f'invalid parameter "type": not supported value {quoted(wanted.kind[:100])}')
    alerting = await _rules(session, actor) if wanted.kind != "record" else ()
    recording = await _recording(session, actor) if wanted.kind != "alert" else ()
    seen = await _seen(session, actor, [row[0] for row in alerting])
    units: dict[UUID, list[Any]] = {}
    for row in (*alerting, *recording):
        units.setdefault(row[0].unit, []).append(row)
    groups = []
    for unit in sorted(units.values(), key=lambda rows: min(row[0].created_at for row in rows)):
        unit.sort(key=lambda row: (row[0].position, row[0].id))
        file, name = _place(unit[0])
        chosen = [row for row in unit if _is_chosen(wanted.rules, row[0].name)]
        if chosen and _is_chosen(wanted.groups, name) and _is_chosen(wanted.files, file):
            groups.append(_group(name, file, chosen, seen))
    return {"groups": groups}


def _place(row: Any) -> tuple[str, str]:
    """File and group of a rule. One that is of no file is a group by itself, in the file of its department."""
    file = file_of(row[0])
    return (file, group_of(row[0])) if file else (row[2] or WHOLE_FLEET, row[0].name)


async def list_alerts(session: AsyncSession, actor: Actor) -> dict[str, Any]:
    """What is pending or fires, as far as the actor may see it."""
    rows = await _rules(session, actor)
    seen = await _seen(session, actor, [row[0] for row in rows])
    return {"alerts": [alert for row in rows for alert in seen.get(row[0].id, ())]}


def _is_chosen(names: Sequence[str], name: str) -> bool:
    return not names or name in names


async def _rules(session: AsyncSession, actor: Actor) -> Sequence[Any]:
    return await queries.evaluated_rules(session, actor) if actor.scope(Permission.ALERTS_READ) else ()


async def _recording(session: AsyncSession, actor: Actor) -> Sequence[Any]:
    return await queries.recording_rules(session) if actor.scope(Permission.ALERTS_READ) else ()


async def _seen(
    session: AsyncSession, actor: Actor, rules: Sequence[AlertRule]
) -> dict[UUID, list[dict[str, Any]]]:
    by_id = {rule.id: rule for rule in rules}
    found: dict[UUID, list[dict[str, Any]]] = {}
    turns, allowances = Turns(), defaultdict[UUID, Allowance](Allowance)
    seen = await queries.seen_by(session, actor, by_id) if by_id else ()
    asking = {rule.id for rule in rules if any("query" in str(one) for one in rule.annotations.values())}
    # Nothing is asked anew to list them.
    told = [one.alert_id for one in seen if one.rule_id in asking and one.alert_id]
    kept = await queries.annotations_told(session, told) if told else {}
    for one in seen:
        await turns.give_way()
        annotations = kept.get(one.alert_id) if one.alert_id else None
        found.setdefault(one.rule_id, []).append(
            _alert(by_id[one.rule_id], one, annotations, allowances[one.rule_id])
        )
    return found


def _alert(
    rule: AlertRule, one: AlertInstance, annotations: Mapping[str, str] | None, allowance: Allowance
) -> dict[str, Any]:
    value = float("nan") if one.value is None else one.value
    return {
        "labels": one.labels,
        "annotations": rendered_annotations(rule, one.labels, value, allowance=allowance)
        if annotations is None
        else annotations,
        "state": one.state,
        "activeAt": rfc3339(one.active_at),
        "value": scientific(value),
    }


def _group(
    name: str, file: str, rows: Sequence[Any], seen: Mapping[UUID, Sequence[dict[str, Any]]]
) -> dict[str, Any]:
    first: AlertRule | RecordingRule = rows[0][0]
    evaluation: AlertEvaluation | None = rows[0][1]
    return {
        "name": name,
        "file": file,
        "interval": first.interval_seconds,
        "limit": first.series_limit,
        "rules": [_rule(row[0], evaluation, seen.get(row[0].id, ())) for row in rows],
        **_last(evaluation),
    }


def _rule(
    rule: AlertRule | RecordingRule, evaluation: AlertEvaluation | None, alerts: Sequence[dict[str, Any]]
) -> dict[str, Any]:
    state = {**_health(rule, evaluation), **_last(evaluation)}
    if isinstance(rule, RecordingRule):
        told = {"name": rule.name, "query": rule.expr, "labels": rule.labels}
        return {**told, **state, "type": "recording"}
    states = {alert["state"] for alert in alerts}
    return {
        "state": next((state for state in (Seen.FIRING, Seen.PENDING) if state in states), Seen.INACTIVE),
        "name": rule.name,
        "query": expression_of(_CONDITION.validate_python(rule.condition)),
        "duration": rule.for_seconds,
        "keepFiringFor": rule.keep_firing_seconds,
        "labels": {"severity": rule.severity, **rule.labels},
        "annotations": rule.annotations,
        "alerts": alerts,
        **state,
        "type": "alerting",
    }


def _health(rule: AlertRule | RecordingRule, evaluation: AlertEvaluation | None) -> dict[str, Any]:
    if not is_evaluated(evaluation):
        return {"health": "unknown"}
    why = problem_of(rule.id, evaluation)
    return {"health": "err", "lastError": why} if why else {"health": "ok"}


def _last(evaluation: AlertEvaluation | None) -> dict[str, Any]:
    at = evaluation.evaluated_at if evaluation else None
    taken = evaluation.duration_seconds if evaluation else None
    return {"evaluationTime": taken or 0, "lastEvaluation": rfc3339(at) if at else NEVER}


def rfc3339(moment: datetime) -> str:
    """A moment as Go writes it."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def scientific(value: float) -> str:
    """A number as Prometheus writes the values of alerts: Go's `FormatFloat(v, 'e', -1, 64)`."""
    if np.isnan(value):
        return "NaN"
    if np.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    return str(np.format_float_scientific(value, unique=True, trim="-", exp_digits=2))
