"""What this room's objects are called."""

from fleetkeeper.audit.words import declare_object

declare_object("notification_channels", page="/notifications/channels/{}")
declare_object("notification_rules", page="/notifications/rules/{}")
