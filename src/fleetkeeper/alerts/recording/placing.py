"""Which device a recorded series belongs to, and under which channel it is stored there. Pure.

A series that names a device belongs to that device; the labels that reading gives back are left out, so that devices
share channels. Any other series belongs to a device that is made for them. An empty `instance` says that the labels
are complete as they are.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from fleetkeeper.telemetry.host_mark import HOST_MARK
from fleetkeeper.telemetry.own_series import DEPARTMENT, DEVICE, INSTANCE, TYPE, Origin
from fleetkeeper_protocol.metrics import format_channel

NAME = "__name__"
_GIVEN_BACK = (INSTANCE, DEVICE, TYPE, DEPARTMENT)


@dataclass(frozen=True, slots=True)
class Place:
    """A channel of a device."""

    device_id: UUID
    key: str

    @property
    def fingerprint(self) -> bytes:
        """What tells it from others."""
        return hashlib.blake2b(self.device_id.bytes + self.key.encode(), digest_size=16).digest()


def recorded_labels(found: Mapping[str, str], own: Mapping[str, str]) -> dict[str, str]:
    """The labels of what is recorded: those of the result, and the rule's; an empty one takes a label away."""
    labels = {**found, **own}
    # Neither a NUL nor the mark of a device's name can be stored.
    cleaned = {name: text.replace("\0", "").replace(HOST_MARK, "") for name, text in labels.items()}
    return {name: text for name, text in cleaned.items() if text and name != NAME}


def device_of(labels: Mapping[str, str]) -> UUID | None:
    """The device that labels name, if they do."""
    try:
        return UUID(labels[DEVICE])
    except (KeyError, ValueError):
        return None


def place_of(metric: str, labels: Mapping[str, str], origin: Origin | None, otherwise: UUID | None) -> Place:
    """Where a series is stored: at the device that it names, else at the other one. Raises ValueError without any."""
    if origin is not None:
        given = origin.labels
        if all(labels.get(name) == given.get(name) for name in _GIVEN_BACK):
            kept = {name: text for name, text in labels.items() if name not in _GIVEN_BACK}
            return Place(origin.device_id, format_channel(metric, kept))
    device_id = origin.device_id if origin else otherwise
    if device_id is None:
        raise ValueError("no device has this series")
    return Place(device_id, format_channel(metric, {INSTANCE: "", **labels}))
