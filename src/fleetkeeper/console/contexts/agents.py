"""Enrollment tokens and agents."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from fleetkeeper.console.contexts.devices import CollectorRow
from fleetkeeper.console.contexts.lists import ListPanel
from fleetkeeper.console.contexts.panels import Option
from fleetkeeper.console.contexts.shell import FormField, Shell


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
class TokenRow:
    """An enrollment token; `state` is one of its status machine."""

    id: UUID
    name: str
    uses: int
    max_uses: int
    created_at: datetime
    expires_at: datetime
    state: str
    department: str
    networks: str


@dataclass(frozen=True)
class TokenForm:
    """The form that makes a token."""

    fields: tuple[FormField, ...]
    department: FormField
    department_options: tuple[Option, ...]
    networks: FormField
    message: str = ""


@dataclass(frozen=True)
class TokenFormFragment:
    """The form by itself, when it was refused."""

    token_form: TokenForm
    csrf_token: str


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


@dataclass(frozen=True)
class TokenTable:
    """The tokens."""

    tokens: tuple[TokenRow, ...]


@dataclass(frozen=True)
class AgentsPage(TokenTable):
    """The agents, the tokens and their form."""

    shell: Shell
    agents: ListPanel
    may_enrol: bool
    token_form: TokenForm
    csrf_token: str
