"""Enrollment tokens and agents."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from fleetkeeper.console.contexts.devices import CollectorRow


@dataclass(frozen=True)
class AgentRow:
    """An agent, with the collectors that do not work."""

    device_id: UUID
    device_name: str
    status: str
    is_revoked: bool
    version: str | None
    enrolled_at: datetime
    last_contact: datetime | None
    failing: tuple[CollectorRow, ...]
    collector_count: int
    # Whether another device that the reader sees is called the same.
    has_namesake: bool = False


@dataclass(frozen=True)
class Command:
    """A command to copy."""

    title: str
    text: str
    hint: str


@dataclass(frozen=True)
class Arrivals:
    """The machines that joined since a token was made."""

    arrived: tuple[AgentRow, ...]
    poll_href: str


@dataclass(frozen=True)
class TokenCreated(Arrivals):
    """A new token's one appearance, inside its commands."""

    name: str
    commands: tuple[Command, ...]
