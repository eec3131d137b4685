"""Evaluates recording rules: what the expression gives at an instant becomes samples of that instant.

Samples are durable before the evaluation is committed, so that the next rule of the unit reads them. A worker that
dies in between leaves samples which the next one writes again, at the same instant: they are there once.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.alerts.recording import queries
from fleetkeeper.alerts.recording.models import RecordingRule
from fleetkeeper.alerts.recording.placing import Place, device_of, place_of, recorded_labels
from fleetkeeper.database.context import product_context
from fleetkeeper.database.engine import Database
from fleetkeeper.errors import ConflictError
from fleetkeeper.kit.clock import utc_now
from fleetkeeper.telemetry.product_samples import ProductSamples
from fleetkeeper.telemetry.promql.parameters import EPOCH
from fleetkeeper.telemetry.promql.queries import Answer
from fleetkeeper.telemetry.promql.samples import STALE
from fleetkeeper.telemetry.resample import SECOND
from fleetkeeper.telemetry.samples import SampleSeries

MOST_SERIES = 50_000
_MOST_ORPHANS = 10_000
_CONTEXT = product_context("job", "alerts.record")


@dataclass
class Recorder:
    """Stores what recording rules find."""

    database: Database
    samples: ProductSamples

    async def record(self, session: AsyncSession, rule: RecordingRule, answer: Answer, at: datetime) -> int:
        """Store the answer of an instant; series that are there no more end. Returns how many there are.

        Raises ConflictError, OverloadedError and UnavailableError.
        """
        if 0 < rule.series_limit < len(answer.series):
            raise ConflictError(f"exceeded limit of {rule.series_limit} with {len(answer.series)} series")
        if len(answer.series) > MOST_SERIES:
            raise ConflictError(f"A rule records at most {MOST_SERIES:,} series.")
        found = await self._places(rule, answer)
        before = await queries.recorded_by(session, rule.id)
        ended = [before[key] for key in before.keys() - found.keys()]
        values = dict(found.values()) | dict.fromkeys(ended, STALE)
        await self._store(values, at)
        added = {key: place for key, (place, _) in found.items() if key not in before}
        await queries.keep(session, rule.id, added, before.keys() - found.keys())
        return len(found)

    async def end_orphans(self) -> None:
        """End the series of rules that are gone or disabled."""
        async with self.database.session(_CONTEXT) as session:
            gone = await queries.take_orphans(session, _MOST_ORPHANS)
            if gone:
                await self._store(dict.fromkeys(gone, STALE), utc_now())

    async def _places(self, rule: RecordingRule, answer: Answer) -> dict[bytes, tuple[Place, float]]:
        labels = [recorded_labels(dict(one.labels), rule.labels) for one in answer.series]
        if len({frozenset(one.items()) for one in labels}) < len(labels):
            raise ConflictError("The answer has series that the rule's labels make equal.")
        devices = [device_of(one) for one in labels]
        # In a transaction of its own: who stores samples must find the device.
        async with self.database.session(_CONTEXT) as session:
            origins = await queries.origins_of(session, {one for one in devices if one})
            otherwise = None
            if not all(one in origins for one in devices):
                otherwise = await queries.device_of_the_rest(session, utc_now())
        placed = [
            place_of(rule.name, one, origins.get(device) if device else None, otherwise)
            for one, device in zip(labels, devices, strict=True)
        ]
        return {
            place.fingerprint: (place, float(one.values[-1]))
            for place, one in zip(placed, answer.series, strict=True)
        }

    async def _store(self, values: Mapping[Place, float], at: datetime) -> None:
        if not values:
            return
        # In whole milliseconds, as the query's.
        times = np.array([round((at - EPOCH).total_seconds() * 1000) * (SECOND // 1000)], np.int64)
        series = [
            SampleSeries(place.device_id.bytes, place.key, times, np.array([value]))
            for place, value in values.items()
        ]
        stored = await self.samples.store(series)
        if stored.rejected:
            raise ConflictError(_told(series, [(one.index, one.sentence) for one in stored.rejected]))


def _told(series: Sequence[SampleSeries], rejected: Sequence[tuple[int, str]]) -> str:
    index, why = rejected[0]
    return f"{len(rejected)} series were not stored, such as {series[index].key[:200]}: {why}"
