"""How one alert goes from pending to firing to resolved, instant by instant. Pure.

The rules of Prometheus (`for`, `keep_firing_for`; rules/alerting.go of 2.42), and flap detection besides: what fired
three times within an hour fires on until it has been quiet for ten minutes, so that people are told once.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

FIRES_OF_FLAPPING = 3
FLAP_WINDOW = timedelta(hours=1)
FLAP_CALM = timedelta(minutes=10)


class Seen(StrEnum):
    """What a rule sees of one set of labels."""

    PENDING = "pending"
    FIRING = "firing"
    # Over, and kept for a while to notice that it flaps.
    INACTIVE = "inactive"


class Change(StrEnum):
    """What an instant brought."""

    BEGAN = "began"
    FIRED = "fired"
    RESOLVED = "resolved"
    DROPPED = "dropped"


@dataclass(frozen=True, slots=True)
class Timing:
    """How long a rule waits, and how long it holds on."""

    wait: timedelta = timedelta()
    keep_firing: timedelta = timedelta()
    detects_flapping: bool = False


@dataclass(frozen=True, slots=True)
class State:
    """Where one set of labels is; `active_at` is when the condition became true."""

    seen: Seen
    active_at: datetime
    fired_at: datetime | None = None
    keep_since: datetime | None = None
    resolved_at: datetime | None = None
    fires: tuple[datetime, ...] = ()
    is_flapping: bool = False


def step(
    present: State | None, truth: bool | None, at: datetime, timing: Timing
) -> tuple[State | None, Change | None]:
    """What an instant makes of it. `truth` is None where that is to stay as it is for want of data."""
    if truth is None:
        return present, None
    if truth:
        return _when_true(present, at, timing)
    return (None, None) if present is None else _when_false(present, at, timing)


def _when_true(present: State | None, at: datetime, timing: Timing) -> tuple[State, Change | None]:
    change: Change | None = None
    if present is None or present.seen is Seen.INACTIVE:
        fires = () if present is None else _recent(present.fires, at)
        present, change = State(Seen.PENDING, at, fires=fires), Change.BEGAN
    elif present.keep_since is not None:
        present = replace(present, keep_since=None)
    if present.seen is Seen.PENDING and at - present.active_at >= timing.wait:
        fires = (*_recent(present.fires, at), at) if timing.detects_flapping else ()
        flapping = len(fires) >= FIRES_OF_FLAPPING
        fired = replace(present, seen=Seen.FIRING, fired_at=at, fires=fires, is_flapping=flapping)
        return fired, Change.FIRED
    return present, change


def _when_false(present: State, at: datetime, timing: Timing) -> tuple[State | None, Change | None]:
    if present.seen is Seen.PENDING:
        # What flapped before is remembered.
        return _remembered(present, at), Change.DROPPED
    if present.seen is Seen.INACTIVE:
        return _remembered(present, at), None
    hold = max(timing.keep_firing, FLAP_CALM) if present.is_flapping else timing.keep_firing
    if hold:
        since = present.keep_since or at
        if at - since < hold:
            return replace(present, keep_since=since), None
    over = replace(present, seen=Seen.INACTIVE, resolved_at=at, keep_since=None)
    if present.is_flapping:
        over = replace(over, fires=(), is_flapping=False)
    return _remembered(over, at), Change.RESOLVED


def _remembered(present: State, at: datetime) -> State | None:
    fires = _recent(present.fires, at)
    return replace(present, seen=Seen.INACTIVE, fires=fires) if fires else None


def _recent(fires: tuple[datetime, ...], at: datetime) -> tuple[datetime, ...]:
    return tuple(one for one in fires if at - one < FLAP_WINDOW)
