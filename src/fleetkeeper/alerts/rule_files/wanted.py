"""What is stored of a rule of a file."""

from collections.abc import Mapping
from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid5

from fleetkeeper.alerts.rule_files.contents import FileGroup, FileRule
from fleetkeeper.alerts.rule_files.schemas import FileRuleWrite, RecordingRuleWrite
from fleetkeeper.alerts.status import Severity

FileWrite = FileRuleWrite | RecordingRuleWrite
_DEFAULT_INTERVAL_MS = 60_000


def wanted_of(
    file: str, group: FileGroup, rule: FileRule, position: int, *, is_enabled: bool = True
) -> FileWrite:
    """What is stored of a rule. Raises ValidationError."""
    given: dict[str, Any] = {
        "name": rule.name,
        "interval_seconds": -(-(group.interval_ms or _DEFAULT_INTERVAL_MS) // 1000),
        "series_limit": max(0, group.limit),
        "query_offset_ms": group.query_offset_ms,
        "labels": rule.labels,
        "origin_key": f"{file}/{group.name}/{position}",
        "unit": unit_of(file, group.name),
        "position": position,
    }
    if rule.record:
        return RecordingRuleWrite.model_validate(given | {"expr": rule.expr})
    return FileRuleWrite.model_validate(
        given
        | {
            "enabled": is_enabled,
            "condition": {"kind": "promql", "expr": rule.expr},
            "severity": severity_of(rule.labels),
            "for_seconds": -(-rule.for_ms // 1000),
            "keep_firing_seconds": -(-rule.keep_firing_ms // 1000),
            "annotations": rule.annotations,
        }
    )


def unit_of(file: str, group: str) -> UUID:
    """The unit that the rules of a group share: the same one with each import."""
    return uuid5(NAMESPACE_URL, f"{file}/{group}")


def severity_of(labels: Mapping[str, str]) -> Severity:
    """What the label `severity` says, where it is one of ours."""
    given = labels.get("severity", "")
    return Severity(given) if given in set(Severity) else Severity.WARNING
