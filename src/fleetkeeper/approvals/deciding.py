"""Whose word counts on a request, and what comes of the decisions so far. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from fleetkeeper.identity.actor import Scope

Approvers = Mapping[str, Any]
_PREFIXES = {"users": "user", "groups": "group", "roles": "role"}


@dataclass(frozen=True)
class Authority:
    """In whose name somebody decides: their own, or that of a person whom they stand in for.

    `keys` are `user:<id>` and `group:<id>`; `roles` says where each `role:<id>` is held.
    """

    id: UUID
    name: str
    keys: frozenset[str]
    roles: Mapping[str, Scope] = field(default_factory=dict)

    def is_among(self, approvers: Iterable[str], department_id: UUID | None) -> bool:
        """Whether they are one of the approvers of something in a department; None is in no department."""
        named = frozenset(approvers)
        return bool(self.keys & named) or any(
            role in named and department_id in scope for role, scope in self.roles.items()
        )


@dataclass(frozen=True)
class Level:
    """Who may decide on a level, and how many of them must approve."""

    approvers: frozenset[str]
    minimum: int


@dataclass(frozen=True)
class Vote:
    """A decision: who made it, in whose name (their own or another's), on which level."""

    level: int
    user_id: UUID | None
    authority_id: UUID | None
    approves: bool


@dataclass(frozen=True)
class Seat:
    """Where somebody's word counts."""

    level: int
    authority: Authority


def keys_of(approvers: Approvers) -> frozenset[str]:
    """The keys of the users, groups and roles that a level or an escalation names."""
    return frozenset(
        f"{prefix}:{one}" for name, prefix in _PREFIXES.items() for one in approvers.get(name) or ()
    )


def levels_of(rule: Mapping[str, Any], *, is_escalated: bool) -> list[Level]:
    """The levels of a rule; once it is escalated, others may decide on each of them, too."""
    others = keys_of(rule["escalation"]) if is_escalated else frozenset()
    return [Level(keys_of(one) | others, one["minimum"]) for one in rule["levels"]]


def open_levels(levels: Sequence[Level], votes: Sequence[Vote], *, in_sequence: bool) -> list[int]:
    """The levels that lack approvals and may be decided on now; none once somebody said no."""
    if not all(vote.approves for vote in votes):
        return []
    lacking = [
        number
        for number, level in enumerate(levels)
        if sum(vote.level == number for vote in votes) < level.minimum
    ]
    return lacking[:1] if in_sequence else lacking


def is_approved(levels: Sequence[Level], votes: Sequence[Vote]) -> bool:
    """Whether nobody said no and each level has enough approvals."""
    return all(vote.approves for vote in votes) and not open_levels(levels, votes, in_sequence=False)


def find_seat(
    levels: Sequence[Level],
    votes: Sequence[Vote],
    *,
    in_sequence: bool,
    department_id: UUID | None,
    requester_id: UUID | None,
    user_id: UUID,
    authorities: Sequence[Authority],
) -> Seat | None:
    """The first open level on which a user may decide, and in whose name; None where their word does not count.

    Neither the requester nor anybody in the requester's name decides. On one level a person's word counts once, be it
    their own or given by somebody who stands in for them.
    """
    if requester_id is None or user_id == requester_id:
        return None
    for number in open_levels(levels, votes, in_sequence=in_sequence):
        heard = {one for vote in votes if vote.level == number for one in (vote.user_id, vote.authority_id)}
        if user_id in heard:
            continue
        for authority in authorities:
            if authority.id in heard | {requester_id}:
                continue
            if authority.is_among(levels[number].approvers, department_id):
                return Seat(number, authority)
    return None
