"""The kinds of queries of TSBS's devops use case, as its code runs them (not as its README describes them)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

SEED = 123
METRICS = (
    "usage_user", "usage_system", "usage_idle", "usage_nice", "usage_iowait", "usage_irq", "usage_softirq",
    "usage_steal", "usage_guest", "usage_guest_nice",
)  # fmt: skip
THRESHOLD = 90.0


@dataclass(frozen=True)
class Kind:
    """What one kind asks: `shape` is max, double, high, last or limit; no `hosts` are all of them."""

    name: str
    shape: str
    metrics: int
    hosts: int | None
    hours: int
    step_seconds: int = 60
    # TSBS's windows begin anywhere; dashboards ask for whole hours.
    is_whole: bool = False


KINDS = (
    Kind("single-groupby-1-1-1", "max", 1, 1, 1),
    Kind("single-groupby-1-1-12", "max", 1, 1, 12),
    Kind("single-groupby-1-8-1", "max", 1, 8, 1),
    Kind("single-groupby-5-1-1", "max", 5, 1, 1),
    Kind("single-groupby-5-1-12", "max", 5, 1, 12),
    Kind("single-groupby-5-8-1", "max", 5, 8, 1),
    Kind("cpu-max-all-1", "max", 10, 1, 8, 3600),
    Kind("cpu-max-all-8", "max", 10, 8, 8, 3600),
    Kind("double-groupby-1", "double", 1, None, 12, 3600),
    Kind("double-groupby-5", "double", 5, None, 12, 3600),
    Kind("double-groupby-all", "double", 10, None, 12, 3600),
    Kind("double-groupby-all, whole hours", "double", 10, None, 12, 3600, is_whole=True),
    Kind("high-cpu-1", "high", 10, 1, 12),
    Kind("high-cpu-all", "high", 10, None, 12),
    Kind("lastpoint", "last", 10, None, 0),
    Kind("groupby-orderby-limit", "limit", 1, None, 0),
)


@dataclass(frozen=True)
class Case:
    """One query: a kind with its hosts (by number) and its window."""

    kind: Kind
    hosts: tuple[int, ...] | None
    start: datetime
    end: datetime

    @property
    def metrics(self) -> Sequence[str]:
        """The metrics that it asks for."""
        return METRICS[: self.kind.metrics]


def cases_of(kind: Kind, start: datetime, hosts: int, count: int) -> list[Case]:
    """Queries of a kind over a day that begins at `start`."""
    random = np.random.default_rng([SEED, KINDS.index(kind)])
    cases = []
    for _ in range(count):
        chosen = None
        if kind.hosts is not None:
            chosen = tuple(sorted(random.choice(hosts, min(kind.hosts, hosts), replace=False).tolist()))
        room = 86_400 - kind.hours * 3600
        begin = start + timedelta(milliseconds=float(random.uniform(0, room)) * 1000 // 1)
        if kind.is_whole:
            begin = begin.replace(minute=0, second=0, microsecond=0)
        end = begin + timedelta(hours=kind.hours)
        if kind.shape == "limit":
            begin, end = (
                start,
                start + timedelta(milliseconds=float(random.uniform(3600, 86_400)) * 1000 // 1),
            )
        cases.append(Case(kind, chosen, begin, end))
    return cases
