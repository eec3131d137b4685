"""The character that stands for a device's own name inside label values, and the one way in which labels go out. Pure.

`up{instance="web1:9100"}` of the device that senders call web1 is stored with U+FFFC in the place of web1, so that
machines of a kind share channels; whatever reads labels for somebody puts the name back by these functions. In SQL
`labels_with_host` does it.
"""

from collections.abc import Mapping
from functools import lru_cache

from fleetkeeper.devices.host_claims import RESERVED
from fleetkeeper_protocol.metrics import format_channel, parse_channel

HOST_MARK = RESERVED


def marked_labels(labels: Mapping[str, str]) -> tuple[str, ...]:
    """The names of those labels that have the mark."""
    return tuple(name for name, value in labels.items() if HOST_MARK in value)


def with_host(labels: Mapping[str, str], host: str) -> Mapping[str, str]:
    """The labels with a device's name in the place of the mark."""
    marked = marked_labels(labels)
    return (
        {**labels, **{name: labels[name].replace(HOST_MARK, host) for name in marked}} if marked else labels
    )


def key_with_host(key: str, host: str) -> str:
    """A channel's spelling with a device's name in the place of the mark."""
    return _spelled_out(key, host) if HOST_MARK in key else key


@lru_cache(maxsize=10_000)
def _spelled_out(key: str, host: str) -> str:
    metric, labels = parse_channel(key)
    return format_channel(metric, dict(with_host(labels, host)))
