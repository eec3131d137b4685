"""The states of orders."""

from enum import StrEnum

from fleetkeeper.kit.status import Machine


class OrderStatus(StrEnum):
    """How far an order is. Document 001's words."""

    DRAFT = "draft"
    PENDING = "pending-approval"
    APPROVED = "approved"
    ORDERED = "ordered"
    PARTLY = "partly-received"
    RECEIVED = "received"
    CANCELLED = "cancelled"
    REJECTED = "rejected"


_S = OrderStatus
ORDERS = Machine(
    "order",
    moves={
        _S.DRAFT: frozenset({_S.PENDING, _S.CANCELLED}),
        # Back to a draft where it is changed.
        _S.PENDING: frozenset({_S.APPROVED, _S.REJECTED, _S.DRAFT, _S.CANCELLED}),
        _S.APPROVED: frozenset({_S.ORDERED, _S.DRAFT, _S.CANCELLED}),
        _S.ORDERED: frozenset({_S.PARTLY, _S.RECEIVED, _S.CANCELLED}),
        # What is still missing is not waited for: received.
        _S.PARTLY: frozenset({_S.RECEIVED}),
        _S.RECEIVED: frozenset(),
        _S.CANCELLED: frozenset(),
        _S.REJECTED: frozenset({_S.DRAFT, _S.CANCELLED}),
    },
    tones={
        _S.DRAFT: "",
        _S.PENDING: "warning",
        _S.APPROVED: "good",
        _S.ORDERED: "",
        _S.PARTLY: "warning",
        _S.RECEIVED: "good",
        _S.CANCELLED: "",
        _S.REJECTED: "bad",
    },
)
# What is in these states may be changed; more than a draft is approved anew then.
CHANGEABLE = frozenset({_S.DRAFT, _S.PENDING, _S.APPROVED, _S.REJECTED})
RECEIVABLE = frozenset({_S.ORDERED, _S.PARTLY})
