"""Evaluates the expressions of PromQL rules: each series of the answer is an alert, as in Prometheus."""

import hashlib
from datetime import datetime, timedelta

import numpy as np

from fleetkeeper.alerts.engine.observations import Observed, Subject, all_true
from fleetkeeper.alerts.engine.template_queries import TemplateQueries
from fleetkeeper.alerts.engine.texts import rendered_labels
from fleetkeeper.alerts.label_texts import text_of_labels
from fleetkeeper.alerts.models import AlertRule
from fleetkeeper.alerts.recording.placing import device_of
from fleetkeeper.alerts.rules.conditions import PromqlCondition
from fleetkeeper.errors import ConflictError
from fleetkeeper.kit.turns import Turns
from fleetkeeper.telemetry.promql.queries import Answer

_NAME = "__name__"


async def observe_promql(
    queries: TemplateQueries, rule: AlertRule, condition: PromqlCondition, at: datetime
) -> Observed:
    """The series of an expression's answer at one instant. Raises PromqlError, ConflictError."""
    moment = at - timedelta(milliseconds=rule.query_offset_ms)
    answer = await queries.asking.answer(condition.expr, moment)
    subjects = await _subjects(answer, rule, queries)
    while await queries.find_out():
        subjects = await _subjects(answer, rule, queries)
    if len({one.key for one in subjects}) < len(subjects):
        raise ConflictError("The answer has series that the rule's labels make equal.")
    return all_true(subjects, np.array([one.values[-1] for one in answer.series], float))


async def _subjects(answer: Answer, rule: AlertRule, queries: TemplateQueries) -> list[Subject]:
    found = []
    turns = Turns()
    for one in answer.series:
        # Where others have their turn the time limit of the rule applies, too.
        await turns.give_way()
        labels = {name: text.replace("\0", "") for name, text in one.labels if name != _NAME}
        own = rendered_labels(rule, labels, float(one.values[-1]), queries.samples, queries.allowance)
        if queries.allowance.is_used_up:
            # Labels say which alert it is: with an error in its place it would be another one.
            raise ConflictError("The templates of the rule's labels together take too many steps.")
        found.append(Subject(_key(labels | own), labels | own, device_of(labels)))
    return found


def _key(labels: dict[str, str]) -> bytes:
    told = text_of_labels({name: text for name, text in labels.items() if text})
    return hashlib.blake2b(told.encode(), digest_size=16).digest()
