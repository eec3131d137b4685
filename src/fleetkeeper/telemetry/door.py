"""The door that frames come in by: `POST /api/v1/telemetry`.

It stands in front of the web framework, because a fleet knocks here thousands of times a second.
"""

import contextlib
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, NamedTuple
from uuid import UUID

import msgspec
import numpy as np
import structlog
from psycopg import AsyncConnection, OperationalError
from psycopg_pool import AsyncConnectionPool, PoolTimeout

from fleetkeeper.database.context import WHOLE_FLEET_OPTION
from fleetkeeper.database.engine import Database
from fleetkeeper.errors import (
    FieldError,
    FleetkeeperError,
    InvalidInputError,
    UnavailableError,
)
from fleetkeeper.kit.turns import Turns
from fleetkeeper.kit.wire import decompress
from fleetkeeper.settings import Settings
from fleetkeeper.telemetry.channels import ChannelError
from fleetkeeper.telemetry.frame_bodies import Unread, frame_field, read_frames
from fleetkeeper.telemetry.frames import PendingFrame, Plan, Window
from fleetkeeper.telemetry.freshness import Freshness
from fleetkeeper.telemetry.homes import ChannelHomes
from fleetkeeper.telemetry.known_keys import KnownKeys
from fleetkeeper.telemetry.layouts import LayoutRegistry
from fleetkeeper.telemetry.open_door import OpenDoor
from fleetkeeper.telemetry.reasons import Reason
from fleetkeeper.telemetry.refusals.notes import NATIVE, Origin, RefusalNotes
from fleetkeeper.telemetry.sample_intake import SampleIntake
from fleetkeeper.telemetry.samples import SampleColumns, SampleSeries, StoredSamples, columns_of
from fleetkeeper.telemetry.states.recorder import MAX_CHANNELS, StateSample, TooManyStatesError, record
from fleetkeeper.telemetry.states.recorder import problem_of as states_problem
from fleetkeeper.telemetry.writer import FrameWriter
from fleetkeeper_protocol.messages import Frame, RejectedFrame, TelemetryAccepted

log = structlog.get_logger(__name__)

# At most this many rejected frames are named one by one; the rest are counted.
MAX_NAMED_REJECTIONS = 100
# Why whole requests are refused, by status. With 422 each frame was counted by its own reason.
_REFUSALS = {400: "unreadable", 401: "unauthorized", 413: "too large", 429: "overload", 503: "unavailable"}
_TOO_MANY_STATES = f"a device has states under at most {MAX_CHANNELS} names"
_encoder = msgspec.json.Encoder()
_Problem = tuple[RejectedFrame, Reason]


class _Refused(NamedTuple):
    """A frame that is not stored, why, how many values it has, and its beginning."""

    frame: RejectedFrame
    reason: Reason
    samples: int
    example: str


