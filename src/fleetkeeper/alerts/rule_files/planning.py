"""Compares a file with what is stored of it: what is new, what is different, what is gone."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from fleetkeeper.alerts.models import AlertRule
from fleetkeeper.alerts.recording.models import RecordingRule
from fleetkeeper.alerts.rule_files.contents import RuleFile
from fleetkeeper.alerts.rule_files.schemas import FileRuleWrite, Outcome
from fleetkeeper.alerts.rule_files.wanted import FileWrite, wanted_of
from fleetkeeper.alerts.rules.service import values_of

_NOT_TOLD = {"unit", "origin", "origin_key"}
FileRow = AlertRule | RecordingRule


@dataclass
class Planned:
    """One rule of the file, or one that is gone from it."""

    group: str
    name: str
    outcome: Outcome
    wanted: FileWrite | None = None
    present: FileRow | None = None
    changes: list[str] = field(default_factory=list)


def file_of(rule: FileRow) -> str:
    """The file that a rule is of; empty where it is of none."""
    if isinstance(rule, AlertRule) and rule.origin != "file":
        return ""
    return (rule.origin_key or "").partition("/")[0]


def group_of(rule: FileRow) -> str:
    """The group that a rule of a file is of."""
    return (rule.origin_key or "").partition("/")[2].rpartition("/")[0]


def plan(file: str, contents: RuleFile, present: Sequence[FileRow]) -> list[Planned]:
    """What an import does, in the order of the file; what is gone comes last.

    A rule is the one of its group that has its kind and name, whatever its position, so that what it fired goes on.
    """
    left: dict[tuple[str, bool, str], list[FileRow]] = {}
    for row in sorted(present, key=lambda one: one.position):
        left.setdefault((group_of(row), isinstance(row, AlertRule), row.name), []).append(row)
    planned: list[Planned] = []
    for group in contents.groups:
        for position, rule in enumerate(group.rules):
            same = left.get((group.name, bool(rule.alert), rule.name))
            before = same.pop(0) if same else None
            is_enabled = before.enabled if isinstance(before, AlertRule) else True
            wanted = wanted_of(file, group, rule, position, is_enabled=is_enabled)
            planned.append(_planned(group.name, wanted, before))
    gone = [
        Planned(group_of(row), row.name, Outcome.REMOVED, present=row)
        for rows in left.values()
        for row in rows
    ]
    return planned + gone


def stored_values(wanted: FileWrite) -> dict[str, Any]:
    """What is stored of a rule."""
    return values_of(wanted) if isinstance(wanted, FileRuleWrite) else wanted.model_dump()


def _planned(group: str, wanted: FileWrite, row: FileRow | None) -> Planned:
    if row is None:
        return Planned(group, wanted.name, Outcome.CREATED, wanted)
    values = stored_values(wanted)
    changes = sorted(name for name, value in values.items() if getattr(row, name) != value)
    told = [name for name in changes if name not in _NOT_TOLD]
    return Planned(
        group, wanted.name, Outcome.CHANGED if changes else Outcome.UNCHANGED, wanted, row, changes=told
    )
