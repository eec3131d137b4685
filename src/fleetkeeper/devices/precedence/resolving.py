"""Which of several sources is believed about an attribute, and why. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

ANY_ATTRIBUTE = "*"
MANUAL = "manual"


@dataclass(frozen=True)
class Claim:
    """What a source says of one attribute. Null, and an empty text, list or object, say nothing."""

    source_system: str
    source_id: str
    value: Any
    # Since when the source knows the device.
    first_seen: datetime
    # When it said so last.
    last_seen: datetime
    source_instance: str = ""

    @property
    def key(self) -> tuple[str, str, str]:
        """What no other claim of an attribute has."""
        return self.source_system, self.source_instance, self.source_id


@dataclass(frozen=True)
class Rule:
    """How much a source is believed about an attribute, or about any; the lowest rank is believed first."""

    attribute: str
    source_system: str
    rank: int
    max_age: timedelta | None = None


@dataclass(frozen=True)
class Pin:
    """A value that a person set against all sources."""

    value: Any
    reason: str = ""


@dataclass(frozen=True)
class Resolved:
    """The value that counts, and the claims that say something else."""

    value: Any
    winner: Claim | Pin | None
    reason: str
    others: tuple[Claim, ...] = ()


# A source without a rule comes after all that have one.
LAST_RANK = 1000
# What a machine says of itself is nearest to the truth; what a person typed once ages without a sign.
DEFAULT_RULES = (
    Rule(ANY_ATTRIBUTE, "agent", 10, timedelta(days=30)),
    Rule(ANY_ATTRIBUTE, "vcenter", 20, timedelta(days=7)),
    Rule(ANY_ATTRIBUTE, "foreman", 30, timedelta(days=7)),
    Rule(ANY_ATTRIBUTE, "puppet", 40, timedelta(days=7)),
    Rule(ANY_ATTRIBUTE, MANUAL, 100),
)


def resolve(
    attribute: str, claims: Iterable[Claim], rules: Iterable[Rule], now: datetime, pin: Pin | None = None
) -> Resolved | None:
    """The value of an attribute; None where nobody says anything, and then a known value stays.

    A pinned value counts. Else the lowest rank does, of those that are not too old; where all are, the one confirmed
    last. Of equal ranks the source counts that has known the device longest, so that two that disagree do not take
    turns, in whichever order they report.
    """
    said = sorted((claim for claim in claims if says_something(claim.value)), key=lambda claim: claim.key)
    if pin is not None:
        differing = tuple(claim for claim in said if claim.value != pin.value)
        return Resolved(pin.value, pin, f"Pinned by a person. {pin.reason}".rstrip(), differing)
    if not said:
        return None
    known = tuple(rules)
    ruled = [(claim, rule_for(attribute, claim.source_system, known)) for claim in said]
    fresh = [(claim, rule) for claim, rule in ruled if not is_too_old(claim, rule, now)]
    if fresh:
        winner, rule = min(fresh, key=lambda one: (one[1].rank, one[0].first_seen, one[0].key))
        reason = _why(winner, rule, said, [other for other, own in fresh if own.rank == rule.rank])
    else:
        winner = min(said, key=lambda claim: (-claim.last_seen.timestamp(), claim.key))
        reason = f"All sources are past their age limit; {winner.source_system} confirmed it last."
    return Resolved(winner.value, winner, reason, tuple(one for one in said if one.value != winner.value))


def says_something(value: Any) -> bool:
    """Whether a value may overwrite another; false and zero may."""
    return value not in (None, "", [], {})


def rule_for(attribute: str, source_system: str, rules: Iterable[Rule]) -> Rule:
    """The rule of an attribute and a source, else that of any attribute."""
    found = [rule for rule in rules if rule.source_system == source_system]
    for wanted in (attribute, ANY_ATTRIBUTE):
        for rule in found:
            if rule.attribute == wanted:
                return rule
    return Rule(ANY_ATTRIBUTE, source_system, LAST_RANK)


def is_too_old(claim: Claim, rule: Rule, now: datetime) -> bool:
    """Whether the source has not confirmed it for longer than its rule allows."""
    return rule.max_age is not None and claim.last_seen < now - rule.max_age


def _why(winner: Claim, rule: Rule, said: list[Claim], equals: list[Claim]) -> str:
    if len(said) == 1:
        return (
            "A person entered it."
            if winner.source_system == MANUAL
            else f"Only {winner.source_system} says so."
        )
    if len(equals) > 1:
        return f"{winner.source_system} has known the device longest among sources of rank {rule.rank}."
    return f"{winner.source_system} has the lowest rank, {rule.rank}, among sources that are not too old."
