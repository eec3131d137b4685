"""The states of a request and of its response."""

from enum import StrEnum

from fleetkeeper.kit.status import Machine


class DeviceRequestStatus(StrEnum):
    """Where a request is."""

    PENDING = "pending"
    PROCESSING = "processing"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"


class ResponseStatus(StrEnum):
    """Where a response is."""

    # Waits for a person to agree with the agent that made it.
    PROCESSING = "processing"
    READY = "ready"
    DELIVERED = "delivered"
    FAILED = "failed"


OPEN = (DeviceRequestStatus.PENDING, DeviceRequestStatus.PROCESSING)
ENDED = (DeviceRequestStatus.COMPLETED, DeviceRequestStatus.FAILED, DeviceRequestStatus.CANCELLED)

DEVICE_REQUESTS = Machine(
    "device request",
    moves={
        DeviceRequestStatus.PENDING: frozenset(
            {DeviceRequestStatus.PROCESSING, DeviceRequestStatus.FAILED, DeviceRequestStatus.CANCELLED}
        ),
        DeviceRequestStatus.PROCESSING: frozenset(
            {
                # A lease that was given back, or ended.
                DeviceRequestStatus.PENDING,
                DeviceRequestStatus.COMPLETED,
                DeviceRequestStatus.FAILED,
                DeviceRequestStatus.CANCELLED,
            }
        ),
        # A person retries it.
        DeviceRequestStatus.FAILED: frozenset({DeviceRequestStatus.PENDING}),
        DeviceRequestStatus.COMPLETED: frozenset(),
        DeviceRequestStatus.CANCELLED: frozenset(),
    },
    tones={
        DeviceRequestStatus.PENDING: "warning",
        DeviceRequestStatus.PROCESSING: "",
        DeviceRequestStatus.COMPLETED: "good",
        DeviceRequestStatus.FAILED: "bad",
        DeviceRequestStatus.CANCELLED: "",
    },
)

RESPONSES = Machine(
    "response",
    moves={
        ResponseStatus.PROCESSING: frozenset({ResponseStatus.READY, ResponseStatus.FAILED}),
        ResponseStatus.READY: frozenset({ResponseStatus.DELIVERED, ResponseStatus.FAILED}),
        ResponseStatus.DELIVERED: frozenset(),
        ResponseStatus.FAILED: frozenset(),
    },
    tones={
        ResponseStatus.PROCESSING: "warning",
        ResponseStatus.READY: "",
        ResponseStatus.DELIVERED: "good",
        ResponseStatus.FAILED: "bad",
    },
)
