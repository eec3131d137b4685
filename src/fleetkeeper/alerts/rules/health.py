"""Why a rule fails, of which its unit keeps how the last evaluation went. Pure."""

from uuid import UUID

from fleetkeeper.alerts.models import AlertEvaluation


def problem_of(rule_id: UUID, last: AlertEvaluation | None) -> str:
    """Why a rule failed at its last evaluation; empty where it did not."""
    if last is None:
        return ""
    # What has an error, and no failures, failed as a whole.
    return str(last.failures.get(str(rule_id), "")) if last.failures else last.error


def is_evaluated(last: AlertEvaluation | None) -> bool:
    """Whether it was evaluated at all."""
    return last is not None and (last.evaluated_at is not None or bool(last.error))
