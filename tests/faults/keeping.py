"""A process that seals, sums up, merges and archives without a pause, as workers do in the course of days."""

import asyncio
import contextlib
import multiprocessing
import time
from collections.abc import Iterator
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path

import psycopg
from sqlalchemy.exc import SQLAlchemyError

from fleetkeeper.database.engine import Database
from fleetkeeper.settings import Settings
from fleetkeeper.settings.telemetry import TelemetrySettings
from fleetkeeper.telemetry.archive import runs
from fleetkeeper.telemetry.chunks import jobs as chunks
from fleetkeeper.telemetry.rollups import jobs as rollups

_forkserver = multiprocessing.get_context("forkserver")
_PAUSE_SECONDS = 0.1
_DAY_SECONDS = 86_400.0
_AHEAD_SECONDS = 60.0


async def keep(url: str, settings: Settings) -> int:
    """Do everything once, as if today were long ago; returns how many frames were sealed."""
    telemetry = TelemetrySettings(seal_after_frames=1, seal_settle_seconds=0)
    # A sender whose clock counts a millisecond for each frame may be ahead of this one.
    work = await chunks.seal_frames(url, telemetry, now=time.time() + _AHEAD_SECONDS)
    await rollups.refresh_rollups(url, settings)
    await chunks.merge_chunks(url, now=time.time() + 2 * _DAY_SECONDS)
    database = Database(url, pool_size=1, settings=settings)
    try:
        await runs.retain(database, settings, now=time.time() + 5 * _DAY_SECONDS)
    finally:
        await database.close()
    return work.frames


def _be_keeper(url: str, home: Path, pipe: Connection) -> None:
    settings = Settings(home=home)
    while not pipe.poll(_PAUSE_SECONDS):
        try:
            pipe.send(asyncio.run(keep(url, settings)))
        except (psycopg.Error, SQLAlchemyError, OSError) as error:
            # As a job that is tried again.
            pipe.send(f"{type(error).__name__}: {error}")


@dataclass
class Keeper:
    """What the process has told so far."""

    pipe: Connection
    rounds: int = 0
    frames: int = 0
    failures: int = 0

    def listen(self) -> int:
        """Take in what it told; returns how many rounds that sealed something came to their end."""
        while self.pipe.poll():
            told = self.pipe.recv()
            if isinstance(told, int):
                self.frames += told
                self.rounds += told > 0
            else:
                self.failures += 1
        return self.rounds


@contextlib.contextmanager
def keeping(url: str, home: Path) -> Iterator[Keeper]:
    """Have it run all the time."""
    ours, theirs = multiprocessing.Pipe()
    process = _forkserver.Process(target=_be_keeper, args=(url, home, theirs))
    process.start()
    theirs.close()
    keeper = Keeper(ours)
    try:
        yield keeper
    finally:
        ours.send("end")
        process.join(60)
        with contextlib.suppress(EOFError, ConnectionResetError):
            keeper.listen()
        code = process.exitcode
        process.kill()
        process.join()
        assert code == 0, f"the keeper ended with code {code}"
