"""What the log says of rules that fail: each change once, instead of the same at each evaluation."""

from collections.abc import Mapping
from typing import Any

import structlog
from sqlalchemy.exc import SQLAlchemyError

from fleetkeeper.alerts.engine.queries import Problem
from fleetkeeper.alerts.models import AlertRule
from fleetkeeper.alerts.recording.models import RecordingRule
from fleetkeeper.errors import FleetkeeperError
from fleetkeeper.telemetry.promql.errors import PromqlError

log = structlog.get_logger(__name__)

MOST_OF_REASON = 1000
_EXPECTED = (FleetkeeperError, PromqlError, SQLAlchemyError, TimeoutError)


class HealthChanges:
    """Compares how the rules of a unit are evaluated with how they were last time, as `alert_evaluations` keeps it."""

    def __init__(self, claimed: Any) -> None:
        self._failures: Mapping[str, str] = claimed.failures
        # What a unit failed by as a whole is of no rule.
        self._error: str = "" if claimed.failures else claimed.error
        self._unit = str(claimed.unit)

    def failed(self, problem: Problem, error: Exception) -> None:
        """A rule failed."""
        if self._failures.get(str(problem.rule_id)) != problem.reason:
            log.warning("a rule fails", rule=problem.name, reason=problem.reason, exc_info=_unexpected(error))

    def worked(self, rule: AlertRule | RecordingRule) -> None:
        """A rule was evaluated."""
        if self._error or str(rule.id) in self._failures:
            log.info("a rule works again", rule=rule.name)

    def failed_as_a_whole(self, reason: str, error: Exception | None) -> None:
        """The rules of the unit could not be evaluated."""
        if self._error != reason:
            log.warning("alert rules fail", unit=self._unit, reason=reason, exc_info=_unexpected(error))


def _unexpected(error: Exception | None) -> Exception | None:
    return None if isinstance(error, _EXPECTED) else error
