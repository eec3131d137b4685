"""The states of a delivery, and when it is tried again. Pure."""

import random
from enum import StrEnum

from fleetkeeper.kit.status import Machine


class DeliveryState(StrEnum):
    """Where a delivery is."""

    PENDING = "pending"
    SENDING = "sending"
    RETRYING = "retrying"
    DELIVERED = "delivered"
    DEAD = "dead"


DELIVERIES = Machine(
    "delivery",
    moves={
        DeliveryState.PENDING: frozenset({DeliveryState.SENDING}),
        # Sending again: whoever was at it has died.
        DeliveryState.SENDING: frozenset(
            {
                DeliveryState.SENDING,
                DeliveryState.RETRYING,
                DeliveryState.DELIVERED,
                DeliveryState.DEAD,
            }
        ),
        DeliveryState.RETRYING: frozenset({DeliveryState.SENDING}),
        DeliveryState.DELIVERED: frozenset(),
        DeliveryState.DEAD: frozenset(),
    },
    tones={
        DeliveryState.PENDING: "",
        DeliveryState.SENDING: "",
        DeliveryState.RETRYING: "warning",
        DeliveryState.DELIVERED: "good",
        DeliveryState.DEAD: "bad",
    },
)

MOST_ATTEMPTS = 8
# Eight attempts over 24 hours: 80 s, 4 min, 12 min, 36 min, 1.8 h, 5.4 h, 16 h.
FIRST_WAIT_SECONDS = 80.0
WAIT_FACTOR = 3.0
JITTER = 0.2


def wait_seconds(attempts: int, retry_after: float | None = None, draw: float | None = None) -> float:
    """How long to wait after so many attempts (seconds): no less than the receiver asks for.

    `draw` is between 0 and 1, random where it is left out.
    """
    draw = random.random() if draw is None else draw  # noqa: S311 - jitter is no secret
    wait = FIRST_WAIT_SECONDS * WAIT_FACTOR ** (attempts - 1) * (1 - JITTER + 2 * JITTER * draw)
    return max(wait, retry_after or 0.0)


def state_after(attempts: int, *, is_final: bool) -> DeliveryState:
    """What becomes of a delivery that failed so many times."""
    return DeliveryState.DEAD if is_final or attempts >= MOST_ATTEMPTS else DeliveryState.RETRYING
