"""The states of a request."""

from enum import StrEnum

from fleetkeeper.kit.status import Machine


class RequestState(StrEnum):
    """Where a request is."""

    PENDING = "pending"
    APPROVED = "approved"
    REJECTED = "rejected"
    EXPIRED = "expired"
    CANCELLED = "cancelled"
    # Something else was asked for in its place.
    SUPERSEDED = "superseded"
    APPLIED = "applied"
    FAILED = "failed"


REQUESTS = Machine(
    "request",
    moves={
        RequestState.PENDING: frozenset(
            {
                RequestState.APPROVED,
                RequestState.REJECTED,
                RequestState.EXPIRED,
                RequestState.CANCELLED,
                RequestState.SUPERSEDED,
            }
        ),
        RequestState.APPROVED: frozenset({RequestState.APPLIED, RequestState.FAILED}),
        RequestState.REJECTED: frozenset(),
        RequestState.EXPIRED: frozenset(),
        RequestState.CANCELLED: frozenset(),
        RequestState.SUPERSEDED: frozenset(),
        RequestState.APPLIED: frozenset(),
        RequestState.FAILED: frozenset(),
    },
    tones={
        RequestState.PENDING: "warning",
        RequestState.APPROVED: "good",
        RequestState.REJECTED: "bad",
        RequestState.EXPIRED: "",
        RequestState.CANCELLED: "",
        RequestState.SUPERSEDED: "",
        RequestState.APPLIED: "good",
        RequestState.FAILED: "bad",
    },
)
