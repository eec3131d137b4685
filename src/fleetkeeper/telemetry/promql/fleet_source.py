"""Samples of the fleet as the engine wants them: series that the caller may see, read from all tiers."""

from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from uuid import UUID

import numpy as np
from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.errors import InvalidInputError
from fleetkeeper.identity.actor import Actor
from fleetkeeper.telemetry.promql.errors import ExecutionError
from fleetkeeper.telemetry.promql.labels import Labels, make_labels
from fleetkeeper.telemetry.promql.source import SourceSeries
from fleetkeeper.telemetry.reading import warnings_of
from fleetkeeper.telemetry.resample import Times, Values
from fleetkeeper.telemetry.selection import Matcher, find_series, read_series

# What the database's clock holds: the years 1970 to 9998.
MAX_STORED_US = 253_370_764_800_000_000

Sessions = Callable[[], AbstractAsyncContextManager[AsyncSession]]


@dataclass(frozen=True)
class FleetSource:
    """Reads with a session of its own for each selector, so that none is held while a query computes."""

    sessions: Sessions
    actor: Actor
    max_series: int
    max_samples: int
    # Those that are looked at; all when None.
    devices: Sequence[UUID] | None = None
    # What could not be read, in sentences; filled by `select`.
    warnings: list[str] = field(default_factory=list)

    async def select(self, matchers: Sequence[Matcher], start_us: int, end_us: int) -> list[SourceSeries]:
        """Series with their samples in [start, end). Raises ExecutionError past a limit."""
        start, end = max(0, start_us), min(MAX_STORED_US, end_us)
        if start >= end:
            return []
        try:
            async with self.sessions() as session:
                series = await find_series(
                    session, self.actor, [matchers], limit=self.max_series, devices=self.devices
                )
                samples = await read_series(session, series, start, end, max_samples=self.max_samples)
                self.warnings.extend(warnings_of(session))
        except InvalidInputError as error:
            raise ExecutionError(reason_of(error)) from None
        return joined(
            [(make_labels(item.labels), *found) for item, found in zip(series, samples, strict=True)]
        )


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
