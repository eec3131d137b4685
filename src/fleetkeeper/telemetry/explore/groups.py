"""Which series belong together, by what their devices or labels have in common. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from fleetkeeper.telemetry.selection import NAME, FleetSeries

ATTRIBUTES = ("department", "device_type", "status", "lifecycle", "location", "os", "domain")
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
    known: dict[tuple[UUID, str], Group] = {}
    keys = []
    for item in series:
        # Without labels, all series of a device's metric are in one group.
        key = item.device_id, item.labels[NAME]
        group = known.get(key)
        if group is None or by_labels:
            group = known[key] = _group_of(item, attributes.get(item.device_id, {}), by)
        keys.append(group)
    groups = sorted(set(keys), key=lambda group: (group.metric, group.common))
    place = {group: n for n, group in enumerate(groups)}
    return Grouping(groups, [place[key] for key in keys])


def _group_of(series: FleetSeries, attributes: Mapping[str, str], by: Sequence[str]) -> Group:
    common: list[tuple[str, str]] = []
    for item in by:
        if item == DEVICE:
            common += [("device_name", attributes["name"]), (DEVICE, str(series.device_id))]
        elif item.startswith(LABEL):
            name = item.removeprefix(LABEL)
            common.append((name, series.labels.get(name, "")))
        else:
            common.append((item, attributes[item]))
    return Group(series.labels[NAME], tuple(common))
