"""Which series belong together, by what their devices or labels have in common. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from uuid import UUID

from fleetkeeper.telemetry.candidates import NAME
from fleetkeeper.telemetry.selection import FleetSeries

ATTRIBUTES = ("department", "device_type", "status", "lifecycle", "location", "os", "domain")
# The groups of devices' channels, by channel.
Places = dict[UUID, dict[int, int]]
LABEL = "label:"
DEVICE = "device"


@dataclass(frozen=True)
class Group:
    """A metric, and what its series have in common."""

    metric: str
    common: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Grouping:
    """The groups, in order, and the place among them of each series."""

    groups: list[Group]
    place_of: list[int]


def problem_of(by: Sequence[str]) -> str | None:
    """What is wrong with a wish for grouping; None when nothing is."""
    for item in by:
        if item not in (DEVICE, *ATTRIBUTES) and not (item.startswith(LABEL) and len(item) > len(LABEL)):
            return f"is one of {DEVICE}, {', '.join(ATTRIBUTES)}, or {LABEL} and the name of a label"
    return None


def grouped(
    series: Sequence[FleetSeries], attributes: Mapping[UUID, Mapping[str, str]], by: Sequence[str]
) -> Grouping:
    """Put series together. `attributes` are those of each device, where `by` needs them."""
    by_labels = any(item.startswith(LABEL) for item in by)
    members: dict[Group, list[int]] = {}
    numbered = enumerate(series)
    for device_id, of_device in groupby(numbered, key=lambda pair: pair[1].device_id):
        about = attributes.get(device_id, {})
        # Without labels, all series of a device's metric are in one group.
        known: dict[str, list[int]] = {}
        for number, item in of_device:
            metric = item.labels[NAME]
            own = None if by_labels else known.get(metric)
            if own is None:
                own = known[metric] = members.setdefault(Group(metric, _common(item, about, by)), [])
            own.append(number)
    groups = sorted(members, key=lambda group: (group.metric, group.common))
    place_of = [0] * len(series)
    for place, group in enumerate(groups):
        for number in members[group]:
            place_of[number] = place
    return Grouping(groups, place_of)


def _common(
    series: FleetSeries, attributes: Mapping[str, str], by: Sequence[str]
) -> tuple[tuple[str, str], ...]:
    common: list[tuple[str, str]] = []
    for item in by:
        if item == DEVICE:
            common += [("device_name", attributes["name"]), (DEVICE, str(series.device_id))]
        elif item.startswith(LABEL):
            name = item.removeprefix(LABEL)
            common.append((name, series.labels.get(name, "")))
        else:
            common.append((item, attributes[item]))
    return tuple(common)
