"""The states of a stock count."""

from enum import StrEnum

from fleetkeeper.kit.status import Machine


class CountStatus(StrEnum):
    """Whether one still counts."""

    OPEN = "open"
    BOOKED = "booked"
    CANCELLED = "cancelled"


COUNTS = Machine(
    "stock count",
    moves={
        CountStatus.OPEN: frozenset({CountStatus.BOOKED, CountStatus.CANCELLED}),
        CountStatus.BOOKED: frozenset(),
        CountStatus.CANCELLED: frozenset(),
    },
    tones={CountStatus.OPEN: "", CountStatus.BOOKED: "good", CountStatus.CANCELLED: "warning"},
)
