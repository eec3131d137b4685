"""The way of a sender's request: read, mapped to devices, stored, counted. One per web process."""

import math
import time
from collections.abc import Hashable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from itertools import chain
from uuid import UUID

import structlog
from sqlalchemy.exc import SQLAlchemyError

from fleetkeeper.database.context import TransactionContext, product_context
from fleetkeeper.database.engine import Database
from fleetkeeper.errors import FleetkeeperError, OverloadedError, TooLargeError
from fleetkeeper.kit.request_body import CallerGoneError
from fleetkeeper.settings.telemetry import TelemetrySettings
from fleetkeeper.telemetry.door import TelemetryDoor
from fleetkeeper.telemetry.reasons import Reason
from fleetkeeper.telemetry.refusals.notes import Origin
from fleetkeeper.telemetry.samples import RejectedSeries
from fleetkeeper.telemetry.senders import queries
from fleetkeeper.telemetry.senders.batches import Meaning, SampleBatch, SenderInputError, Series, SeriesCache
from fleetkeeper.telemetry.senders.body_reading import BodyReading, Packed, Reader
from fleetkeeper.telemetry.senders.callers import Caller, Callers
from fleetkeeper.telemetry.senders.directory import Directory, KnownHost, unknown_sentence
from fleetkeeper.telemetry.senders.grouping import (
    Refusal,
    check_labels,
    columns_of,
    example_of,
    refuse,
    repeated,
    settle,
)
from fleetkeeper.telemetry.senders.host_rules import HostMatch, find_host
from fleetkeeper.telemetry.senders.tally import Tally

log = structlog.get_logger(__name__)

MAX_DESCRIBED = 50_000
# What is said of a metric that has no sample yet is said again after this time.
DESCRIBE_AGAIN_SECONDS = 30.0


@dataclass(frozen=True)
class Outcome:
    """What became of a request's samples, and how many data points are not stored, or not as a whole."""

    accepted: int
    duplicates: int
    refusals: list[Refusal]
    rejected_points: int = 0

    @property
    def rejected(self) -> int:
        """Number of samples that were not stored."""
        return sum(item.samples for item in self.refusals)

    def sentence(self, limit: int = 5, unit: str = "") -> str:
        """Why, in a few sentences: each that occurs, with its number of samples."""
        by_sentence: dict[str, int] = {}
        for item in self.refusals:
            by_sentence[item.sentence] = by_sentence.get(item.sentence, 0) + item.samples
        said = sorted(by_sentence.items(), key=lambda item: -item[1])
        text = "; ".join(f"{sentence} ({number}{unit})" for sentence, number in said[:limit])
        return text + (f"; and {len(said) - limit} more reasons" if len(said) > limit else "")