@dataclass
class TelemetryDoor:
    """Checks, packs and stores frames for one web process."""

    settings: Settings
    database: Database
    pool: AsyncConnectionPool[AsyncConnection[Any]]
    keys: KnownKeys
    layouts: LayoutRegistry
    writer: FrameWriter
    freshness: Freshness
    samples: SampleIntake
    refusals: RefusalNotes
    mark: OpenDoor
    accepted_frames: int = 0
    accepted_values: int = 0
    duplicate_frames: int = 0
    rejected_frames: int = 0
    # What became of agents' samples, by outcome and reason; whole requests where the outcome is `refused`.
    outcomes: Counter[tuple[str, str]] = field(default_factory=Counter)

    @classmethod
    def build(cls, settings: Settings, database: Database) -> "TelemetryDoor":
        """Put the parts together; `start` opens the connections."""
        limits = settings.telemetry
        pool: AsyncConnectionPool[AsyncConnection[Any]] = AsyncConnectionPool(
            database.url,
            min_size=1,
            max_size=4,
            open=False,
            timeout=5,
            kwargs={
                "application_name": "fleetkeeper telemetry",
                "options": f"-c timezone=UTC -c statement_timeout=30s {WHOLE_FLEET_OPTION}",
            },
        )
        writer = FrameWriter(
            database.url, writers=limits.writers, max_pending_frames=limits.max_pending_frames
        )
        freshness = Freshness(database, limits.presence_seconds)
        return cls(
            settings=settings,
            database=database,
            pool=pool,
            keys=KnownKeys(pool),
            layouts=LayoutRegistry(pool, limits.max_channels_per_device),
            writer=writer,
            freshness=freshness,
            samples=SampleIntake(ChannelHomes(pool, limits.max_channels_per_device), writer, freshness),
            refusals=RefusalNotes(database),
            mark=OpenDoor(database),
        )

    async def start(self) -> None:
        """Open the connections. A database that is away for the moment holds nothing up."""
        await self.pool.open()
        with contextlib.suppress(PoolTimeout):
            await self.pool.wait(timeout=5)
        await self.writer.start()
        self.freshness.start()
        self.keys.start()
        self.refusals.start()
        self.mark.start()

    async def stop(self) -> None:
        """Store what waits and close."""
        await self.mark.stop()
        await self.writer.stop()
        await self.freshness.stop()
        await self.keys.stop()
        await self.refusals.stop()
        await self.pool.close()

    async def receive_for(self, device_id: bytes, encoding: str, body: bytes) -> bytes:
        """Store a request's frames of a device, whose caller was checked, and return the answer's JSON.

        Raises the errors that the API documents: 400, 413, 422, 429, 503.
        """
        turns = Turns()
        frames, unread = await self._read_for(device_id, encoding, body, turns)
        refused = [_Refused(item.problem, Reason.UNREADABLE, item.samples, item.beginning) for item in unread]
        window = self._window()
        pending: list[PendingFrame] = []
        states: list[StateSample] = []
        # Frames that have states and no numbers.
        alone = 0
        for index, frame in frames:
            await turns.give_way()
            problem = self._problem_of(index, frame, window)
            if problem is None:
                ts_us = round(frame.ts * 1_000_000)
                told = [StateSample(ts_us, key, value) for key, value in (frame.states or {}).items()]
                if not frame.values:
                    states += told
                    alone += 1
                    continue
                keys = tuple(frame.values)
                plan = self.layouts.known_plan(device_id, keys) or await self._register(
                    device_id, index, keys
                )
                if isinstance(plan, Plan):
                    values = np.fromiter(frame.values.values(), np.float64, len(keys))
                    pending.append(PendingFrame(device_id, ts_us, plan, values))
                    states += told
                    continue
                problem = plan
            refused.append(_Refused(*problem, len(frame.values), _spelled(frame)))
        rejected = sorted((item.frame for item in refused), key=lambda item: item.index)
        if rejected and not pending and not states:
            self._note_rejected(device_id, refused)
            self._refuse(rejected)
        if states:
            try:
                await self._record(device_id, states)
            except InvalidInputError:
                self._note_rejected(device_id, [*refused, *_all_for_states(frames, refused)])
                raise
        duplicates = await self._store(pending)
        # Not before the rest is durable: who is told to try again sends these again, too.
        self._note_rejected(device_id, refused)
        accepted = len(pending) + alone - duplicates
        answer = TelemetryAccepted(accepted, duplicates, rejected[:MAX_NAMED_REJECTIONS])
        return _encoder.encode(answer)

    async def store_samples(self, series: Sequence[SampleSeries]) -> StoredSamples:
        """The same as `store_columns` for samples that are series already."""
        return await self.store_columns(columns_of(series))

    async def store_columns(self, columns: SampleColumns) -> StoredSamples:
        """Store samples that came apart from whole frames; they are durable when this returns.

        A moment of a channel keeps the first value that it got. Raises OverloadedError and UnavailableError.
        """
        stored = await self.samples.store(columns, self._window())
        self.accepted_values += stored.accepted
        return stored

    def note_refusal(self, error: Exception) -> None:
        """Count a request of an agent of which nothing was stored."""
        status = error.status if isinstance(error, FleetkeeperError) else 500
        if status != InvalidInputError.status:
            self.outcomes["refused", _REFUSALS.get(status, "error")] += 1

    async def _read_for(
        self, device_id: bytes, encoding: str, body: bytes, turns: Turns
    ) -> tuple[list[tuple[int, Frame]], list[Unread]]:
        """The frames in a body as it came. A request that cannot be read at all is noted."""
        try:
            if encoding:
                body = decompress(body, encoding, self.settings.telemetry.max_decompressed_bytes)
            return await read_frames(body, self.settings.telemetry.max_frames_per_request, turns)
        except FleetkeeperError as error:
            said = "; ".join((error.detail, *(f"{item.field}: {item.message}" for item in error.fields)))
            self.refusals.note(NATIVE, Reason.REQUEST, 1, Origin(UUID(bytes=device_id)), sentence=said)
            raise

    def _note_rejected(self, device_id: bytes, refused: Sequence[_Refused]) -> None:
        """Count frames that are not stored, and keep examples."""
        self.rejected_frames += len(refused)
        for item in refused:
            self.outcomes["rejected", item.reason] += item.samples
            self.refusals.note(
                NATIVE,
                item.reason,
                max(1, item.samples),
                Origin(UUID(bytes=device_id)),
                sentence=f"{item.frame.field}: {item.frame.error}",
                example=item.example,
            )

    def _window(self) -> Window:
        limits = self.settings.telemetry
        return Window.around(
            time.time(), max_age_days=limits.max_age_days, max_future_seconds=limits.max_future_seconds
        )

    async def _record(self, device_id: bytes, states: Sequence[StateSample]) -> None:
        try:
            await record(self.pool, device_id, states)
        except TooManyStatesError:
            raise InvalidInputError(
                "No frame was stored.", fields=[FieldError("states", _TOO_MANY_STATES)]
            ) from None

    async def _store(self, pending: list[PendingFrame]) -> int:
        """Wait until the frames are durable; returns how many of them were stored before."""
        if not pending:
            return 0
        new = await self.writer.submit(pending, [frame.row() for frame in pending])
        for frame in pending:
            self.freshness.note(frame)
        duplicates = 0 if new is None else len(pending) - len(new)
        self.accepted_frames += len(pending) - duplicates
        self.accepted_values += sum(len(frame.values) for frame in pending)
        self.duplicate_frames += duplicates
        samples = sum(len(frame.values) for frame in pending)
        # Of several frames of one moment the first is stored.
        firsts = {frame.key: len(frame.values) for frame in reversed(pending)}
        stored = samples if new is None else sum(firsts[key] for key in new)
        self.outcomes["accepted", ""] += stored
        self.outcomes["duplicate", ""] += samples - stored
        return duplicates

    def _problem_of(self, index: int, frame: Frame, window: Window) -> _Problem | None:
        """Why a frame is not stored. Its numbers are finite: JSON knows no others, and the decoder no larger ones."""
        problem = window.problem_of(frame.ts)
        if problem is not None:
            return RejectedFrame(index, frame_field(index, "ts"), problem), Reason.TIME
        if frame.states:
            at_fault = states_problem(frame.states)
            if at_fault is not None:
                name = ".".join(("states", at_fault[0])) if at_fault[0] else "states"
                return RejectedFrame(index, frame_field(index, name), at_fault[1]), Reason.STATES
        limit = self.settings.telemetry.max_values_per_frame
        if not (frame.values or frame.states) or len(frame.values) > limit:
            problem = f"has 1 to {limit} values"
            return RejectedFrame(index, frame_field(index, "values"), problem), Reason.VALUES
        return None

    async def _register(self, device_id: bytes, index: int, keys: tuple[str, ...]) -> Plan | _Problem:
        try:
            return await self.layouts.plan(device_id, keys)
        except ChannelError as error:
            return RejectedFrame(index, frame_field(index, f"values.{error.key}"), str(error)), error.reason
        except OperationalError:
            raise UnavailableError(
                "The database is unavailable; nothing was stored.", retry_after_seconds=2
            ) from None

    @staticmethod
    def _refuse(rejected: list[RejectedFrame]) -> None:
        raise InvalidInputError(
            f"No frame was stored; {len(rejected)} were rejected.",
            fields=[FieldError(item.field, item.error) for item in rejected[:MAX_NAMED_REJECTIONS]],
        )


def _all_for_states(frames: Iterable[tuple[int, Frame]], refused: Iterable[_Refused]) -> Iterator[_Refused]:
    """The frames that are good but for the number of states that the device would have."""
    others = {item.frame.index for item in refused}
    for index, frame in frames:
        if index not in others:
            rejected = RejectedFrame(index, "states", _TOO_MANY_STATES)
            yield _Refused(rejected, Reason.STATES, len(frame.values), _spelled(frame))


def _spelled(frame: Frame) -> str:
    """A frame as an example: its time, and its first values."""
    return ", ".join(
        (f"ts={frame.ts}", *(f"{key}={value}" for key, value in islice(frame.values.items(), 5)))
    )
