"""The states of a work order."""

from enum import StrEnum

from fleetkeeper.kit.status import Machine


class WorkStatus(StrEnum):
    """Whether it is done."""

    PLANNED = "planned"
    DONE = "done"
    CANCELLED = "cancelled"


WORK = Machine(
    "work order",
    moves={
        WorkStatus.PLANNED: frozenset({WorkStatus.DONE, WorkStatus.CANCELLED}),
        WorkStatus.DONE: frozenset(),
        WorkStatus.CANCELLED: frozenset(),
    },
    tones={WorkStatus.PLANNED: "", WorkStatus.DONE: "good", WorkStatus.CANCELLED: "warning"},
)
