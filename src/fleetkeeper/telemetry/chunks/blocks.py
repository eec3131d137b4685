"""Blocks of samples: times with a series per channel, as they are put together before sealing. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from fleetkeeper.telemetry.chunks.codec import is_missing, missing
from fleetkeeper.telemetry.resample import Times, Values

DAY = 86_400_000_000


@dataclass(frozen=True)
class Block:
    """Samples of one device with one time axis (ascending, each time once), and a series of its length per channel."""

    times: Times
    columns: dict[int, Values]

    def between(self, start_us: int, end_us: int) -> "Block":
        """The part in [start, end)."""
        return self.part(*np.searchsorted(self.times, (start_us, end_us)))

    def part(self, low: int, high: int) -> "Block":
        """The moments from place `low` to before `high`."""
        return Block(self.times[low:high], {key: column[low:high] for key, column in self.columns.items()})

    @property
    def samples(self) -> int:
        """Cells, whether they hold a value or not."""
        return len(self.times) * len(self.columns)


def combine(blocks: Sequence[Block]) -> list[Block]:
    """The same samples in as few blocks as share channels; of two samples of one moment the earlier block's wins.

    Blocks that have no channel in common, even by way of others, keep a time axis each: what is measured at other
    moments needs no gaps then.
    """
    return [joined([blocks[n] for n in members]) for members in _components(blocks)]


def _components(blocks: Sequence[Block]) -> Iterable[list[int]]:
    parent = list(range(len(blocks)))

    def root(n: int) -> int:
        while parent[n] != n:
            parent[n] = parent[parent[n]]
            n = parent[n]
        return n

    owner: dict[int, int] = {}
    for n, block in enumerate(blocks):
        for channel in block.columns:
            parent[root(n)] = root(owner.setdefault(channel, n))
    groups: dict[int, list[int]] = {}
    for n in range(len(blocks)):
        groups.setdefault(root(n), []).append(n)
    return groups.values()


def joined(blocks: Sequence[Block]) -> Block:
    """One block with the moments of all; where two hold a sample of one moment, the earlier block wins."""
    if len(blocks) == 1:
        return blocks[0]
    times = np.unique(np.concatenate([block.times for block in blocks]))
    columns: dict[int, Values] = {}
    for block in reversed(blocks):
        place = np.searchsorted(times, block.times)
        for channel, column in block.columns.items():
            whole = columns.get(channel)
            if whole is None:
                whole = columns[channel] = missing(len(times))
            present = ~is_missing(column)
            whole[place[present]] = column[present]
    return Block(times, columns)


def tidy(block: Block) -> Block | None:
    """Without channels that hold nothing, and without moments at which no channel does; None when nothing is left."""
    columns = {key: column for key, column in block.columns.items() if not _is_empty(column)}
    if not columns:
        return None
    some = np.zeros(len(block.times), bool)
    for column in columns.values():
        some |= ~is_missing(column)
        if some.all():
            return Block(block.times, columns)
    return Block(block.times[some], {key: column[some] for key, column in columns.items()})


def _is_empty(column: Values) -> bool:
    # What begins with a value is not looked at further.
    return bool(is_missing(column[:1]).all() and is_missing(column).all())


def by_day(block: Block) -> Iterable[Block]:
    """The block cut at midnights (UTC)."""
    if not len(block.times):
        return
    for day in range(int(block.times[0]) // DAY, int(block.times[-1]) // DAY + 1):
        part = block.between(day * DAY, (day + 1) * DAY)
        if len(part.times):
            yield part
