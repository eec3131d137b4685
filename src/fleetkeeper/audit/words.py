"""What people call the objects and events of the log: each room says it beside its models.

An object's own page is told as well, so that names in the log lead there.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class EventWords:
    """What an event is called, such as `Exported`; one that `says_all` is followed by no object."""

    verb: str
    is_bad: bool = False
    says_all: bool = False


_KINDS: dict[str, str] = {}
_PAGES: dict[str, str] = {}
EVENTS: dict[str, EventWords] = {}


def declare_object(table: str, kind: str = "", page: str = "") -> None:
    """Say what one row of a table is called, and where its page is: an address with `{}` in the place of its ID.

    The kind is needed only where dropping the plural's s from the table's name would not do.
    """
    if kind:
        _KINDS[table] = kind
    if page:
        _PAGES[table] = page


def declare_event(action: str, verb: str, *, is_bad: bool = False, says_all: bool = False) -> None:
    """Say what an event is called. Raises ValueError for one that has a name."""
    if action in EVENTS:
        raise ValueError(f"the event {action} is declared twice")
    EVENTS[action] = EventWords(verb, is_bad, says_all)


def kind_of(table: str) -> str:
    """What one row is called."""
    return _KINDS.get(table) or table.replace("_", " ").removesuffix("s")


def page_of(table: str) -> str:
    """Where an object's page is, with `{}` for its ID; nothing where there is none."""
    return _PAGES.get(table, "")


def pages() -> dict[str, str]:
    """All pages by their tables."""
    return dict(_PAGES)


declare_object("audit", "the audit log")
declare_object("audit_archives", "archived month")
declare_object("jobs", "job")
declare_object("config", "setting")
declare_event("audit.export", "Exported")
declare_event("audit.restored", "Continued sealing after a restore of")
declare_event("audit.sealing_resumed", "Resumed sealing")
declare_event("audit.sealing_stopped", "Stopped sealing", is_bad=True)
declare_event("audit.verification_asked", "Requested a check of")
declare_event("audit.verified", "Checked")
declare_event("jobs.cancel", "Cancelled")
declare_event("jobs.run", "Ran")
