"""The page of refused samples."""

from dataclasses import dataclass
from datetime import datetime

from fleetkeeper.console.contexts.panels import Cell, Search
from fleetkeeper.console.contexts.shell import Shell


@dataclass(frozen=True)
class RefusalCard:
    """A reason for which samples were refused: how many, where from, what they were like, and what to do."""

    title: str
    protocol: str
    reason: str
    amount: str
    first_seen: datetime
    last_seen: datetime
    # Label and value: who sends, and whose it is.
    origin: tuple[tuple[str, Cell], ...]
    sentence: str
    example: str
    cure: str


@dataclass(frozen=True)
class RefusalsPage:
    """`/senders/refused`."""

    shell: Shell
    search: Search
    cards: tuple[RefusalCard, ...]
    count: int
    next_href: str | None
    previous_href: str | None
    kept_days: int
