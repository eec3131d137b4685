"""Applies what a rule observed to what it saw before: moves each set of labels, and writes the log."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from math import isfinite
from typing import Any
from uuid import UUID

import numpy as np
from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.alerts.engine import queries
from fleetkeeper.alerts.engine.observations import Observed, Subject
from fleetkeeper.alerts.engine.states import Change, Seen, State, Timing, step
from fleetkeeper.alerts.engine.template_queries import TemplateQueries
from fleetkeeper.alerts.engine.texts import alert_labels, rendered_annotations
from fleetkeeper.alerts.log.writing import NewAlert, close_alerts, open_alerts
from fleetkeeper.alerts.models import AlertInstance, AlertRule
from fleetkeeper.alerts.status import Resolution, Severity
from fleetkeeper.errors import ConflictError
from fleetkeeper.kit.turns import Turns


async def see(
    session: AsyncSession,
    rule: AlertRule,
    observed: Observed,
    at: datetime,
    template_queries: TemplateQueries,
    *,
    departments: frozenset[UUID] | None,
    after_gap: bool,
) -> None:
    """Move what the rule sees to an instant; `departments` are those whose devices it may name.

    Raises LimitExceededError, with nothing written, when more alerts are active than the rule may have.
    """
    present = {one.fingerprint: one for one in await queries.instances_of(session, rule.id)}
    numbers = _of_interest(rule, observed, present)
    if not numbers and not present:
        return
    devices = {subject.device_id for number in numbers if (subject := observed.subjects[number]).device_id}
    named = await queries.devices_named(session, {one for one in devices if one is not None})
    if departments is not None:
        # Labels say what an expression makes them say.
        named = {key: one for key, one in named.items() if one.department_id in departments}
    moves = Moves(rule, observed, at, named, template_queries)
    await moves.move_all(present, numbers, after_gap=after_gap)
    while await template_queries.find_out():
        moves = Moves(rule, observed, at, named, template_queries)
        await moves.move_all(present, numbers, after_gap=after_gap)
    if 0 < rule.series_limit < moves.active:
        raise LimitExceededError(f"exceeded limit of {rule.series_limit} with {moves.active} alerts")
    await moves.write(session)


def _of_interest(rule: AlertRule, observed: Observed, present: Mapping[bytes, AlertInstance]) -> list[int]:
    """The subjects of which the rule is true, or that it saw before."""
    flags = observed.truth | (~observed.known if rule.no_data == "alert" else False)
    numbers = set(np.flatnonzero(flags).tolist())
    if present:
        numbers.update(n for n, subject in enumerate(observed.subjects) if subject.key in present)
    return sorted(numbers)


class LimitExceededError(ConflictError):
    """A rule has more alerts than its group allows."""


class Moves:
    """What an instant changes for one rule, until it is written."""

    def __init__(
        self,
        rule: AlertRule,
        observed: Observed,
        at: datetime,
        named: Mapping[UUID, Any],
        template_queries: TemplateQueries,
    ) -> None:
        self._rule, self._observed, self._at, self._named = rule, observed, at, named
        self._ask, self._allowance = template_queries.samples, template_queries.allowance
        # Pending or firing.
        self.active = 0
        self._stored: list[dict[str, Any]] = []
        self._dropped: list[bytes] = []
        self._values: list[tuple[bytes, float | None]] = []
        self._fired: list[tuple[dict[str, Any], NewAlert]] = []
        self._resolved: list[tuple[tuple[int, datetime], float | None]] = []

    async def move_all(
        self, present: Mapping[bytes, AlertInstance], numbers: Sequence[int], *, after_gap: bool
    ) -> None:
        """Move what is there, by its numbers, and what was there."""
        turns = Turns()
        left = dict(present)
        for number in numbers:
            await turns.give_way()
            self.move(left.pop(self._observed.subjects[number].key, None), number, after_gap=after_gap)
        for gone in left.values():
            self.move(gone, None, after_gap=after_gap)

    def move(self, row: AlertInstance | None, number: int | None, *, after_gap: bool) -> None:
        """Move one set of labels; `number` is None where it is there no more."""
        before = None if row is None else _state_of(row)
        known_truth: bool | None = False
        if number is not None:
            fires = before is not None and before.seen is Seen.FIRING
            truth = bool((self._observed.held if fires else self._observed.truth)[number])
            known_truth = self._truth(number, is_true=truth)
        # Nobody knows what it was in the gap: it waits anew.
        if after_gap and before is not None and before.seen is Seen.PENDING:
            before = replace(before, active_at=self._at)
        after, change = step(before, known_truth, self._at, self._timing(number))
        self.active += after is not None and after.seen is not Seen.INACTIVE
        if after is None:
            if row is not None:
                self._dropped.append(row.fingerprint)
        elif change is None and after == before and row is not None:
            if number is not None and after.seen is not Seen.INACTIVE:
                self._values.append((row.fingerprint, self._value(number)))
            return
        self._note(row, number, after, change)

    def _timing(self, number: int | None) -> Timing:
        own = None if number is None else self._observed.override_of(number).for_seconds
        return Timing(
            timedelta(seconds=self._rule.for_seconds if own is None else own),
            timedelta(seconds=self._rule.keep_firing_seconds),
            self._rule.detects_flapping,
        )

    def _truth(self, number: int, *, is_true: bool) -> bool | None:
        if self._observed.known[number]:
            return is_true
        return {"ok": False, "keep": None, "alert": True}[self._rule.no_data]

    def _value(self, number: int | None) -> float | None:
        if number is None:
            return None
        value = float(self._observed.values[number])
        return value if isfinite(value) else None

    def _note(
        self,
        row: AlertInstance | None,
        number: int | None,
        after: State | None,
        change: Change | None,
    ) -> None:
        value = self._value(number)
        if change is Change.RESOLVED and row is not None and row.alert_id and row.triggered_at:
            self._resolved.append(((row.alert_id, row.triggered_at), value))
        if after is None:
            return
        stored = self._stored_row(row, number, after, value)
        if change is Change.FIRED and number is not None:
            self._fired.append((stored, self._alert(number, after, value)))
        elif change is Change.RESOLVED or after.seen is not Seen.FIRING:
            stored |= {"alert_id": None, "triggered_at": None}
        self._stored.append(stored)

    def _stored_row(
        self, row: AlertInstance | None, number: int | None, after: State, value: float | None
    ) -> dict[str, Any]:
        subject: Subject | None = None if number is None else self._observed.subjects[number]
        if subject is None:
            # It is there no more.
            key = row.fingerprint if row is not None else b""
            labels: Mapping[str, Any] = row.labels if row is not None else {}
            device, department = (row.device_id, row.department_id) if row is not None else (None, None)
        else:
            key = subject.key
            labels = self._labels(number, value) if row is None else row.labels
            device, department = self._place(subject)
        return {
            "rule_id": self._rule.id,
            "fingerprint": key,
            "state": after.seen,
            "labels": dict(labels),
            "device_id": device,
            "department_id": department,
            "value": value,
            "active_at": after.active_at,
            "fired_at": after.fired_at,
            "keep_since": after.keep_since,
            "resolved_at": after.resolved_at,
            "fires": list(after.fires),
            "is_flapping": after.is_flapping,
            "alert_id": row.alert_id if row is not None else None,
            "triggered_at": row.triggered_at if row is not None else None,
        }

    def _place(self, subject: Subject) -> tuple[UUID | None, UUID | None]:
        """The device that it is about, and whose department's eyes see it."""
        device = self._named.get(subject.device_id) if subject.device_id else None
        return (device.id, device.department_id) if device else (None, self._rule.department_id)

    def _labels(self, number: int | None, value: float | None) -> dict[str, str]:
        if number is None:
            return {}
        override = self._observed.override_of(number)
        labels = self._observed.subjects[number].labels
        return alert_labels(self._rule, labels, value, override.severity, self._ask, self._allowance)

    def _alert(self, number: int, after: State, value: float | None) -> NewAlert:
        subject = self._observed.subjects[number]
        device_id, department_id = self._place(subject)
        device = self._named.get(device_id) if device_id else None
        labels = self._labels(number, value)
        thresholds = self._observed.thresholds
        return NewAlert(
            rule_id=self._rule.id,
            name=self._rule.name,
            severity=_severity(labels, self._rule),
            labels=labels,
            annotations=rendered_annotations(
                self._rule, labels, self._observed.values[number], self._ask, self._allowance
            ),
            fingerprint=subject.key,
            triggered_at=self._at,
            pending_since=after.active_at,
            device_id=device_id,
            department_id=department_id,
            device_name=device.name if device else "",
            metric=subject.metric,
            value=value,
            threshold=None if thresholds is None else float(thresholds[number]),
            is_flapping=after.is_flapping,
            quiets_device=self._rule.quiets_device and device_id is not None,
        )

    async def write(self, session: AsyncSession) -> None:
        """Write it all."""
        numbers = await open_alerts(session, [alert for _, alert in self._fired])
        for (stored, alert), number in zip(self._fired, numbers, strict=True):
            stored |= {"alert_id": number, "triggered_at": alert.triggered_at}
        await close_alerts(session, self._resolved, self._at, Resolution.CLEARED)
        await queries.store_instances(session, self._stored)
        await queries.drop_instances(session, self._rule.id, self._dropped)
        await queries.update_values(session, self._rule.id, self._values)


def _severity(labels: Mapping[str, str], rule: AlertRule) -> Severity:
    told = labels.get("severity", "")
    return Severity(told) if told in frozenset(Severity) else Severity(rule.severity)


def _state_of(row: AlertInstance) -> State:
    return State(
        Seen(row.state),
        row.active_at,
        row.fired_at,
        row.keep_since,
        row.resolved_at,
        tuple(row.fires),
        row.is_flapping,
    )
