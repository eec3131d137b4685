"""The filter of the audit log's page: from its address to what the listing understands, and back. Pure."""

import contextlib
from collections.abc import Mapping
from dataclasses import asdict, replace
from datetime import date, datetime, time, timedelta
from urllib.parse import urlencode
from uuid import UUID
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from fleetkeeper.console.contexts.audit import AuditFilter, OtherFilter
from fleetkeeper.errors import FieldError, InvalidInputError
from fleetkeeper.operations.audit_browser import PEOPLES_KINDS
from fleetkeeper.operations.audit_names import Reference, table_of

# What the form has no field for and other pages link to.
OTHERS = {
    "user_id": "User",
    "token_id": "Token",
    "session_id": "Session of",
    "device_id": "Device",
    "actor_kind": "Kind of actor",
    "ip_address": "Address",
}
LIMIT = "50"
PEOPLE, ALL = "people", "all"


def read_filter(query: Mapping[str, str]) -> tuple[AuditFilter, dict[str, str]]:
    """The form's fields, and the other filters that are set."""
    fields = {name: query.get(name, "").strip() for name in asdict(AuditFilter())}
    others = {name: query[name].strip() for name in OTHERS if query.get(name, "").strip()}
    if fields["by"] not in {PEOPLE, ALL}:
        # A link to one object, request or actor shows all of it.
        is_narrow = bool(others) or any(fields[name] for name in ("actor", "record_id", "request_id"))
        fields["by"] = ALL if is_narrow else PEOPLE
    return AuditFilter(**fields), others


def listing_parameters(
    wanted: AuditFilter, others: Mapping[str, str], zone: ZoneInfo
) -> list[tuple[str, str]]:
    """The filter in the listing's words. Raises InvalidInputError for a day that is none."""
    found = [
        ("q", wanted.q),
        ("actor_name__contains", wanted.actor),
        ("action__contains", wanted.action),
        ("resource_type", wanted.resource_type),
        ("record_id", wanted.record_id),
        ("request_id", wanted.request_id),
        ("timestamp__gte", _day("since", wanted.since, zone)),
        # Up to the end of that day.
        ("timestamp__lt", _day("until", wanted.until, zone, days=1)),
        ("actor_kind__in", PEOPLES_KINDS if wanted.by == PEOPLE else ""),
        *others.items(),
    ]
    return [(name, text) for name, text in found if text]


def address_of(wanted: AuditFilter, others: Mapping[str, str]) -> str:
    """The page's address with a filter."""
    values = {name: text for name, text in {**asdict(wanted), **others}.items() if text}
    if values.get("by") == read_filter(values | {"by": ""})[0].by:
        del values["by"]
    return f"/audit?{urlencode(values)}" if values else "/audit"


def references_of(others: Mapping[str, str]) -> dict[str, Reference]:
    """What such filters refer to, by their names."""
    found = {}
    for name, value in others.items():
        table = table_of("", name)
        with contextlib.suppress(ValueError):
            if table is not None:
                found[name] = Reference(table, UUID(value))
    return found


def shown_others(
    wanted: AuditFilter, others: Mapping[str, str], names: Mapping[Reference, str]
) -> tuple[OtherFilter, ...]:
    """The filters that the form has no field for, each with the address that leaves it out."""
    references = references_of(others)
    return tuple(
        OtherFilter(
            name,
            OTHERS[name],
            value,
            _text_of(value, references.get(name), names),
            # Without what it narrows to, the page is people's again.
            address_of(replace(wanted, by=""), {key: text for key, text in others.items() if key != name}),
        )
        for name, value in others.items()
    )


def _text_of(value: str, reference: Reference | None, names: Mapping[Reference, str]) -> str:
    return value if reference is None else names.get(reference, f"{value[:8]}…")


def zone_of(name: str | None) -> ZoneInfo:
    """A reader's time zone; UTC for one that is not set or not known here."""
    try:
        return ZoneInfo(name or "UTC")
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return ZoneInfo("UTC")


def _day(name: str, text: str, zone: ZoneInfo, days: int = 0) -> str:
    if not text:
        return ""
    try:
        return datetime.combine(date.fromisoformat(text) + timedelta(days=days), time(), zone).isoformat()
    except (ValueError, OverflowError):
        raise InvalidInputError(
            "The filter is wrong.", fields=[FieldError(name, "is a day, such as 2026-11-21")]
        ) from None
