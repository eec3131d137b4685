"""Writes frames: many requests share one commit, and each is answered once its frames are durable."""

import asyncio
from collections import defaultdict, deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import psycopg
import structlog
from psycopg import AsyncConnection, errors

from fleetkeeper.database.context import WHOLE_FLEET_OPTION
from fleetkeeper.errors import OverloadedError, UnavailableError
from fleetkeeper.kit.backoff import Backoff
from fleetkeeper.telemetry.frames import (
    FrameKey,
    PendingFrame,
    copy_payload,
    date_of_day,
    day_of,
    pack_parts,
)
from fleetkeeper.telemetry.samples import united

log = structlog.get_logger(__name__)

# Frames that one COPY takes at most. More per commit gains nothing and makes the others wait.
MAX_BATCH_FRAMES = 5000
# A day's partition may be dropped between its making and the insert, though hardly twice in a row.
DAY_TRIES = 3
_COPY = "COPY {} (device_id, ts, layout_id, values) FROM STDIN (FORMAT BINARY)"
_COPY_INCOMING = _COPY.format("incoming")
_COPY_PARTS = "COPY incoming (device_id, ts, layout_id, values, part) FROM STDIN (FORMAT BINARY)"
_COMPLETE = (
    'UPDATE SET "values" = merged_values(f."values", excluded."values") '
    'WHERE adds_values(f."values", excluded."values")'
)


@dataclass(slots=True)
class _Submission:
    frames: Sequence[PendingFrame]
    # None for partial frames, which are packed once those of one moment are put together.
    rows: Sequence[bytes] | None
    stored: "asyncio.Future[set[FrameKey] | None]"


