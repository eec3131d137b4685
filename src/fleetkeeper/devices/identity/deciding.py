"""From points to a decision, and from decisions to devices. Pure; the order of the records does not matter."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import combinations

from fleetkeeper.devices.identity.matching import Match, match
from fleetkeeper.devices.identity.records import AGENT, Record, connected, count_sharing


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

    Never across departments, and never where one source tells two apart; but of two agents, a person may know that
    one machine enrolled twice. What has a key is only ever proposed: evidence can be copied, and who presents it must
    not come by a proven machine's history.
    """
    if one.department_id != other.department_id:
        return Decision.NEW
    if one.source == other.source and one.source_system != AGENT:
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


def group(records: Sequence[Record]) -> Grouping:
    """Which records are one device.

    A group in which one source has two records is torn apart: each of its links becomes a proposal, because no
    order of arrival is better than another at saying which of them to keep.
    """
    ordered = sorted(records, key=lambda record: record.key)
    sharing = count_sharing(ordered)
    matches = {
        (a, b): match(ordered[a], ordered[b], sharing) for a, b in combinations(range(len(ordered)), 2)
    }
    decisions = {(a, b): decide(ordered[a], ordered[b], found) for (a, b), found in matches.items()}
    same = {pair for pair, decision in decisions.items() if decision is Decision.SAME}
    groups = connected(range(len(ordered)), lambda a, b: (a, b) in same or (b, a) in same)
    devices = [part for members in groups for part in _kept_or_torn(ordered, members)]
    place = {number: at for at, members in enumerate(devices) for number in members}
    proposals = [
        Proposal(ordered[a], ordered[b], matches[a, b])
        for (a, b), decision in decisions.items()
        if decision is not Decision.NEW and place[a] != place[b]
    ]
    return Grouping(
        tuple(tuple(ordered[number] for number in members) for members in devices), tuple(proposals)
    )


def _kept_or_torn(ordered: Sequence[Record], members: list[int]) -> list[list[int]]:
    sources = {ordered[number].source for number in members}
    return [members] if len(sources) == len(members) else [[number] for number in members]
