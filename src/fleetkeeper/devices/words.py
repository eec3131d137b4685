"""What this room's objects and events are called."""

from fleetkeeper.audit.words import declare_object

declare_object("devices", page="/devices/{}")
declare_object("device_identities", "device identity")
