"""The states of an order proposal."""

from enum import StrEnum

from fleetkeeper.kit.status import Machine


class ProposalStatus(StrEnum):
    """What became of a proposal."""

    OPEN = "open"
    ORDERED = "ordered"
    DISMISSED = "dismissed"
    OUTDATED = "outdated"


_S = ProposalStatus
PROPOSALS = Machine(
    "proposal",
    moves={
        _S.OPEN: frozenset({_S.ORDERED, _S.DISMISSED, _S.OUTDATED}),
        _S.ORDERED: frozenset(),
        _S.DISMISSED: frozenset(),
        # There is enough again, or the part is not stocked any more.
        _S.OUTDATED: frozenset(),
    },
    tones={_S.OPEN: "warning", _S.ORDERED: "good", _S.DISMISSED: "", _S.OUTDATED: ""},
)
