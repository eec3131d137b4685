"""Samples of the fleet as the engine wants them: series that the caller may see, read from all tiers."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from uuid import UUID

import numpy as np
from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.errors import InvalidInputError
from fleetkeeper.identity.actor import Actor
from fleetkeeper.telemetry.promql.errors import ExecutionError, too_many_samples
from fleetkeeper.telemetry.promql.labels import Labels, make_labels
from fleetkeeper.telemetry.promql.parameters import MAX_STORED_US
from fleetkeeper.telemetry.promql.source import Fetch, SourceSeries
from fleetkeeper.telemetry.reading import warnings_of
from fleetkeeper.telemetry.resample import Times, Values
from fleetkeeper.telemetry.selection import FleetSeries, find_each, read_series

# Series that a statement may read for each that is asked for, so that several selections share it.
MOST_READ_FOR_ONE = 2

Sessions = Callable[[], AbstractAsyncContextManager[AsyncSession]]


@dataclass(frozen=True)
class FleetSource:
    """Reads with a session of its own for each query, and holds none while the query computes."""

    sessions: Sessions
    actor: Actor
    max_series: int
    max_samples: int
    # Those that are looked at; all when None.
    devices: Sequence[UUID] | None = None
    # What could not be read, in sentences; filled by `select`.
    warnings: list[str] = field(default_factory=list)

    async def select(self, wanted: Sequence[Fetch]) -> list[list[SourceSeries]]:
        """Series with their samples in [start, end), for each. Raises ExecutionError past a limit."""
        selections = list(dict.fromkeys(tuple(item.matchers) for item in wanted))
        try:
            async with self.sessions() as session:
                found = await find_each(
                    session, self.actor, selections, limit=self.max_series, devices=self.devices
                )
                series = dict(zip(selections, found, strict=True))
                read = await self._read(session, [(item, series[tuple(item.matchers)]) for item in wanted])
                self.warnings.extend(warnings_of(session))
        except InvalidInputError as error:
            raise ExecutionError(reason_of(error)) from None
        return [joined(item) for item in read]

    async def _read(
        self, session: AsyncSession, selected: Sequence[tuple[Fetch, Sequence[FleetSeries]]]
    ) -> list[list[tuple[Labels, Times, Values]]]:
        """The samples of what was selected: those of one range of time by one statement, or few."""
        by_span: dict[tuple[int, int], list[int]] = {}
        for place, (item, _) in enumerate(selected):
            start, end = max(0, item.start_us), min(MAX_STORED_US, item.end_us)
            if start < end:
                by_span.setdefault((start, end), []).append(place)
        result: list[list[tuple[Labels, Times, Values]]] = [[] for _ in selected]
        left = self.max_samples
        for (start, end), places in by_span.items():
            for group in _read_together({place: selected[place][1] for place in places}):
                series = _united(selected[place][1] for place in group)
                samples = await read_series(session, series, start, end, max_samples=self.max_samples)
                left -= sum(len(times) for times, _ in samples)
                if left < 0:
                    raise too_many_samples()
                read = {id(one): found for one, found in zip(series, samples, strict=True)}
                for place in group:
                    result[place] = [(make_labels(one.labels), *read[id(one)]) for one in selected[place][1]]
        return result


def _united(selections: Iterable[Sequence[FleetSeries]]) -> list[FleetSeries]:
    """What is in any of them, once; what several selected is one object."""
    return list({id(one): one for series in selections for one in series}.values())


def _read_together(selections: Mapping[int, Sequence[FleetSeries]]) -> list[list[int]]:
    """Which selections one statement reads.

    It reads each of the channels of each of the devices: where that would be much more than is asked for, only
    selections of the same devices share one.
    """
    series = _united(selections.values())
    read = len({one.device_id for one in series}) * len({one.channel_id for one in series})
    if read <= MOST_READ_FOR_ONE * len(series):
        return [list(selections)]
    groups: dict[frozenset[UUID], list[int]] = {}
    for place, some in selections.items():
        groups.setdefault(frozenset([one.device_id for one in some]), []).append(place)
    return list(groups.values())


def reason_of(error: InvalidInputError) -> str:
    """What was wrong, in one line."""
    return "; ".join([error.detail, *(item.message for item in error.fields)])


def joined(found: Sequence[tuple[Labels, Times, Values]]) -> list[SourceSeries]:
    """One series for each label set. Two devices may send the same one; the first one's sample of a moment stays."""
    by_labels: dict[Labels, list[tuple[Times, Values]]] = {}
    for labels, times, values in found:
        if len(times):
            by_labels.setdefault(labels, []).append((times, values))
    result = []
    for labels, parts in by_labels.items():
        times, values = parts[0]
        if len(parts) > 1:
            times, first = np.unique(np.concatenate([part[0] for part in parts]), return_index=True)
            values = np.concatenate([part[1] for part in parts])[first]
        result.append(SourceSeries(labels, times, values))
    return result
