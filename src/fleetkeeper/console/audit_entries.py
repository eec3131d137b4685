"""Entries of the audit log in words. Pure."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import quote, urlencode
from uuid import UUID

from fleetkeeper.audit.schemas import AuditEntryRead
from fleetkeeper.audit.words import EVENTS, EventWords, kind_of, page_of
from fleetkeeper.console.audit_values import SHORT, Names, said
from fleetkeeper.console.contexts.audit import Change, EntryRow, Said
from fleetkeeper.console.rendering import format_words
from fleetkeeper.identity.actor import Actor
from fleetkeeper.identity.permissions import Permission
from fleetkeeper.operations.audit_names import Reference

VERBS = {"insert": "Created", "update": "Updated", "delete": "Deleted", "truncate": "Emptied"}
# What events of any table are called.
TAILS = {"export": "Exported"}
# What a list leaves out of a row that is new or gone; the entry's own page has it.
QUIET = frozenset({"id", "created_at", "device_id", "enrolled_at", "findings", "sort_order"})
EMPTY: tuple[Any, ...] = (None, "", [], {})
SHOWN_IN_A_LIST = 4
_NO_NAMES: Names = {}


def entry_row(entry: AuditEntryRead, names: Names = _NO_NAMES, *, whole: bool = False) -> EntryRow:
    """An entry for a list, or with all its values for its own page; `names` are of what `references_in` finds."""
    kind_of_thing = entry.resource_type
    tail = entry.action.rpartition(".")[2]
    is_change = tail in VERBS
    changes = (
        field_changes(kind_of_thing, entry.old_values, entry.new_values, names) if tail == "update" else ()
    )
    values = entry.details if not is_change else entry.new_values or entry.old_values
    facts = tuple(
        (label_of(name), said(kind_of_thing, name, value, names) or Said("nothing"))
        for name, value in (values or {}).items()
        if not changes and (whole or (name not in QUIET and value not in EMPTY))
    )
    limit = None if whole else SHOWN_IN_A_LIST
    words = EVENTS.get(entry.action, EventWords(TAILS.get(tail) or format_words(tail)))
    verb = VERBS[tail] if is_change else words.verb
    kind = kind_of(entry.resource_type)
    name = entry.record_name or entry.record_id or ""
    if entry.record_name is None and ("audit" in (entry.resource_type, name) or is_uuid(name)):
        name = ""
    if words.says_all:
        kind = ""
    return EntryRow(
        id=entry.id,
        at=entry.timestamp,
        href=f"/audit/{entry.id}",
        actor=entry.actor_name,
        actor_kind=_kind_of_actor(entry, names),
        actor_href=actor_href(entry),
        verb=verb,
        kind=kind,
        name=name or _name_of_device(entry, names),
        thing_href=thing_href(entry),
        action=entry.action,
        changes=tuple(changes[:limit]),
        facts=tuple(
            (label, value if whole else replace(value, text=cut(value.text)))
            for label, value in facts[:limit]
        ),
        more=0 if limit is None else max(0, max(len(changes), len(facts)) - limit),
        reason=entry.change_reason or "",
        tone="bad" if words.is_bad else "",
    )


def _name_of_device(entry: AuditEntryRead, names: Names) -> str:
    """What a part of a device, such as its agent, is called where it has no name of its own."""
    page = page_of(entry.resource_type)
    if entry.device_id is None or (page and entry.record_id):
        return ""
    return names.get(Reference("devices", entry.device_id), "")


def _kind_of_actor(entry: AuditEntryRead, names: Names) -> str:
    """What acted; of a token its name too."""
    token = None if entry.token_id is None else said("", "token_id", str(entry.token_id), names)
    return entry.actor_kind if token is None else f"{entry.actor_kind} “{token.text}”"


def field_changes(
    resource_type: str, old: Mapping[str, Any] | None, new: Mapping[str, Any] | None, names: Names
) -> tuple[Change, ...]:
    """The fields of an update, before and after. Where the key itself changed there is one side only."""
    before, after = old or {}, new or {}
    fields = [*before, *(name for name in after if name not in before)]
    changes = []
    for name in fields:
        left = said(resource_type, name, before.get(name), names)
        right = said(resource_type, name, after.get(name), names)
        is_long = any(
            side is not None and (len(side.text) > SHORT or "\n" in side.text) for side in (left, right)
        )
        changes.append(Change(label_of(name), left, right, is_long=is_long))
    return tuple(changes)


def label_of(field: str) -> str:
    """A field's name for people: what it refers to is shown by name, not by its id."""
    return field.removesuffix("_id") or field


def is_uuid(text: str) -> bool:
    """Whether a text is an identifier that tells people nothing."""
    try:
        UUID(text)
    except ValueError:
        return False
    return True


def cut(text: str) -> str:
    """A text that fits a line."""
    line = " ".join(text.split())
    return line if len(line) <= SHORT else line[:SHORT].rstrip() + "…"


def actor_href(entry: AuditEntryRead) -> str:
    """The list of all that an actor did."""
    if entry.user_id is not None:
        return with_filters(user_id=str(entry.user_id))
    if entry.actor_kind == "device" and entry.device_id is not None:
        return with_filters(device_id=str(entry.device_id), actor_kind="device")
    return with_filters(actor_kind=entry.actor_kind, actor_name=entry.actor_name)


def thing_href(entry: AuditEntryRead) -> str:
    """The page of what an entry is about; of a device's parts the device's."""
    if entry.action.endswith(".delete"):
        return ""
    page = page_of(entry.resource_type)
    if page and entry.record_id:
        return page.format(quote(entry.record_id, safe=""))
    return f"/devices/{entry.device_id}" if entry.device_id else ""


def with_filters(**filters: str) -> str:
    """The address of the list with filters: of all that fits them, whoever did it."""
    return f"/audit?{urlencode({**filters, 'by': 'all'})}"


def history_links(actor: Actor, kind: str, record_id: object) -> tuple[tuple[str, str], ...]:
    """A page's link to what was done to its object, for those who may read the log."""
    if not actor.may(Permission.AUDIT_READ):
        return ()
    return ((with_filters(resource_type=kind, record_id=str(record_id)), "Audit log"),)


def acts_links(actor: Actor, user_id: object) -> tuple[tuple[str, str], ...]:
    """A user's link to what they did."""
    if not actor.may(Permission.AUDIT_READ):
        return ()
    return ((with_filters(user_id=str(user_id)), "Activity"),)
