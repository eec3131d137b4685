"""Adds what each web process counts of its intake to one table, so that the rates of all of them are known."""

import contextlib
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

import structlog
from sqlalchemy import BigInteger, Text, bindparam, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.exc import SQLAlchemyError

from fleetkeeper.database.context import product_context
from fleetkeeper.database.engine import Database
from fleetkeeper.kit.clock import utc_now
from fleetkeeper.telemetry.door import TelemetryDoor
from fleetkeeper.telemetry.refusals.notes import NATIVE

log = structlog.get_logger(__name__)

FLUSH_SECONDS = 10.0
# Reasons per process; past this the rest are one.
MAX_KEYS = 100
# Protocol, outcome, reason.
Key = tuple[str, str, str]
Counts = Mapping[Key, int]

_ADD = text(
    """
    INSERT INTO intake_minutes AS m (minute, protocol, outcome, reason, number)
    SELECT date_trunc('minute', CAST(:at AS timestamptz)), left(protocol, 20), outcome, left(reason, 80), sum(number)
    FROM unnest(:protocols, :outcomes, :reasons, :numbers) AS t (protocol, outcome, reason, number)
    GROUP BY left(protocol, 20), outcome, left(reason, 80)
    ORDER BY left(protocol, 20), outcome, left(reason, 80)
    ON CONFLICT (minute, protocol, outcome, reason) DO UPDATE SET number = m.number + excluded.number
    """
).bindparams(
    bindparam("protocols", type_=ARRAY(Text)),
    bindparam("outcomes", type_=ARRAY(Text)),
    bindparam("reasons", type_=ARRAY(Text)),
    bindparam("numbers", type_=ARRAY(BigInteger)),
)


class SenderCounters(Protocol):
    """What is counted of senders' requests; all grow for as long as the process runs."""

    accepted: Counter[str]
    duplicates: Counter[str]
    rejected: Counter[tuple[str, str]]
    refused_requests: Counter[tuple[str, str]]


def counts_of_door(door: TelemetryDoor) -> Counts:
    """What the native door has counted."""
    return {(NATIVE, outcome, reason): number for (outcome, reason), number in door.outcomes.items()}


def counts_of_senders(counters: SenderCounters) -> Counts:
    """What was counted of senders."""
    counts: dict[Key, int] = {}
    counts |= {(protocol, "accepted", ""): number for protocol, number in counters.accepted.items()}
    counts |= {(protocol, "duplicate", ""): number for protocol, number in counters.duplicates.items()}
    counts |= {(protocol, "rejected", why): number for (protocol, why), number in counters.rejected.items()}
    counts |= {
        (protocol, "refused", why): number for (protocol, why), number in counters.refused_requests.items()
    }
    return counts


@dataclass
class IntakeRecorder:
    """Writes what grew since the last time. What could not be written is written the next time."""

    database: Database
    sources: Sequence[Callable[[], Counts]]
    _written: dict[Key, int] = field(default_factory=dict)

    async def flush(self) -> None:
        """Add what is new; a database that is away holds nothing up."""
        with contextlib.suppress(SQLAlchemyError, OSError):
            await self.write(utc_now())

    async def write(self, at: datetime) -> None:
        """Add what is new to the minute of `at`."""
        now = self._bounded()
        new = {
            key: number - self._written.get(key, 0)
            for key, number in now.items()
            if number > self._written.get(key, 0)
        }
        if not new:
            return
        parameters: dict[str, Any] = {
            "at": at,
            "protocols": [key[0] for key in new],
            "outcomes": [key[1] for key in new],
            "reasons": [key[2] for key in new],
            "numbers": list(new.values()),
        }
        async with self.database.session(product_context("job", "web.record_intake")) as session:
            await session.execute(_ADD, parameters)
        self._written = now

    def _bounded(self) -> dict[Key, int]:
        """All counters; a key past the bound counts as `other`. Those that were there first keep their names."""
        counts: Counter[Key] = Counter()
        for source in self.sources:
            for key, number in source().items():
                kept = key if key in counts or len(counts) < MAX_KEYS else (key[0], key[1], "other")
                counts[kept] += number
        return dict(counts)
