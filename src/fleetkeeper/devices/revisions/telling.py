"""What people are told of changes: each by itself, or how many there were. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from fleetkeeper.devices.revisions.comparing import fields_between, name_of

# Of one kind within a minute; more are told as a number.
MOST_IN_A_MINUTE = 20
MOST_FIELDS = 100
LONGEST_VALUE = 500
_KINDS = {"insert": "created", "update": "changed", "delete": "deleted"}
_NOUNS = {
    "devices": "device",
    "device_relationships": "relationship",
    "vms": "virtual machine",
    "network_interfaces": "network interface",
    "ip_addresses": "IP address",
    "storage_volumes": "storage volume",
    "hardware_components": "hardware component",
}
Places = Mapping[UUID, tuple[str, UUID | None]]


@dataclass(frozen=True)
class Told:
    """One change, or several of one kind."""

    label: str
    device_id: UUID | None
    department_id: UUID | None
    href: str
    what: str
    text: str
    at: datetime
    fields: dict[str, Any]


def told_of(rows: Sequence[Any], places: Places) -> list[Told]:
    """What is told of changes that come in their order."""
    groups: dict[tuple[Any, ...], list[Any]] = {}
    for row in rows:
        department = _department(row, places)
        minute = row.at.replace(second=0, microsecond=0)
        groups.setdefault((kind_of(row), row.object_type, department, minute), []).append(row)
    told = []
    for (kind, object_type, department, _), several in groups.items():
        if len(several) > MOST_IN_A_MINUTE:
            told.append(_summary(kind, object_type, department, several))
        else:
            told += [_single(kind, row, places) for row in several]
    return told


def devices_of(row: Any) -> set[UUID]:
    """The devices that a change concerns: of a relationship, both."""
    ends = {
        UUID(str(content[name]))
        for content in (row.before, row.after)
        for name in ("parent_device_id", "child_device_id")
        if content and content.get(name)
    }
    return {row.device_id, *(ends if row.object_type == "device_relationships" else ())}


def _department(row: Any, places: Places) -> UUID | None:
    """Who is told: the device's department; of what concerns two departments, those who see the whole fleet."""
    whose = {places.get(key, ("", None))[1] for key in devices_of(row)}
    return whose.pop() if len(whose) == 1 else None


def kind_of(row: Any) -> str:
    """created, changed, deleted or merged."""
    if row.object_type == "devices" and "merged_into" in row.changed and (row.after or {}).get("merged_into"):
        return "merged"
    return _KINDS.get(row.operation, "changed")


def _single(kind: str, row: Any, places: Places) -> Told:
    name, department = places.get(row.device_id, ("", None))[0], _department(row, places)
    label = name or str(row.device_id)
    is_gone = row.object_type == "devices" and kind in {"deleted", "merged"}
    noun = _NOUNS.get(row.object_type, row.object_type)
    part = (
        ""
        if row.object_type == "devices"
        else f"{noun} {name_of(row.after or row.before or {})} ".replace("  ", " ")
    )
    changes = [
        {"field": one.field, "before": _short(one.before), "after": _short(one.after)}
        for one in fields_between(row.before, row.after)[:MOST_FIELDS]
    ]
    lines = [f"{one['field']}: {_shown(one['before'])} → {_shown(one['after'])}" for one in changes]
    lines.append(
        f"By {row.actor_name or row.actor_kind or 'unknown'}{f': {row.reason}' if row.reason else ''}"
    )
    fields = {
        "kind": kind,
        "object_type": row.object_type,
        "object_id": str(row.object_id),
        "device_id": str(row.device_id),
        "operation": row.operation,
        "actor": row.actor_name,
        "actor_kind": row.actor_kind,
        "reason": row.reason,
        "count": 1,
        "changes": changes,
    }
    href = "" if is_gone else f"/devices/{row.device_id}"
    return Told(label, row.device_id, department, href, f"{part}{kind}", "\n".join(lines), row.at, fields)


def _summary(kind: str, object_type: str, department: UUID | None, rows: Sequence[Any]) -> Told:
    noun, last = _NOUNS.get(object_type, object_type), rows[-1]
    actors = sorted({row.actor_name for row in rows if row.actor_name})
    text = f"By {', '.join(actors[:10]) or 'unknown'}, within a minute. The audit log lists each."
    fields = {
        "kind": kind,
        "object_type": object_type,
        "object_id": "",
        "device_id": "",
        "operation": last.operation,
        "actor": ", ".join(actors[:10]),
        "actor_kind": last.actor_kind,
        "reason": last.reason,
        "count": len(rows),
        "changes": [],
    }
    what = f"of this kind ({noun}) {kind}"
    return Told(f"{len(rows):,} objects", None, department, "/audit", what, text, last.at, fields)


def _short(value: Any) -> Any:
    """A value as receivers get it; a long text or structure is cut."""
    if value is None or isinstance(value, bool | int | float):
        return value
    text = value if isinstance(value, str) else str(value)
    if len(text) > LONGEST_VALUE:
        return f"{text[:LONGEST_VALUE]}…"
    return value


def _shown(value: Any) -> str:
    return "(empty)" if value in (None, "", [], {}) else str(value)
