"""What this room's objects and events are called."""

from fleetkeeper.audit.coverage import declare_skipped
from fleetkeeper.audit.words import declare_object
from fleetkeeper.notifications.events import declare_event

WAITING = "replenishment.proposals_waiting"

declare_object("order_proposals", "order proposal", page="/order-proposals/{}")
declare_skipped(
    "order_proposals",
    available="follows from movements",
    on_order="follows from orders",
    reorder_point="follows from demand, or from the stock's reorder point",
    reasons="follows from demand, prices and deliveries",
    told_at="says what people were told",
    department_id="follows from the location",
)
declare_event(
    WAITING,
    "Order proposals wait",
    subject="{proposals}",
    body="Reached their reorder points: {parts}. See what to order, and why, under Supply, Proposals.",
    fields=("proposals", "parts"),
)
