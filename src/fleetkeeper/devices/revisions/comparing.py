"""What the contents of two revisions differ in. Pure."""

from collections.abc import Mapping
from typing import Any

from fleetkeeper.devices.revisions.schemas import FieldDifference

# What a part is called by, the first that it has.
_NAMES = ("name", "interface_name", "slot", "relationship_type", "instance_uuid")
# What tells nothing of the thing itself.
_SILENT = frozenset({"id", "device_id"})


def name_of(content: Mapping[str, Any]) -> str:
    """What people call the object of a revision."""
    return next((str(content[name]) for name in _NAMES if content.get(name)), "")


def fields_between(
    before: Mapping[str, Any] | None, after: Mapping[str, Any] | None
) -> list[FieldDifference]:
    """The fields whose values differ, by name; what is empty on one side and missing on the other does not."""
    old, new = before or {}, after or {}
    return [
        FieldDifference(field=name, before=old.get(name), after=new.get(name))
        for name in sorted((old.keys() | new.keys()) - _SILENT)
        if _told(old.get(name)) != _told(new.get(name))
    ]


def _told(value: Any) -> Any:
    return None if value in ("", [], {}) else value
