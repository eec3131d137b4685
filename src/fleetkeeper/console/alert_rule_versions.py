"""The versions of a rule as a table of its page. Pure."""

from collections.abc import Sequence

from fleetkeeper.alerts.rules.schemas import AlertRuleRead
from fleetkeeper.alerts.versions.schemas import AlertRuleVersionRead
from fleetkeeper.console.contexts.panels import Cell, Row, RowAction, Table, Tag


def versions_table(
    rule: AlertRuleRead, versions: Sequence[AlertRuleVersionRead], base: str, *, may_write: bool
) -> Table:
    """What each version changed, the newest first, each with a way back to it."""
    return Table(
        "versions",
        "Versions",
        ("Version", "When", "Who", "Changes"),
        tuple(
            Row(
                (
                    Cell(str(one.version), tags=(Tag("Current", "good"),) if one.is_current else ()),
                    Cell(at=one.at, kind="time", is_soft=True),
                    Cell(one.actor),
                    Cell("; ".join(one.changes) or _nothing(one, versions), is_soft=not one.changes),
                ),
                (_restore(rule, one, base),) if may_write and not one.is_current else (),
            )
            for one in versions
        ),
    )


def _nothing(one: AlertRuleVersionRead, versions: Sequence[AlertRuleVersionRead]) -> str:
    return "Oldest version that is kept" if one is versions[-1] else "No change of the rule itself"


def _restore(rule: AlertRuleRead, one: AlertRuleVersionRead, base: str) -> RowAction:
    confirm = f"Restore version {one.version} of {rule.name}? It becomes the newest version; the present one is kept."
    return RowAction(
        "Restore", f"{base}/versions/{one.version}/restore?present={rule.version}", confirm, is_danger=False
    )
