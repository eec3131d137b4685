"""What waits for the server, on disk: bounded by bytes and by age, newest out first, first come dropped.

A machine's clock may be wrong, and jump. So age is the time that was seen to pass since an entry came in: what a clock
jumped over, or a machine slept through, does not count, and the server decides on what it gets.
"""

import logging
import sqlite3
import threading
import zlib
from collections import Counter, deque
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import NamedTuple, TypeVar

LOG = logging.getLogger(__name__)
Result = TypeVar("Result")

FRAME, PROCESSES = "frame", "processes"
DEFAULT_MAX_BYTES = 256 * 1024 * 1024
DEFAULT_MAX_AGE_SECONDS = 7 * 86400.0
# Kept when the disk cannot be written at all; then the spool lives in memory.
MEMORY_MAX_BYTES = 8 * 1024 * 1024
DROP_SHARE = 50
# A clock that moved on by more than this between two looks has jumped, or nobody was there to see.
LONGEST_STEP_SECONDS = 3600.0
# Ages are told apart by this part of the most.
AGE_STEPS = 100
MOST_REASONS = 50

TOO_OLD, TOO_MUCH, UNREADABLE, DISK_FULL = "too old", "spool full", "spool file damaged", "disk not writable"

_SCHEMA = """
CREATE TABLE IF NOT EXISTS entries (id INTEGER PRIMARY KEY, kind TEXT NOT NULL, ts REAL NOT NULL, body BLOB
NOT NULL); CREATE INDEX IF NOT EXISTS entries_by_ts ON entries (ts); CREATE INDEX IF NOT EXISTS
entries_by_kind ON entries (kind, ts); CREATE TABLE IF NOT EXISTS losses ( kind TEXT NOT NULL, reason TEXT NOT
NULL, number INTEGER NOT NULL, first_ts REAL, last_ts REAL, PRIMARY KEY (kind, reason) );
"""


class Entry(NamedTuple):
    """One report that waits: its place in the spool, its moment and its JSON."""

    id: int
    ts: float
    body: bytes


class Loss(NamedTuple):
    """What was lost for one reason, and the range of time that it came from."""

    kind: str
    reason: str
    number: int
    first_ts: float | None
    last_ts: float | None


