"""What this room's objects, events and constraints are called."""

from fleetkeeper.audit.coverage import declare_skipped, declare_unaudited
from fleetkeeper.audit.words import declare_object
from fleetkeeper.database.constraints import declare_taken, declare_wrong
from fleetkeeper.devices.merging.moving import Moving, declare_moving
from fleetkeeper.notifications.events import Severity, declare_event

FAILED = "device_requests.failed"
RESPONSE_READY = "device_requests.response_ready"

declare_object("device_requests", page="/device-requests/{}")
declare_object("request_handlers", page="/request-handlers/{}")
declare_object("agent_decisions", "decision of an agent", page="/agent-decisions/{}")
declare_object("agent_decision_verdicts", "verdict on a decision")
declare_skipped(
    "device_requests",
    available_at="moves by itself after a failed attempt",
    leased_at="moves with each lease, which changes the status",
    lease_expires_at="moves with each extension of the lease",
    lease_token="is made anew with each lease, which changes the status",  # noqa: S106 - a sentence
    payload="is what the device sent once",
    payload_hash="follows from the payload",
)
declare_skipped(
    "responses",
    content="is written once with its row",
    delivery_attempts="counts by itself while the device asks",
)
declare_unaudited("request_metadata", "what a device says beside its request, written once with it")
declare_unaudited("response_metadata", "what a handler says beside its answer, written once with it")
declare_unaudited("request_connections", "is a history itself, of devices that come and go")
declare_unaudited("request_archives", "says where files are; what goes into them is audited as deleted")
declare_unaudited("archived_requests", "follows from requests that were deleted, which is audited")
declare_moving(Moving("device_requests", "device_id", "requests"))
declare_moving(Moving("archived_requests", "device_id", "requests"))
declare_taken("uq_request_handlers_name", "name", "A handler with this name already exists.")
declare_wrong("fk_request_handlers_department_id_departments", "department_id", "No such department")
declare_wrong("fk_request_handlers_channel_id_notification_channels", "channel_id", "No such channel")
declare_wrong(
    "fk_request_handlers_response_channel_id_notification_channels", "response_channel_id", "No such channel"
)
declare_event(
    FAILED,
    "Device request failed",
    subject="Request {subject} of {device} failed",
    body="The request {subject} of {device} failed after {attempts} attempts: {reason}",
    fields=("device", "attempts", "reason"),
    severity=Severity.WARNING,
)
declare_event(
    RESPONSE_READY,
    "Response to a device request",
    subject="Response to {subject} of {device}",
    body="The request {subject} of {device} was answered.",
    fields=("device", "request_id", "request_type", "content"),
    data=("content",),
    by_name_only=True,
)
