"""The audit log's list, its entries and its seals."""

from dataclasses import dataclass
from datetime import datetime

from fleetkeeper.audit.schemas import AuditEntryRead, AuditState
from fleetkeeper.console.contexts.shell import Shell


@dataclass(frozen=True)
class Said:
    """A value for people: a text, perhaps the name of a thing with its page, or a time. `raw` is what was stored."""

    text: str
    href: str = ""
    at: datetime | None = None
    raw: str = ""


@dataclass(frozen=True)
class Change:
    """One field, before and after; a side that says nothing is None. `is_long` ones are shown as a block."""

    field: str
    before: Said | None
    after: Said | None
    is_long: bool = False


@dataclass(frozen=True)
class EntryRow:
    """An entry as people read it: `Changed`, `device`, `web-01`."""

    id: int
    at: datetime
    href: str
    actor: str
    # As `user`, or `token “backup”`.
    actor_kind: str
    # Everything that this actor did.
    actor_href: str
    verb: str
    kind: str
    name: str
    # The thing's own page, where there is one.
    thing_href: str
    action: str
    # `changes` for a change of fields, `facts` for all else.
    changes: tuple[Change, ...]
    facts: tuple[tuple[str, Said], ...]
    more: int
    reason: str
    tone: str = ""


@dataclass(frozen=True)
class EntryCell:
    """A cell of an entry that has a template of its own."""

    row: EntryRow


@dataclass(frozen=True)
class SealPanel:
    """Where the log stands, and what may be done about it."""

    state: AuditState
    may_seal: bool
    csrf_token: str
    message: str = ""


@dataclass(frozen=True)
class AuditEntryPage:
    """`/audit/{id}`."""

    shell: Shell
    entry: AuditEntryRead
    row: EntryRow
    seal_number: int | None
    sealed_at: datetime | None
    # Label and value of what else there is about it, each with the address of the list of its like.
    origin: tuple[tuple[str, Said], ...]
