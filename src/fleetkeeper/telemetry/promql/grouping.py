"""Rows of a matrix in groups, and walks over all groups at once."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from fleetkeeper.telemetry.promql.labels import NAME, Labels, only, without
from fleetkeeper.telemetry.promql.samples import Indices


@dataclass(frozen=True)
class Groups:
    """Group g has the rows order[starts[g]:starts[g + 1]], each group's in the order in which they came."""

    labels: list[Labels]
    order: Indices
    starts: Indices

    @classmethod
    def of(cls, keys: Sequence[Labels]) -> "Groups":
        """Rows with the same key; groups in the order in which they first appear."""
        number_by_key: dict[Labels, int] = {}
        numbers = np.array([number_by_key.setdefault(key, len(number_by_key)) for key in keys], np.int64)
        order = np.argsort(numbers, kind="stable")
        starts = np.searchsorted(numbers[order], np.arange(len(number_by_key) + 1))
        return cls(list(number_by_key), order, starts)

    def rows(self, group: int) -> Indices:
        """A group's rows."""
        return self.order[self.starts[group] : self.starts[group + 1]]

    def members(self) -> Iterator[tuple[Indices, Indices]]:
        """First the first row of each group, then the second of those that have one, …: groups and their rows."""
        sizes = np.diff(self.starts)
        for position in range(int(sizes.max(initial=0))):
            reaching = np.flatnonzero(sizes > position)
            yield reaching, self.order[self.starts[reaching] + position]


def group_labels(labels: Sequence[Labels], names: Sequence[str], *, dropped: bool) -> list[Labels]:
    """What is left of labels under `by` or `without`."""
    if dropped:
        gone = {*names, NAME}
        return [without(item, gone) for item in labels]
    if not names:
        return [()] * len(labels)
    kept = frozenset(names)
    return [only(item, kept) for item in labels]
