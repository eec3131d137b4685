"""Values of audit entries in words: names for ids, times for people. Pure."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from fleetkeeper.audit.schemas import AuditEntryRead
from fleetkeeper.audit.words import page_of
from fleetkeeper.console.contexts.audit import Said
from fleetkeeper.operations.audit_names import DeletedName, Reference, table_of

# The page of a row of these tables.
Names = Mapping[Reference, str]
SHORT = 120
_TIME = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d{1,6})?)?(Z|[+-]\d\d(:?\d\d)?)")


def references_in(entries: Iterable[AuditEntryRead]) -> Iterator[Reference]:
    """What the values of entries refer to, and who did them by what."""
    for entry in entries:
        for values in (entry.old_values, entry.new_values, entry.details):
            for field, value in (values or {}).items():
                table = table_of(entry.resource_type, field)
                if table is not None:
                    yield from (Reference(table, key) for key in _ids_in(value))
        for field in ("user_id", "token_id", "session_id", "device_id"):
            key, table = getattr(entry, field), table_of("", field)
            if key is not None and table is not None:
                yield Reference(table, key)


def said(resource_type: str, field: str, value: Any, names: Names) -> Said | None:
    """A value of a field as people read it; nothing is None."""
    text = _shown(value)
    if text is None:
        return None
    table = table_of(resource_type, field)
    ids = [] if table is None else _ids_in(value)
    if table is not None and ids:
        return _named(table, ids, text, names)
    at = _moment(value)
    return Said(text, at=at, raw=text if at else "")


def _named(table: str, ids: list[UUID], text: str, names: Names) -> Said:
    known = [names.get(Reference(table, key)) for key in ids]
    if len(ids) == 1 and known[0] is not None:
        name, is_gone = known[0], isinstance(known[0], DeletedName)
        href = page_of(table).format(ids[0]) if not is_gone else ""
        return Said(f"{name} (deleted)" if is_gone else name, href, raw=text)
    # What is not to be seen has nothing but its id.
    return Said(", ".join(name or f"{str(key)[:8]}…" for name, key in zip(known, ids, strict=True)), raw=text)


def _ids_in(value: Any) -> list[UUID]:
    """The ids that a value consists of: none for what is anything else."""
    items = value if isinstance(value, list) else [value]
    found = []
    for item in items:
        try:
            found.append(UUID(item))
        except (ValueError, TypeError, AttributeError):
            return []
    return found


def _moment(value: Any) -> datetime | None:
    if not isinstance(value, str) or _TIME.fullmatch(value) is None:
        return None
    try:
        return datetime.fromisoformat(value)
    except ValueError:
        return None


def _shown(value: Any) -> str | None:
    """A value as text; nothing is None."""
    if value is None:
        return None
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, str):
        return value or "(empty)"
    if isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False, indent=None if len(str(value)) < SHORT else 2)
    return str(value)
