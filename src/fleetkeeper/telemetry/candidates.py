"""Channels that selections may mean, by all that their own labels tell before any device is looked at. Pure."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from fleetkeeper.telemetry.catalogue import NamedChannel
from fleetkeeper.telemetry.host_mark import marked_labels, with_host
from fleetkeeper.telemetry.matchers import Matcher
from fleetkeeper.telemetry.own_series import ALIVE, DEVICE, DEVICE_LABELS, INSTANCE, UP, Origin

NAME = "__name__"
# A pattern that is a list of names.
_ALTERNATIVES = re.compile(r"[\w:]+(?:\|[\w:]+)*", re.ASCII)


# Selections that want a channel, by number, each with the conditions that its device has yet to fulfil.
_Conditions = Sequence[tuple[int, Sequence[Matcher]]]


@dataclass(frozen=True)
class Candidate:
    """A channel that some selections want. `wanted_by` says by which, where that does not depend on the device.

    One whose number is below zero stands for `up`, told by that channel.
    """

    channel_id: int
    labels: Mapping[str, str]
    marked: tuple[str, ...]
    conditions: _Conditions
    wanted_by: Sequence[int] | None

    @property
    def depends_on_device(self) -> bool:
        """Whether no selection wants it on any device."""
        return all(matchers for _, matchers in self.conditions)

    def selections_of(self, labels: Mapping[str, str]) -> Sequence[int]:
        """The selections that want it on a device where it has these labels."""
        if self.wanted_by is not None:
            return self.wanted_by
        return [number for number, matchers in self.conditions if _fulfils(labels, matchers)]

    def labels_of(self, host: str, origin: Origin) -> Mapping[str, str]:
        """The labels of its series on a device; `host` is what senders know the device by.

        Whoever sends may say what they like, but name no other of our devices.
        """
        labels = self._told_labels(host, origin)
        told, own = labels.get(DEVICE), str(origin.device_id)
        return {**labels, DEVICE: own} if told is not None and told != own and _may_be_ours(told) else labels

    def _told_labels(self, host: str, origin: Origin) -> Mapping[str, str]:
        if self.marked:
            return with_host(self.labels, host)
        if INSTANCE not in self.labels:
            return {**origin.labels, **self.labels}
        if self.labels[INSTANCE]:
            return self.labels
        # Recorded without one: nothing is added.
        return {name: value for name, value in self.labels.items() if name != INSTANCE}


def _may_be_ours(text: str) -> bool:
    """Whether a text can be the ID of a device, in any spelling."""
    try:
        UUID(text)
    except ValueError:
        return False
    return True


def find_candidates(
    channels: Iterable[NamedChannel], matcher_sets: Sequence[Sequence[Matcher]], *, with_up: bool
) -> tuple[dict[int, Candidate], dict[int, list[tuple[int, int]]]]:
    """Channels that may be meant, and their places (position, channel) by layout."""
    candidates: dict[int, Candidate] = {}
    by_layout: dict[int, list[tuple[int, int]]] = {}
    channels = list(channels)
    if with_up:
        alive = (item for item in channels if item.metric == ALIVE and not item.labels)
        channels += [item._replace(id=-item.id, metric=UP) for item in alive]
    for channel in channels:
        labels = {**channel.labels, NAME: channel.metric}
        marked = marked_labels(channel.labels)
        conditions = _conditions(labels, marked, matcher_sets)
        if not conditions:
            continue
        is_settled = not any(matchers for _, matchers in conditions)
        wanted_by = [number for number, _ in conditions] if is_settled else None
        candidates[channel.id] = Candidate(channel.id, labels, marked, conditions, wanted_by)
        for layout, position in zip(channel.layouts, channel.positions, strict=True):
            by_layout.setdefault(layout, []).append((position, channel.id))
    return candidates, by_layout


def names_in(matcher_sets: Sequence[Sequence[Matcher]], *, with_up: bool) -> list[str] | None:
    """The metrics that may be meant, when each selection names some, with what tells of others among them."""
    names: list[str] = []
    for matchers in matcher_sets:
        given = [item.value for item in matchers if item.name == NAME and _is_plain(item)]
        if not given:
            return None
        names += given[0].split("|")
    return [*names, ALIVE] if with_up and UP in names else names


def _is_plain(matcher: Matcher) -> bool:
    """Whether it wants one of some values that it names."""
    return matcher.op == "=" or (matcher.op == "=~" and _ALTERNATIVES.fullmatch(matcher.value) is not None)


def _conditions(
    labels: Mapping[str, str], marked: Sequence[str], matcher_sets: Sequence[Sequence[Matcher]]
) -> _Conditions:
    """What a device still has to fulfil, for each selection that the channel's own labels fulfil."""
    by_device = {*marked} if marked or INSTANCE in labels else DEVICE_LABELS - labels.keys()
    return [
        (number, [item for item in matchers if item.name in by_device])
        for number, matchers in enumerate(matcher_sets)
        if _fulfils(labels, [item for item in matchers if item.name not in by_device])
    ]


def _fulfils(labels: Mapping[str, str], matchers: Sequence[Matcher]) -> bool:
    return all(item.matches(labels.get(item.name, "")) for item in matchers)
