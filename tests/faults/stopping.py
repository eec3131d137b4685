"""Runs a job of telemetry in a process of its own, and kills that process where it stands.

A boundary is a moment after which the world is another one than before: both sides of the end of a transaction, a
statement outside of one that changes something or takes a lock, and what is done to files. Between two of them it does
not matter where a process dies: what a transaction did so far is undone.
"""

import asyncio
import itertools
import multiprocessing
import os
import re
import threading
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import psycopg
from psycopg.pq import TransactionStatus

from fleetkeeper.database.engine import Database
from fleetkeeper.settings import Settings
from fleetkeeper.settings.telemetry import TelemetrySettings
from fleetkeeper.telemetry.archive import runs
from fleetkeeper.telemetry.archive.files import FileWriter
from fleetkeeper.telemetry.chunks import jobs as chunks
from fleetkeeper.telemetry.rollups import jobs as rollups

_forkserver = multiprocessing.get_context("forkserver")
_SECONDS = 60
_PURE = re.compile(r"\s*(SELECT|WITH|SET|EXPLAIN)\b", re.IGNORECASE)
_CHANGES = re.compile(
    r"\b(INSERT|UPDATE|DELETE|MERGE)\b|pg_try_advisory|pg_advisory|(create|drop)_\w+\(", re.IGNORECASE
)


async def seal(url: str, settings: Settings, now: float) -> None:
    await chunks.seal_frames(url, TelemetrySettings(seal_settle_seconds=0), now=now)
    await rollups.refresh_rollups(url, settings)


async def merge(url: str, _: Settings, now: float) -> None:
    await chunks.merge_chunks(url, now=now)


async def retain(url: str, settings: Settings, now: float) -> None:
    database = Database(url, pool_size=1, settings=settings)
    await runs.retain(database, settings, now=now)
    await database.close()


async def delete(url: str, settings: Settings, _: float) -> None:
    database = Database(url, pool_size=1, settings=settings)
    await runs.delete_requested(database, settings)
    await database.close()


JOBS = {"seal": seal, "merge": merge, "retain": retain, "delete": delete}


class _Boundaries:
    """Counts boundaries, tells the parent, and at one of them stands still for ever."""

    def __init__(self, pipe: Connection, stop_at: int) -> None:
        self._pipe, self._stop_at = pipe, stop_at
        self._numbers = itertools.count(1)

    def reached(self) -> None:
        if next(self._numbers) == self._stop_at:
            self._pipe.send("stands")
            threading.Event().wait()

    def after(self, owner: Any, name: str) -> None:
        """Let each call of a function end at a boundary."""
        inner = getattr(owner, name)

        def wrapped(*arguments: Any, **more: Any) -> Any:
            result = inner(*arguments, **more)
            self.reached()
            return result

        setattr(owner, name, wrapped)

    def after_statements(self) -> None:
        """Outside of transactions, where a statement changes something."""
        inner = psycopg.AsyncCursor.execute

        async def execute(cursor: Any, query: Any, *arguments: Any, **more: Any) -> Any:
            result = await inner(cursor, query, *arguments, **more)
            text = query if isinstance(query, str) else repr(query)
            is_idle = cursor.connection.info.transaction_status is TransactionStatus.IDLE
            if is_idle and (not _PURE.match(text) or _CHANGES.search(text)):
                self.reached()
            return result

        psycopg.AsyncCursor.execute = execute  # type: ignore[method-assign]

    def around_commits(self) -> None:
        inner = psycopg.AsyncTransaction.__aexit__

        async def leave(*arguments: Any) -> Any:
            self.reached()
            result = await inner(*arguments)
            self.reached()
            return result

        psycopg.AsyncTransaction.__aexit__ = leave  # type: ignore[method-assign]


def _be_job(job: str, url: str, home: Path, now: float, stop_at: int, pipe: Connection) -> None:
    boundaries = _Boundaries(pipe, stop_at)
    boundaries.after_statements()
    boundaries.around_commits()
    boundaries.after(FileWriter, "close")
    boundaries.after(os, "fsync")
    boundaries.after(Path, "replace")
    boundaries.after(Path, "unlink")
    asyncio.run(JOBS[job](url, Settings(home=home), now))
    pipe.send("ended")


def run(job: str, url: str, home: Path, now: float, *, kill_at: int = 0) -> bool:
    """Run a job to its end, or to a boundary (counted from 1) and kill it there; returns whether it was killed."""
    ours, theirs = multiprocessing.Pipe()
    process = _forkserver.Process(target=_be_job, args=(job, url, home, now, kill_at, theirs))
    process.start()
    theirs.close()
    try:
        assert ours.poll(_SECONDS), f"{job} neither ended nor stood still"
        told = ours.recv()
    except EOFError:
        told = "died"
    finally:
        process.kill()
        process.join()
    assert told in {"ended", "stands"}, f"{job} ended with code {process.exitcode}"
    return bool(told == "stands")
