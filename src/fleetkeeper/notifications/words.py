"""What this room's objects are called."""

from fleetkeeper.audit.coverage import declare_unaudited
from fleetkeeper.audit.words import declare_object

declare_object("notification_channels", page="/notifications/channels/{}")
declare_object("notification_rules", page="/notifications/rules/{}")

declare_unaudited("notification_deliveries", "how far deliveries are; the delivery log tells it")
declare_unaudited("notification_events", "what is on its way to people; what happened is audited itself")
declare_unaudited("notification_inbox", "what people have read")
