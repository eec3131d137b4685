"""The states of a deletion of telemetry."""

from enum import StrEnum

from fleetkeeper.kit.status import Machine


class DeletionState(StrEnum):
    """Where a deletion is."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


DELETIONS = Machine(
    "deletion",
    moves={
        DeletionState.WAITING: frozenset({DeletionState.RUNNING, DeletionState.CANCELLED}),
        DeletionState.RUNNING: frozenset({DeletionState.DONE, DeletionState.FAILED}),
        DeletionState.DONE: frozenset(),
        DeletionState.FAILED: frozenset(),
        DeletionState.CANCELLED: frozenset(),
    },
    tones={
        DeletionState.WAITING: "",
        DeletionState.RUNNING: "",
        DeletionState.DONE: "good",
        DeletionState.FAILED: "bad",
        DeletionState.CANCELLED: "warning",
    },
)
