"""What this room's objects and events are called."""

from fleetkeeper.audit.coverage import declare_skipped, declare_unaudited
from fleetkeeper.audit.words import declare_object

declare_object("devices", page="/devices/{}")
declare_object("device_identities", "device identity")

declare_unaudited("device_vitals", "the newest measurements, rewritten every few seconds")
declare_skipped("device_identities", last_seen="moves on with each report")
declare_skipped("device_keys", last_used_at="moves on with each use")
declare_skipped("device_sources", last_seen="moves on with each report")
declare_skipped(
    "devices",
    first_seen="is set by the first report",
    last_seen="moves on with each report",
    status="follows from reports, every few seconds",
)
declare_skipped("telemetry_hosts", first_seen="is set by the first sample")