class FrameWriter:
    """The queue of frames of one process, and the connections that empty it."""

    def __init__(self, url: str, *, writers: int, max_pending_frames: int) -> None:
        self._url = url
        self._writers = writers
        self._max_pending = max_pending_frames
        self._queue: deque[_Submission] = deque()
        self._waiting = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self._stopping = False
        self._away = False
        self.pending_frames = 0
        self.known_days: set[int] = set()

    async def start(self) -> None:
        """Open the connections and begin."""
        self._tasks = [
            asyncio.create_task(self._run(), name=f"frame writer {n}") for n in range(self._writers)
        ]

    async def stop(self) -> None:
        """Write what waits, then end."""
        self._stopping = True
        self._waiting.set()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def submit(
        self, frames: Sequence[PendingFrame], rows: Sequence[bytes] | None
    ) -> "asyncio.Future[set[FrameKey] | None]":
        """Queue whole frames with their rows, or partial ones without.

        The future holds None when all were new, else the keys of those that were or that told something new.

        Raises OverloadedError when too many wait, UnavailableError while the database is away.
        """
        if self._away:
            raise UnavailableError("The database is unavailable; nothing was stored.", retry_after_seconds=2)
        if self.pending_frames + len(frames) > self._max_pending:
            raise OverloadedError("Too many frames are waiting to be written.", retry_after_seconds=1)
        stored: asyncio.Future[set[FrameKey] | None] = asyncio.get_running_loop().create_future()
        self._queue.append(_Submission(frames, rows, stored))
        self.pending_frames += len(frames)
        self._waiting.set()
        return stored

    async def _run(self) -> None:
        connection: AsyncConnection[Any] | None = None
        backoff = Backoff(first_seconds=0.1, most_seconds=2)
        while self._queue or not self._stopping:
            if connection is None:
                connection = await self._connect(backoff)
            elif self._queue:
                batch = self._take()
                try:
                    await self._store_or_part(connection, batch)
                except Exception as error:  # noqa: BLE001 - whatever it was, each waiting request gets an answer
                    self._fail(batch, error)
                    await connection.close()
                    connection = None
            else:
                self._waiting.clear()
                await self._waiting.wait()
        if connection is not None:
            await connection.close()

    async def _connect(self, backoff: Backoff) -> AsyncConnection[Any] | None:
        try:
            connection = await AsyncConnection.connect(
                self._url,
                autocommit=True,
                connect_timeout=5,
                application_name="fleetkeeper writer",
                options=f"-c timezone=UTC -c lock_timeout=10s -c statement_timeout=60s {WHOLE_FLEET_OPTION}",
            )
        except (psycopg.Error, OSError) as error:
            self._away = True
            self._fail(self._take(everything=True), error)
            await asyncio.sleep(backoff.next_seconds())
            return None
        backoff.reset()
        self._away = False
        return connection

    def _take(self, *, everything: bool = False) -> list[_Submission]:
        batch, count = [], 0
        while self._queue and (everything or count < MAX_BATCH_FRAMES):
            submission = self._queue.popleft()
            batch.append(submission)
            count += len(submission.frames)
        self.pending_frames -= count
        return batch

    async def _store_or_part(self, connection: AsyncConnection[Any], batch: Sequence[_Submission]) -> None:
        """Store together; where that fails for what the requests hold, each by itself, so that one fails alone."""
        try:
            await self._store(connection, batch)
        except psycopg.OperationalError:
            # The database is away, busy or full: that goes for all of them alike.
            raise
        except Exception as error:
            waiting = [item for item in batch if not item.stored.done()]
            if len(waiting) == 1 or connection.closed:
                raise
            log.info("requests are stored one by one", requests=len(waiting), reason=type(error).__name__)
            for submission in waiting:
                await self._store_alone(connection, submission)

    async def _store_alone(self, connection: AsyncConnection[Any], submission: _Submission) -> None:
        try:
            await self._store(connection, [submission])
        except psycopg.OperationalError:
            raise
        except Exception as error:  # noqa: BLE001 - the others shall not suffer for it, whatever it was
            self._fail([submission], error)

    async def _store(self, connection: AsyncConnection[Any], batch: Sequence[_Submission]) -> None:
        whole = [item for item in batch if item.rows]
        partial = [item for item in batch if item.rows is None and item.frames]
        if whole:
            await self._store_whole(connection, whole)
        if partial:
            changed = await self._store_partial(
                connection, [frame for item in partial for frame in item.frames]
            )
            for submission in partial:
                if not submission.stored.done():
                    own = changed.intersection(frame.key for frame in submission.frames)
                    submission.stored.set_result(own)

    async def _store_whole(self, connection: AsyncConnection[Any], batch: Sequence[_Submission]) -> None:
        days = {day_of(frame.ts_us) for item in batch for frame in item.frames}
        await self._ensure_days(connection, days)
        new: set[FrameKey] | None = None
        try:
            await self._copy(connection, batch, days)
        except (
            errors.UniqueViolation,
            errors.CheckViolation,
            errors.UndefinedTable,
            errors.DeadlockDetected,
        ):
            # A frame came twice, a partition went away, or two writers met: the careful way sorts it out.
            self.known_days.clear()
            new = await self._store_carefully(connection, batch)
        for submission in batch:
            own = None
            if new is not None:
                # What two requests of one commit both had counts for the first.
                own = new.intersection(frame.key for frame in submission.frames)
                new -= own
            if not submission.stored.done():
                submission.stored.set_result(own)

    async def _copy(
        self, connection: AsyncConnection[Any], batch: Sequence[_Submission], days: set[int]
    ) -> None:
        """Straight into the partitions of the days: row security on the whole table rules COPY out there."""
        if len(days) == 1:
            rows = [row for submission in batch for row in submission.rows or ()]
            await self._copy_day(connection, days.pop(), rows)
            return
        rows_of_day: dict[int, list[bytes]] = defaultdict(list)
        for submission in batch:
            for frame, row in zip(submission.frames, submission.rows or (), strict=True):
                rows_of_day[day_of(frame.ts_us)].append(row)
        async with connection.transaction():
            for day in sorted(rows_of_day):
                await self._copy_day(connection, day, rows_of_day[day])

    @staticmethod
    async def _copy_day(connection: AsyncConnection[Any], day: int, rows: Sequence[bytes]) -> None:
        partition = f"frames_{date_of_day(day):%Y_%m_%d}"
        async with connection.cursor() as cursor, cursor.copy(_COPY.format(partition)) as copy:
            await copy.write(copy_payload(rows))

    async def _store_carefully(
        self, connection: AsyncConnection[Any], batch: Sequence[_Submission]
    ) -> set[FrameKey]:
        """By way of a temporary table, leaving out what is stored already; returns the keys of what was new."""
        pairs = [pair for item in batch for pair in zip(item.frames, item.rows or (), strict=True)]
        # In one order everywhere, so that two writers with the same frames wait instead of blocking each other.
        unique = {frame.key: row for frame, row in reversed(pairs)}
        return await self._insert(connection, _COPY_INCOMING, unique, "NOTHING")

    async def _store_partial(
        self, connection: AsyncConnection[Any], frames: Sequence[PendingFrame]
    ) -> set[FrameKey]:
        """Store partial frames, completing those that are there; returns the keys of what was new or completed."""
        whole = united(frames)
        unique = dict(zip([frame.key for frame in whole], pack_parts(whole), strict=True))
        return await self._insert(connection, _COPY_PARTS, unique, _COMPLETE)

    async def _insert(
        self,
        connection: AsyncConnection[Any],
        copy_statement: str,
        rows: dict[FrameKey, bytes],
        otherwise: str,
    ) -> set[FrameKey]:
        """By way of a temporary table; a day that was emptied and dropped meanwhile is made again."""
        tries_left = DAY_TRIES
        while True:
            tries_left -= 1
            try:
                await self._ensure_days(connection, {day_of(ts_us) for _, ts_us, _ in rows})
                return await self._insert_once(connection, copy_statement, rows, otherwise)
            except errors.CheckViolation:
                self.known_days.clear()
                if not tries_left:
                    raise

    @staticmethod
    async def _insert_once(
        connection: AsyncConnection[Any],
        copy_statement: str,
        rows: dict[FrameKey, bytes],
        otherwise: str,
    ) -> set[FrameKey]:
        await connection.execute(
            "CREATE TEMPORARY TABLE IF NOT EXISTS incoming (LIKE frames INCLUDING STORAGE INCLUDING DEFAULTS) "
            "ON COMMIT DELETE ROWS"
        )
        async with connection.transaction(), connection.cursor() as cursor:
            async with cursor.copy(copy_statement) as copy:
                await copy.write(copy_payload(list(rows.values())))
            await cursor.execute(
                f"""
                INSERT INTO frames AS f SELECT * FROM incoming ORDER BY device_id, ts, part
                ON CONFLICT (device_id, ts, part) DO {otherwise}
                RETURNING device_id, CAST(extract(epoch FROM ts) * 1000000 AS bigint), part
                """  # noqa: S608 - one of two constants
            )
            if cursor.rowcount == len(rows):
                return set(rows)
            return {(row[0].bytes, row[1], row[2]) for row in await cursor.fetchall()}

    async def _ensure_days(self, connection: AsyncConnection[Any], days: set[int]) -> None:
        for day in sorted(days - self.known_days):
            start = date_of_day(day).date()
            await connection.execute(
                "SELECT create_telemetry_partition(%s::date, %s::date + 1)", (start, start)
            )
            self.known_days.add(day)

    @staticmethod
    def _fail(batch: Sequence[_Submission], error: Exception) -> None:
        if batch:
            log.warning(
                "frames were not stored", requests=len(batch), reason=f"{type(error).__name__}: {error}"
            )
        for submission in batch:
            if not submission.stored.done():
                submission.stored.set_exception(
                    UnavailableError("The database is away; send the frames again.", retry_after_seconds=2)
                )
                # A request that went away no longer asks for its answer; that is no error.
                submission.stored.exception()
