"""Whether a rule is evaluated as it should be, on its page and in the list of rules."""

from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.alerts.models import AlertEvaluation
from fleetkeeper.alerts.rules.queries import evaluations_of
from fleetkeeper.alerts.rules.schemas import AlertRuleRead
from fleetkeeper.console.contexts.panels import Note, Tag
from fleetkeeper.console.lists.showing import SomeRows
from fleetkeeper.kit.pagination import PageOf


class ListedRule(AlertRuleRead):
    """A rule, and what is wrong with its evaluation."""

    problem: str = ""


async def with_health(session: AsyncSession, page: PageOf[AlertRuleRead]) -> SomeRows:
    """Rules of a list, with what is wrong with their evaluation."""
    last = await evaluations_of(session, [one.id for one in page.results])
    rows = [
        ListedRule.model_construct(**dict(one), problem=last[one.id].error if one.id in last else "")
        for one in page.results
    ]
    return SomeRows.of(page, rows)


def state_tags(rule: AlertRuleRead, problem: str) -> tuple[Tag, ...]:
    """Whether it is evaluated, and whether that fails."""
    if not rule.enabled:
        return (Tag("Disabled"),)
    return (Tag("Failing", "bad", problem),) if problem else (Tag("Enabled", "good"),)


def health_notes(rule: AlertRuleRead, last: AlertEvaluation | None) -> list[Note]:
    """What readers have to know before they trust it."""
    if not rule.enabled:
        return []
    notes = []
    if last is not None and last.error:
        since = f" since {last.failing_since:%Y-%m-%d %H:%M} UTC" if last.failing_since else ""
        notes.append(Note(f"Failing{since}: {last.error}", tone="bad"))
    if last is None or last.evaluated_at is None:
        notes.append(Note("Not evaluated yet."))
    elif last.evaluated_at < rule.updated_at:
        notes.append(Note("Not evaluated since the last change."))
    return notes