@dataclass
class SenderIntake:
    """What a web process knows of senders, and the limits of what it takes at once."""

    database: Database
    door: TelemetryDoor
    limits: TelemetrySettings
    callers: Callers = field(init=False)
    directory: Directory = field(init=False)
    tally: Tally = field(default_factory=Tally)
    _known: dict[Hashable, SeriesCache] = field(default_factory=dict)
    _known_series: int = 0
    _runs_weight: int = 0
    _generation: int = -1
    # Metric -> when to say again what it means: never, once it is stored.
    _described: dict[str, float] = field(default_factory=dict)
    _in_flight: int = 0
    _reading: BodyReading = field(init=False)

    def __post_init__(self) -> None:
        self.callers = Callers(self.database)
        self.directory = Directory(self.database)
        self._reading = BodyReading(self.limits)

    def start(self) -> None:
        """Begin to follow the rules."""
        self.directory.start()

    async def stop(self) -> None:
        """Stop following."""
        await self.directory.stop()

    async def take(self, protocol: str, caller: Caller, reader: Reader, body: Packed) -> Outcome:
        """Read and store a request; what is stored is durable when this returns.

        Raises SenderInputError, OverloadedError and UnavailableError; then nothing is stored.
        """
        self.tally.requests[protocol] += 1
        with self._counted(protocol, caller):
            return await self._take(protocol, caller, reader, body)

    @contextmanager
    def _counted(self, protocol: str, caller: Caller) -> Iterator[None]:
        if self._in_flight >= self.limits.max_sender_requests_in_flight:
            self.tally.refused_requests[protocol, "overload"] += 1
            raise OverloadedError("Too many requests at once.", retry_after_seconds=2)
        self._in_flight += 1
        try:
            yield
        except SenderInputError as error:
            self.tally.refused_requests[protocol, "unreadable"] += 1
            self._note(protocol, caller, Refusal(Reason.REQUEST, 1, str(error)))
            raise
        except TooLargeError as error:
            self.tally.refused_requests[protocol, f"status_{error.status}"] += 1
            self._note(protocol, caller, Refusal(Reason.REQUEST, 1, error.detail))
            raise
        except FleetkeeperError as error:
            self.tally.refused_requests[protocol, f"status_{error.status}"] += 1
            raise
        except CallerGoneError:
            self.tally.refused_requests[protocol, "gone"] += 1
            raise
        finally:
            self._in_flight -= 1

    async def _take(self, protocol: str, caller: Caller, reader: Reader, body: Packed) -> Outcome:
        known = self._cache(protocol, caller)
        generation = self._generation
        batch = await self._reading.read(reader, body, known, caller.key)
        await self._settle_new(batch, protocol, caller)
        if generation == self.directory.generation == self._generation:
            self._remember(known, batch)
        unreachable = await self._unreachable(batch, caller)
        columns, refusals = columns_of(batch, unreachable, partial(unknown_sentence, caller=caller))
        accepted = duplicates = 0
        if len(columns.of):
            stored = await self.door.store_columns(columns)
            refusals += [_refusal_of(item, batch.series[item.index]) for item in stored.rejected]
            lost, collisions = repeated(batch.series, stored.repeated)
            refusals += collisions
            accepted, duplicates = stored.accepted, stored.duplicates - lost
        self.tally.accepted[protocol] += accepted
        self.tally.duplicates[protocol] += duplicates
        for item in refusals:
            self.tally.rejected[protocol, item.reason] += item.samples
            self._note(protocol, caller, item)
        # What a metric means is told to everybody, so it is taken from nobody whose reach has a limit.
        if caller.reaches_all:
            await self._describe(batch.meanings)
        return Outcome(accepted, duplicates, refusals, _points_of(batch, refusals))

    def _note(self, protocol: str, caller: Caller, refusal: Refusal) -> None:
        """Keep an example of what is refused."""
        self.door.refusals.note(
            protocol,
            refusal.reason,
            refusal.samples,
            Origin(UUID(bytes=refusal.device_id)) if refusal.device_id else caller.origin,
            sentence=refusal.sentence,
            example=refusal.example,
            token_id=None if caller.actor is None else caller.actor.token_id,
        )

    def _cache(self, protocol: str, caller: Caller) -> SeriesCache:
        """Series known by what the protocol recognizes them by; apart for callers to whom names mean other devices."""
        if self._generation != self.directory.generation:
            self._generation = self.directory.generation
            self._forget()
        return self._known.setdefault((protocol, caller.device_id, caller.reach), SeriesCache())

    def _forget(self) -> None:
        # Requests under way keep the dictionaries that they have.
        self._known = {}
        self._known_series = self._runs_weight = 0

    def _remember(self, known: SeriesCache, batch: SampleBatch) -> None:
        good = {key: series for key, series in batch.found.items() if series.key}
        runs = {key: run for key, run in batch.runs.items() if all(series.key for series in run.series)}
        weight = sum(run.weight for run in runs.values())
        most = self.limits.max_known_series
        if max(self._known_series + len(good), self._runs_weight + weight, len(self._known)) > most:
            self._forget()
            return
        before = len(known)
        known.update(good)
        self._known_series += len(known) - before
        # One that takes the place of another is counted twice: then all are forgotten a little early.
        known.runs.update(runs)
        self._runs_weight += weight

    async def _settle_new(self, batch: SampleBatch, protocol: str, caller: Caller) -> None:
        """Find the device of each series that is new."""
        matches: dict[int, HostMatch] = {}
        fresh = [
            series for series in batch.found.values() if series.labels is not None and series.reason is None
        ]
        if fresh and self.directory.generation == 0:
            await self.directory.refresh()
        waiting: list[Series] = []
        for series in fresh:
            problem = check_labels(series.labels or {})
            if problem is not None:
                refuse(series, *problem)
                continue
            match = find_host(self.directory.rules, protocol, series.labels or {}, series.origin)
            if match is not None:
                matches[id(series)] = match
            elif caller.device_id is None:
                refuse(series, Reason.NO_HOST, Reason.NO_HOST.sentence)
                continue
            waiting.append(series)
        hosts = {match.host for match in matches.values()}
        known = await self.directory.find(hosts, caller, protocol) if hosts else {}
        for series in waiting:
            match = matches.get(id(series))
            host = known[match.host] if match is not None else None
            if caller.device_id is not None:
                self._settle_own(series, caller.device_id, match, host)
            elif host is not None and host.device_id is not None:
                settle(series, host.device_id.bytes, match, is_primary=host.is_primary)
            elif host is not None and host.reason is not None:
                refuse(series, host.reason, host.problem)

    @staticmethod
    def _settle_own(series: Series, device_id: UUID, match: HostMatch | None, host: KnownHost | None) -> None:
        """A device's key writes for its own device, and for no other that its labels may name."""
        if host is not None and host.device_id not in {None, device_id}:
            refuse(series, Reason.FOREIGN_HOST, Reason.FOREIGN_HOST.sentence)
            return
        is_primary = host is not None and host.device_id == device_id and host.is_primary
        settle(series, device_id.bytes, match, is_primary=is_primary)

    async def _unreachable(self, batch: SampleBatch, caller: Caller) -> set[bytes]:
        """Devices in the batch that the caller may not write for, as of now."""
        if caller.reaches_all or caller.device_id is not None:
            return set()
        devices = {series.device_id for series in batch.series if series.key}
        context = TransactionContext(whole_fleet=True, audit=caller.audit)
        async with self.database.session(context) as session:
            reachable = await caller.reachable(session, {UUID(bytes=device) for device in devices})
        return devices - {device.bytes for device in reachable}

    async def _describe(self, meanings: dict[str, Meaning]) -> None:
        """Pass on what the sender says of its metrics, once per process. The samples are stored in any case."""
        now = time.monotonic()
        new = {
            name: _storable(meaning)
            for name, meaning in meanings.items()
            if self._described.get(name, 0.0) < now and (meaning.description or meaning.unit or meaning.kind)
        }
        if not new:
            return
        if len(self._described) > MAX_DESCRIBED:
            self._described.clear()
        try:
            async with self.database.session(product_context("job", "senders.describe")) as session:
                stored = await queries.describe_metrics(session, new)
        except (SQLAlchemyError, OSError) as error:
            log.warning("metrics were not described", reason=str(error).splitlines()[:1])
            return
        again = now + DESCRIBE_AGAIN_SECONDS
        self._described |= {name: math.inf if name in stored else again for name in new}


def _refusal_of(rejected: RejectedSeries, series: Series) -> Refusal:
    return Refusal(
        rejected.reason,
        rejected.samples,
        rejected.sentence,
        example_of(series),
        series.device_id,
        (rejected.index,),
    )


def _points_of(batch: SampleBatch, refusals: Sequence[Refusal]) -> int:
    unread = sum(number for number, _ in batch.left_out.values())
    return unread + batch.points_among(chain.from_iterable(item.series for item in refusals))


def _storable(meaning: Meaning) -> Meaning:
    text = meaning.description.replace("\x00", "")[:1000]
    return Meaning(meaning.unit.replace("\x00", "")[:60], meaning.kind, text)