class Spool:
    """A queue in SQLite.

    No fault of the disk is fatal: a damaged file is moved aside, a full disk costs frames, and both are
    counted.
    """

    def __init__(
        self,
        path: Path,
        wall: Callable[[], float],
        max_bytes: int = DEFAULT_MAX_BYTES,
        max_age_seconds: float = DEFAULT_MAX_AGE_SECONDS,
    ) -> None:
        self._path = path
        self._wall = wall
        self._max_bytes = max_bytes
        self._max_age = max_age_seconds
        # Time that was seen to pass, and up to which entry came in by then.
        self._passed = 0.0
        self._looked_at = wall()
        self._arrivals: deque[tuple[float, int]] = deque()
        self._last_id = 0
        self._lock = threading.RLock()
        self._waiting: Counter[str] = Counter()
        self._lost: Counter[str] = Counter()
        self._database = self._open()
        self._note_arrivals()

    def add(self, kind: str, entries: Iterable[tuple[float, bytes]]) -> None:
        """Take reports in, and drop the oldest when there are too many."""
        rows = [(kind, ts, zlib.compress(body, 6)) for ts, body in entries]
        if not rows:
            return

        def insert() -> None:
            # Numbers are never used again, so that they say what came first.
            numbered = [(number, *row) for number, row in enumerate(rows, self._last_id + 1)]
            with self._database:
                self._database.executemany("INSERT INTO entries VALUES (?, ?, ?, ?)", numbered)
            self._last_id += len(rows)
            self._note_arrivals()
            self._waiting[kind] += len(rows)

        with self._lock:
            try:
                self._guarded(insert)
            except sqlite3.Error as error:
                LOG.warning("the spool cannot be written: %s", error)
                self._lost[kind] += len(rows)
                return
            try:
                self._guarded(self._keep_bounds)
            except sqlite3.Error as error:
                LOG.warning("the spool cannot drop what is old: %s", error)

    def newest(self, kind: str, limit: int) -> list[Entry]:
        """The newest reports of a kind, oldest of them first; they stay until they are removed."""

        def select() -> list[Entry]:
            self._drop_old()
            rows = self._database.execute(
                "SELECT id, ts, body FROM entries WHERE kind = ? ORDER BY ts DESC, id DESC LIMIT ?",
                (kind, limit),
            ).fetchall()
            entries: list[Entry] = []
            for identifier, ts, body in reversed(rows):
                try:
                    entries.append(Entry(identifier, ts, zlib.decompress(body)))
                except zlib.error:
                    with self._database:
                        self._delete([identifier], kind)
                        self._count_loss(kind, UNREADABLE, 1, ts, ts)
            return entries

        with self._lock:
            try:
                return self._guarded(select)
            except sqlite3.Error as error:
                LOG.warning("the spool cannot be read: %s", error)
                return []

    def remove(self, kind: str, entries: Sequence[Entry], lost_because: str | None = None) -> None:
        """Take reports out: they arrived, or with a reason, they never will."""

        def delete() -> None:
            with self._database:
                self._delete([entry.id for entry in entries], kind)
                if lost_because is not None and entries:
                    self._count_loss(kind, lost_because, len(entries), entries[0].ts, entries[-1].ts)
            self._shrink()

        with self._lock:
            try:
                self._guarded(delete)
            except sqlite3.Error as error:
                LOG.warning("the spool cannot be written: %s", error)

    def count_loss(self, kind: str, reason: str, timestamps: Sequence[float]) -> None:
        """Keep account of reports that were lost on another way than through the spool."""
        if not timestamps:
            return

        def count() -> None:
            with self._database:
                self._count_loss(kind, reason, len(timestamps), min(timestamps), max(timestamps))

        with self._lock:
            try:
                self._guarded(count)
            except sqlite3.Error:
                self._lost[kind] += len(timestamps)

    def waiting(self, kind: str) -> int:
        """How many reports of a kind wait."""
        return self._waiting[kind]

    def losses(self) -> list[Loss]:
        """All that was lost since the spool was made, by kind and reason."""
        with self._lock:
            try:
                rows = self._guarded(lambda: self._database.execute("SELECT * FROM losses").fetchall())
            except sqlite3.Error:
                rows = []
            unwritten = [Loss(kind, DISK_FULL, number, None, None) for kind, number in self._lost.items()]
            return [*(Loss(*row) for row in rows), *unwritten]

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._database.close()

    def _open(self) -> sqlite3.Connection:
        try:
            return self._connect(str(self._path))
        except sqlite3.OperationalError as error:
            LOG.warning("the spool cannot be opened, frames wait in memory only: %s", error)
        except sqlite3.DatabaseError as error:
            known = self._waiting.total()
            self._move_aside(error)
            try:
                database = self._connect(str(self._path))
            except sqlite3.Error:
                LOG.warning("no new spool can be made, frames wait in memory only")
            else:
                # What a file held that was damaged before we came is not known; that there was something is.
                with database:
                    self._add_loss(database, FRAME, UNREADABLE, max(1, known), None, None)
                return database
        self._max_bytes = min(self._max_bytes, MEMORY_MAX_BYTES)
        self._waiting.clear()
        return self._connect(":memory:")

    def _connect(self, path: str) -> sqlite3.Connection:
        database = sqlite3.connect(path, timeout=5.0, check_same_thread=False)
        try:
            database.execute("PRAGMA auto_vacuum = INCREMENTAL")
            database.execute("PRAGMA journal_mode = WAL")
            database.execute("PRAGMA synchronous = NORMAL")
            database.execute("PRAGMA cache_size = -512")
            database.execute(f"PRAGMA journal_size_limit = {self._wal_bytes()}")
            verdict = database.execute("PRAGMA quick_check(1)").fetchone()[0]
            if verdict != "ok":
                raise sqlite3.DatabaseError(verdict)
            database.executescript(_SCHEMA)
            self._waiting = _count_by_kind(database)
            last = database.execute("SELECT ifnull(max(id), 0) FROM entries").fetchone()[0]
            self._last_id = max(self._last_id, last)
        except sqlite3.Error:
            database.close()
            raise
        return database

    def _wal_bytes(self) -> int:
        return min(4 * 1024 * 1024, self._max_bytes // 8)

    def _guarded(self, operation: Callable[[], Result]) -> Result:
        try:
            return operation()
        except sqlite3.OperationalError:
            self._roll_back()
            raise
        except sqlite3.DatabaseError as error:
            if type(error) is not sqlite3.DatabaseError:  # a mistake in how we ask, not damage
                raise
            # The file got damaged under our hands: start over with an empty one.
            self._database.close()
            self._database = self._open()
            return operation()

    def _roll_back(self) -> None:
        try:
            self._database.rollback()
            self._waiting = _count_by_kind(self._database)
        except sqlite3.Error:
            LOG.debug("rolling back the spool failed", exc_info=True)

    def _move_aside(self, error: sqlite3.Error) -> None:
        aside = self._path.with_name(f"{self._path.name}.damaged")
        LOG.warning("the spool file is damaged (%s); it is kept as %s", error, aside)
        try:
            # Only the last one is kept, so that damage does not fill the disk.
            self._path.replace(aside)
            for suffix in ("-wal", "-shm"):
                self._path.with_name(self._path.name + suffix).unlink(missing_ok=True)
        except OSError:
            LOG.warning("the damaged spool file cannot be moved")

    def _delete(self, identifiers: Sequence[int], kind: str) -> None:
        self._database.executemany("DELETE FROM entries WHERE id = ?", [(found,) for found in identifiers])
        self._waiting[kind] = max(0, self._waiting[kind] - len(identifiers))

    def _shrink(self) -> None:
        # Give the disk its space back once the backlog is gone. Only a script runs this pragma to its end: it
        # steps once for each page and yields no rows that a cursor would ask for.
        if not self._waiting.total():
            self._database.executescript("PRAGMA incremental_vacuum")

    def _keep_bounds(self) -> None:
        self._drop_old()
        self._drop_excess()

    def _note_arrivals(self) -> None:
        """All entries that are there came in by now."""
        self._let_time_pass()
        step = self._max_age / AGE_STEPS
        by = (self._passed // step + 1) * step
        if self._arrivals and self._arrivals[-1][0] == by:
            self._arrivals.pop()
        self._arrivals.append((by, self._last_id))

    def _let_time_pass(self) -> None:
        before, self._looked_at = self._looked_at, self._wall()
        if 0 < self._looked_at - before <= LONGEST_STEP_SECONDS:
            self._passed += self._looked_at - before

    def _drop_old(self) -> None:
        self._let_time_pass()
        last = 0
        while self._arrivals and self._arrivals[0][0] + self._max_age <= self._passed:
            last = self._arrivals.popleft()[1]
        if last:
            self._drop("SELECT id, kind, ts FROM entries WHERE id <= ?", (last,), TOO_OLD)

    def _drop_excess(self) -> None:
        while self._used_bytes() > self._max_bytes:
            number = max(1, self._waiting.total() // DROP_SHARE)
            # Those that came first, whatever the clock said then.
            if not self._drop("SELECT id, kind, ts FROM entries ORDER BY id LIMIT ?", (number,), TOO_MUCH):
                return

    def _used_bytes(self) -> int:
        pages = self._pragma("page_count") - self._pragma("freelist_count")
        return pages * self._pragma("page_size") + self._wal_bytes()

    def _pragma(self, name: str) -> int:
        return int(self._database.execute(f"PRAGMA {name}").fetchone()[0])

    def _drop(self, select: str, parameters: tuple[float, ...], reason: str) -> int:
        rows = self._database.execute(select, parameters).fetchall()
        for kind in {row[1] for row in rows}:
            dropped = [(identifier, ts) for identifier, of_kind, ts in rows if of_kind == kind]
            stamps = [ts for _, ts in dropped]
            with self._database:
                self._delete([identifier for identifier, _ in dropped], kind)
                self._count_loss(kind, reason, len(dropped), min(stamps), max(stamps))
        return len(rows)

    def _count_loss(
        self, kind: str, reason: str, number: int, first: float | None, last: float | None
    ) -> None:
        LOG.warning("%d of kind %s lost: %s", number, kind, reason)
        self._add_loss(self._database, kind, reason, number, first, last)

    @staticmethod
    def _add_loss(
        database: sqlite3.Connection,
        kind: str,
        reason: str,
        number: int,
        first: float | None,
        last: float | None,
    ) -> None:
        known = database.execute("SELECT count(*), sum(reason = ?) FROM losses", (reason,)).fetchone()
        if known[0] >= MOST_REASONS and not known[1]:
            reason = reason.partition(":")[0]  # details may quote the server, and must not grow without end
        database.execute(
            "INSERT INTO losses VALUES (?, ?, ?, ?, ?) ON CONFLICT (kind, reason) DO UPDATE SET "
            "number = number + excluded.number, "
            "first_ts = min(ifnull(first_ts, excluded.first_ts), ifnull(excluded.first_ts, first_ts)), "
            "last_ts = max(ifnull(last_ts, excluded.last_ts), ifnull(excluded.last_ts, last_ts))",
            (kind, reason, number, first, last),
        )


def _count_by_kind(database: sqlite3.Connection) -> Counter[str]:
    return Counter(dict(database.execute("SELECT kind, count(*) FROM entries GROUP BY kind").fetchall()))
