"""The states of a run."""

from enum import StrEnum

from fleetkeeper.kit.status import Machine


class RunState(StrEnum):
    """Where a run is."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


OPEN = frozenset({RunState.WAITING, RunState.RUNNING})
RUNS = Machine(
    "run",
    moves={
        RunState.WAITING: frozenset({RunState.RUNNING, RunState.CANCELLED}),
        # Back to waiting: it is tried again.
        RunState.RUNNING: frozenset(
            {RunState.WAITING, RunState.RUNNING, RunState.DONE, RunState.FAILED, RunState.CANCELLED}
        ),
        RunState.DONE: frozenset(),
        RunState.FAILED: frozenset(),
        RunState.CANCELLED: frozenset(),
    },
    tones={
        RunState.WAITING: "",
        RunState.RUNNING: "",
        RunState.DONE: "good",
        RunState.FAILED: "bad",
        RunState.CANCELLED: "warning",
    },
)
