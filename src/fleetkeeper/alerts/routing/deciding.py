"""Whether a group of alerts is told again. Pure; the rules are Alertmanager's (notify/notify.go, DedupStage).

Besides: what was never told to fire is not told to be resolved, and what somebody has acknowledged is not repeated.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True)
class Member:
    """An alert of a group. What fires again has another number, and is the same by its `identity`."""

    alert_id: int
    identity: int
    is_resolved: bool
    # By a silence, by its device's own alert, or by a snooze: it is not told meanwhile.
    is_muted: bool = False
    is_acknowledged: bool = False


@dataclass(frozen=True)
class Told:
    """What was told of a group to fire, by identity, and when."""

    at: datetime | None = None
    firing: frozenset[int] = frozenset()


@dataclass(frozen=True)
class Decision:
    """What is told now, by number, why, and which alerts leave the group."""

    firing: tuple[int, ...]
    resolved: tuple[int, ...]
    is_told: bool
    why: str
    over: tuple[int, ...]
    told: Told


def decide(
    members: Sequence[Member], told: Told, now: datetime, repeat: timedelta, *, sends_resolved: bool
) -> Decision:
    """Whether to tell, and what."""
    firing = {one.identity: one for one in members if not one.is_resolved and not one.is_muted}
    muted = {one.identity for one in members if one.is_muted and not one.is_resolved}
    resolved = {
        one.identity: one
        for one in members
        if one.is_resolved and one.identity in told.firing and one.identity not in firing.keys() | muted
    }
    over = tuple(one.alert_id for one in members if one.is_resolved)
    cared_for = all(one.is_acknowledged for one in firing.values())
    why = _why(firing, resolved, told, now, repeat, sends_resolved=sends_resolved, cared_for=cared_for)
    left = told.firing & (firing.keys() | muted)
    firing_numbers = tuple(one.alert_id for one in firing.values())
    if not why:
        return Decision(
            firing_numbers, (), is_told=False, why="Nothing new.", over=over, told=Told(told.at, left)
        )
    resolved_numbers = tuple(one.alert_id for one in resolved.values()) if sends_resolved else ()
    is_told = bool(firing_numbers or resolved_numbers)
    return Decision(firing_numbers, resolved_numbers, is_told, why, over, Told(now, left | firing.keys()))


def _why(
    firing: Mapping[int, Member],
    resolved: Mapping[int, Member],
    told: Told,
    now: datetime,
    repeat: timedelta,
    *,
    sends_resolved: bool,
    cared_for: bool,
) -> str:
    if firing.keys() - told.firing:
        return "New alerts in the group."
    if resolved and (sends_resolved or not firing):
        return "Alerts were resolved."
    if firing and not cared_for and told.at is not None and now - told.at >= repeat:
        return "The repeat interval has passed."
    return ""
