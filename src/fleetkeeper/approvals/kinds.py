"""Kinds of actions that may need approval: declared beside the work by the room that does it."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.identity.actor import Actor

# Carries an action out, in the requester's name and within their present rights. Raises FleetkeeperError.
Apply = Callable[[AsyncSession, Actor, Mapping[str, Any], str], Awaitable[None]]
# Is told that a request ended without being carried out: its payload, the state and why.
Ended = Callable[[AsyncSession, Mapping[str, Any], str, str], Awaitable[None]]
# What approvers read, as pairs of label and text.
Describe = Callable[[Mapping[str, Any]], list[tuple[str, str]]]


@dataclass(frozen=True)
class Kind:
    """A kind of action. Its `unit` is what the amounts of rules count; `apply` gets the payload and the reason."""

    name: str
    title: str
    unit: str
    describe: Describe
    apply: Apply
    ended: Ended | None = None


@dataclass(frozen=True)
class Action:
    """What somebody wants to do: to what, how much of it, in which department, and why."""

    kind: str
    subject_type: str
    subject_id: str
    subject_label: str
    subject_href: str
    payload: Mapping[str, Any]
    amount: float
    department_id: UUID | None
    reason: str


KINDS: dict[str, Kind] = {}


def declare_kind(
    name: str, title: str, *, unit: str, describe: Describe, apply: Apply, ended: Ended | None = None
) -> Kind:
    """Declare a kind, `room.verb`. Raises ValueError for a name that another has."""
    if name in KINDS:
        raise ValueError(f"two kinds of approvals have the name {name}")
    KINDS[name] = Kind(name, title, unit, describe, apply, ended)
    return KINDS[name]
