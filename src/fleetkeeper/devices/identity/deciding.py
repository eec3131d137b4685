"""From points to a decision, and from decisions to devices. Pure; the order of the records does not matter."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import combinations

from fleetkeeper.devices.identity.matching import Match, match
from fleetkeeper.devices.identity.records import AGENT, MANUAL, Key, Piece, Record, connected, count_sharing


class Decision(StrEnum):
    """What follows from a match."""

    SAME = "same"
    REVIEW = "review"
    NEW = "new"


# One strong piece of evidence and one other that agrees; neither does it alone.
SAME_AT = 70.0
# A host name alone proposes.
REVIEW_AT = 10.0
# So much speaks for it that a person should look, whatever speaks against it: a mainboard may have been replaced.
REVIEW_DESPITE_DIFFERENCES_AT = 60.0


def decide(one: Record, other: Record, found: Match) -> Decision:
    """Whether two records are one machine.

    Never across departments, and never where one source tells two apart; but one machine may have enrolled twice, or
    been entered twice by people. What has a key is only ever proposed: evidence can be copied, and who presents it must
    not come by a proven machine's history.
    """
    if one.department_id != other.department_id:
        return Decision.NEW
    if one.source == other.source and one.source_system not in {AGENT, MANUAL}:
        return Decision.NEW
    if found.score >= SAME_AT and not (one.has_key or other.has_key or one.source == other.source):
        return Decision.SAME
    if found.score >= REVIEW_AT or found.support >= REVIEW_DESPITE_DIFFERENCES_AT:
        return Decision.REVIEW
    return Decision.NEW


@dataclass(frozen=True)
class Proposal:
    """Two records that a person should look at."""

    one: Record
    other: Record
    found: Match


@dataclass(frozen=True)
class Grouping:
    """Devices, each with its records, and what is proposed between them."""

    devices: tuple[tuple[Record, ...], ...]
    proposals: tuple[Proposal, ...]


def best_match(mine: Sequence[Record], theirs: Sequence[Record], sharing: Mapping[Piece, int]) -> Match:
    """How much two devices look like one: the strongest match between their records."""
    found = [match(one, other, sharing) for one in mine for other in theirs]
    return max(found, key=lambda one: one.score, default=Match(()))


def group(
    records: Sequence[Record],
    together: Collection[frozenset[Key]] = (),
    apart: Collection[frozenset[Key]] = (),
) -> Grouping:
    """Which records are one device.

    Pairs of keys in `together` are one because a person said so, and those in `apart` are not. A group in which one
    source has two records, or that holds what is to be kept apart, is torn: each of its links becomes a proposal,
    because no order of arrival is better than another at saying which of them to keep.
    """
    ordered = sorted(records, key=lambda record: record.key)
    sharing = count_sharing(ordered)
    pairs = list(combinations(range(len(ordered)), 2))
    keys = {(a, b): frozenset((ordered[a].key, ordered[b].key)) for a, b in pairs}
    matches = {(a, b): match(ordered[a], ordered[b], sharing) for a, b in pairs}
    decisions = {
        (a, b): Decision.NEW if keys[a, b] in apart else decide(ordered[a], ordered[b], found)
        for (a, b), found in matches.items()
    }
    said = {pair for pair in pairs if keys[pair] in together}
    same = said | {pair for pair, decision in decisions.items() if decision is Decision.SAME}
    devices = []
    for members in connected(range(len(ordered)), lambda a, b: (min(a, b), max(a, b)) in same):
        inner = connected(members, lambda a, b: (min(a, b), max(a, b)) in said)
        is_whole = _may_be_one(ordered, members, said) and not any(
            keys[pair] in apart for pair in combinations(members, 2)
        )
        devices += [members] if is_whole else inner
    place = {number: at for at, members in enumerate(devices) for number in members}
    proposals = [
        Proposal(ordered[a], ordered[b], matches[a, b])
        for (a, b), decision in decisions.items()
        if decision is not Decision.NEW and place[a] != place[b]
    ]
    return Grouping(
        tuple(tuple(ordered[number] for number in members) for members in devices), tuple(proposals)
    )


def _may_be_one(ordered: Sequence[Record], members: Sequence[int], said: Collection[tuple[int, int]]) -> bool:
    """Whether no source tells two of them apart, but for those of which a person said that they are one."""
    return all(ordered[a].source != ordered[b].source or (a, b) in said for a, b in combinations(members, 2))
