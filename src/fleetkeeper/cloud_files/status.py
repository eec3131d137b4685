"""The states of a file on its way to its store, and when it is tried again. Pure."""

import random
from enum import StrEnum

from fleetkeeper.kit.status import Machine


class SyncStatus(StrEnum):
    """Where a file is."""

    PENDING = "pending"
    SYNCED = "synced"
    FAILED = "failed"


CLOUD_FILES = Machine(
    "file",
    moves={
        SyncStatus.PENDING: frozenset({SyncStatus.SYNCED, SyncStatus.FAILED}),
        # A person tries again.
        SyncStatus.FAILED: frozenset({SyncStatus.PENDING}),
        SyncStatus.SYNCED: frozenset(),
    },
    tones={SyncStatus.PENDING: "warning", SyncStatus.FAILED: "bad", SyncStatus.SYNCED: "good"},
)

MOST_ATTEMPTS = 8
# Eight attempts over nine hours: 30 s, 90 s, 5 min, 14 min, 40 min, 2 h, 6 h.
FIRST_WAIT_SECONDS = 30.0
WAIT_FACTOR = 3.0
JITTER = 0.2
# What is removed from a store is tried once a day in the end.
MOST_WAIT_SECONDS = 86_400.0


def wait_seconds(attempts: int, retry_after: float | None = None, draw: float | None = None) -> float:
    """How long to wait after so many attempts (seconds): no less than the store asks for.

    `draw` is between 0 and 1, random where it is left out.
    """
    draw = random.random() if draw is None else draw  # noqa: S311 - jitter is no secret
    exponent = min(max(attempts, 1) - 1, 20)
    wait = FIRST_WAIT_SECONDS * WAIT_FACTOR**exponent * (1 - JITTER + 2 * JITTER * draw)
    return max(min(wait, MOST_WAIT_SECONDS), retry_after or 0.0)


def is_given_up(attempts: int, *, is_final: bool) -> bool:
    """Whether a file that failed so many times is tried no more."""
    return is_final or attempts >= MOST_ATTEMPTS
