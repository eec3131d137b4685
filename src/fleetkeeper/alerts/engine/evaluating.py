"""Evaluates one unit of rules at one instant, in one transaction that holds the unit's row.

What it sees, what it writes to the log, and when the unit is due next are committed together: a worker that dies
leaves the unit as it was, and the next one takes it at once. So of any number of workers one evaluates each instant.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from time import perf_counter
from typing import Any
from uuid import UUID

from pydantic import TypeAdapter
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.alerts.engine import queries, reading
from fleetkeeper.alerts.engine.asking import Asking
from fleetkeeper.alerts.engine.health_changes import MOST_OF_REASON, HealthChanges
from fleetkeeper.alerts.engine.instants import instant, is_gap, oldest_missed
from fleetkeeper.alerts.engine.observations import Observed
from fleetkeeper.alerts.engine.promql_rules import observe_promql
from fleetkeeper.alerts.engine.recording import Recorder
from fleetkeeper.alerts.engine.seeing import LimitExceededError, see
from fleetkeeper.alerts.engine.template_queries import TemplateQueries
from fleetkeeper.alerts.log.writing import end_rule
from fleetkeeper.alerts.models import AlertRule
from fleetkeeper.alerts.recording.models import RecordingRule
from fleetkeeper.alerts.rules.conditions import (
    Condition,
    NoReportCondition,
    PromqlCondition,
    StateCondition,
)
from fleetkeeper.alerts.rules.scopes import RuleScope, context_of, departments_below, eyes
from fleetkeeper.alerts.status import Resolution
from fleetkeeper.database.context import product_context
from fleetkeeper.database.engine import Database
from fleetkeeper.kit.clock import utc_now
from fleetkeeper.settings import Settings
from fleetkeeper.telemetry.open_door import open_since
from fleetkeeper.telemetry.promql.service import Promql

Rule = AlertRule | RecordingRule
CONDITION: TypeAdapter[Condition] = TypeAdapter(Condition)
CONTEXT = product_context("job", "alerts.evaluate")
# What one unit may take, whatever its interval.
SHORTEST_TIMEOUT_SECONDS = 10.0
LONGEST_TIMEOUT_SECONDS = 60.0


@dataclass
class Engine:
    """What evaluating takes: a database of its own, and workers for PromQL."""

    database: Database
    settings: Settings
    promql: Promql
    recorder: Recorder
    selections: reading.Selections = field(default_factory=reading.Selections)
    started: datetime = field(default_factory=utc_now)

    @property
    def origin(self) -> str:
        """The product's own address, as far as it is known."""
        return self.settings.web.public_origin or ""

    async def evaluate_next(self) -> bool:
        """Evaluate what is due for longest; returns whether there was something."""
        claimed: Any = None
        at = next_at = utc_now()
        timeout = SHORTEST_TIMEOUT_SECONDS
        try:
            async with self.database.session(CONTEXT) as session:
                claimed = await queries.claim(session)
                if claimed is None:
                    return False
                rules = await queries.rules_of(session, claimed.unit)
                if not rules:
                    await queries.forget_unit(session, claimed.unit)
                    return True
                interval = timedelta(seconds=rules[0].interval_seconds)
                at = newest = instant(claimed.unit, interval, claimed.now)
                next_at = newest + interval
                timeout = min(
                    max(interval.total_seconds(), SHORTEST_TIMEOUT_SECONDS), LONGEST_TIMEOUT_SECONDS
                )
                await session.execute(
                    text("SELECT set_config('statement_timeout', :limit, true)"),
                    {"limit": f"{round(timeout * 1000)}ms"},
                )
                async with asyncio.timeout(timeout):
                    missed = oldest_missed(claimed, interval, newest, self.started, await open_since(session))
                    at = missed or newest
                    await self._evaluate(session, claimed, rules, at, newest, interval)
        except TimeoutError:
            reason = f"The evaluation took longer than {timeout:.0f} seconds."
            await self._fail(claimed, at, next_at, reason, waits=True)
        except Exception as error:
            # Whatever it is: a unit that stays due would be taken again and again, and hold up all others.
            if claimed is None:
                raise
            await self._fail(claimed, at, next_at, _reason(error), error)
        return True

    async def _evaluate(
        self,
        session: AsyncSession,
        claimed: Any,
        rules: Sequence[Rule],
        at: datetime,
        newest: datetime,
        interval: timedelta,
    ) -> None:
        began, series, problems = perf_counter(), 0, list[queries.Problem]()
        changes = HealthChanges(claimed)
        gap = is_gap(claimed, interval, at)
        # What was silent while nobody looked is silent from now on.
        is_anew = claimed.running_since is None or is_gap(claimed, interval, newest)
        running_since = newest if is_anew else claimed.running_since
        if claimed.evaluated_at is None or at > claimed.evaluated_at:
            for rule in rules if at == newest else filter(_tells_of_the_past, rules):
                try:
                    async with session.begin_nested():
                        series += await self.evaluate_rule(session, rule, at, running_since, after_gap=gap)
                except Exception as error:
                    if _is_over(error) or isinstance(error, TimeoutError):
                        raise
                    problems.append(queries.Problem(rule.id, rule.name, _reason(error)))
                    if isinstance(error, LimitExceededError):
                        await end_rule(session, rule.id, at, Resolution.LIMIT_EXCEEDED)
                    changes.failed(problems[-1], error)
                else:
                    changes.worked(rule)
        await queries.settle(
            session,
            claimed.unit,
            at=at,
            next_at=at + interval,
            running_since=running_since,
            duration_seconds=perf_counter() - began,
            series=series,
            problems=problems,
        )

    async def evaluate_rule(
        self,
        session: AsyncSession,
        rule: Rule,
        at: datetime,
        running_since: datetime,
        *,
        after_gap: bool = False,
    ) -> int:
        """Evaluate one rule at an instant; returns how many series it saw. Raises what looking raises."""
        if isinstance(rule, RecordingRule):
            return await self._record(session, rule, at)
        departments = await self._departments(session, rule)
        asked = TemplateQueries(self._asking(departments), at)
        observed = await self._observe(session, rule, departments, at, running_since, asked)
        await see(session, rule, observed, at, asked, departments=departments, after_gap=after_gap)
        return len(observed.subjects)

    async def _record(self, session: AsyncSession, rule: RecordingRule, at: datetime) -> int:
        moment = at - timedelta(milliseconds=rule.query_offset_ms)
        answer = await self._asking(None).answer(rule.expr, moment)
        return await self.recorder.record(session, rule, answer, moment)

    def _asking(self, departments: frozenset[UUID] | None) -> Asking:
        context = context_of(departments)
        return Asking(self.promql, lambda: self.database.session(context), eyes(departments))

    async def _departments(self, session: AsyncSession, rule: AlertRule) -> frozenset[UUID] | None:
        """Where a rule may look; None is everywhere."""
        if rule.department_id is None:
            return None
        key = rule.id, rule.version, "departments"
        known: frozenset[UUID] | None = self.selections.get(key)
        if known is None:
            known = self.selections.put(key, await departments_below(session, rule.department_id))
        return known

    async def _observe(
        self,
        session: AsyncSession,
        rule: AlertRule,
        departments: frozenset[UUID] | None,
        at: datetime,
        running_since: datetime,
        asked: TemplateQueries,
    ) -> Observed:
        """What a rule sees. Raises FleetkeeperError, PromqlError, SQLAlchemyError."""
        condition = CONDITION.validate_python(rule.condition)
        key = rule.id, rule.version
        if isinstance(condition, PromqlCondition):
            return await observe_promql(asked, rule, condition, at)
        scope = RuleScope.model_validate(rule.scope)
        view = reading.View(eyes(departments), scope, await queries.overrides_of(session, rule.id))
        if isinstance(condition, NoReportCondition):
            presence = self.settings.telemetry.presence_seconds
            return await reading.observe_silence(session, condition, view, at, running_since, presence)
        if isinstance(condition, StateCondition):
            return await reading.observe_state(session, condition, view, at)
        return await reading.observe_threshold(session, condition, view, at, self.selections, key)

    async def _fail(
        self,
        claimed: Any,
        at: datetime,
        next_at: datetime,
        reason: str,
        error: Exception | None = None,
        *,
        waits: bool = False,
    ) -> None:
        if claimed is None:
            return
        HealthChanges(claimed).failed_as_a_whole(reason, error)
        async with self.database.session(CONTEXT) as session:
            await queries.fail(session, claimed.unit, at=at, next_at=next_at, error=reason, waits=waits)


def _tells_of_the_past(rule: Rule) -> bool:
    """Whether what a rule sees at a past instant can be told from what is stored."""
    return isinstance(rule, RecordingRule) or rule.kind != "no_report"


def _is_over(error: Exception) -> bool:
    """Whether the whole transaction is over, and not only what was tried."""
    return isinstance(error, SQLAlchemyError) and bool(getattr(error, "connection_invalidated", False))


def _reason(error: Exception) -> str:
    fields = "; ".join(f"{one.field}: {one.message}" for one in getattr(error, "fields", ()))
    original = getattr(error, "orig", None) or error
    first = str(original).strip().splitlines()[0] if str(original).strip() else type(error).__name__
    return f"{first} {fields}".strip()[:MOST_OF_REASON]
