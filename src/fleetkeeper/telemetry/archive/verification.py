"""Checks each archive file against the hash that was kept as it was written."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from uuid import UUID

import pyarrow as pa
import structlog

from fleetkeeper.jobs.declaring import job
from fleetkeeper.jobs.run import Run
from fleetkeeper.settings import Settings
from fleetkeeper.telemetry.archive import queries
from fleetkeeper.telemetry.archive.queries import FileRow
from fleetkeeper.telemetry.archive.store import StoreError, digest_of, store_named
from fleetkeeper.telemetry.chunks.jobs import sealing_connection

log = structlog.get_logger(__name__)

VERIFY_TASK = "telemetry.verify_archive"
_AT_ONCE = 500
_NIL = UUID(int=0)


@dataclass
class Checked:
    """What a check found: path and problem of each file that is not as it was written."""

    files: int = 0
    size_bytes: int = 0
    problems: list[tuple[str, str]] = field(default_factory=list)


async def verify(
    url: str, settings: Settings, *, progress: Callable[[int], Awaitable[None]] | None = None
) -> Checked:
    """Check every file that counts, and keep in the table what is wrong with it. `progress` is told bytes."""
    checked, after = Checked(), (-1, _NIL)
    async with sealing_connection(url) as connection:
        while True:
            files = await queries.live_files(connection, after=after, limit=_AT_ONCE)
            for file in files:
                problem = await _problem(connection, settings, file)
                if problem is None:
                    continue
                await queries.note_check(connection, file.id, problem)
                checked.files += 1
                checked.size_bytes += file.size_bytes
                if problem:
                    checked.problems.append((file.path, problem))
                    log.error(
                        "a file of the archive is not as it was written", path=file.path, reason=problem
                    )
                if progress is not None:
                    await progress(file.size_bytes)
            if len(files) < _AT_ONCE:
                return checked
            after = files[-1].day, files[-1].id


async def _problem(connection: queries.Connection, settings: Settings, file: FileRow) -> str | None:
    """What is wrong with a file; nothing, or None when it does not count any more."""
    sha256 = await queries.hash_of_file(connection, file.id)
    if sha256 is None:
        return None
    try:
        digest, size = await asyncio.to_thread(digest_of, store_named(settings, file.store), file.path)
    except FileNotFoundError:
        # Rewritten since it was looked up?
        return "the file is not there" if await queries.hash_of_file(connection, file.id) else None
    except (StoreError, OSError, pa.ArrowException) as error:
        return (str(error).splitlines() or ["it cannot be read"])[0][:300]
    if size != file.size_bytes:
        return f"it has {size} bytes, and {file.size_bytes} were written"
    return "" if digest == sha256 else "its content is not what was written"


@job(VERIFY_TASK, "Verify the archive", cron="53 3 * * 0", manual_run=True)
async def verify_by_schedule(run: Run) -> None:
    """Check each file against its hash."""
    async with sealing_connection(run.database.url) as connection:
        total = await queries.live_bytes(connection)
    done = 0

    async def tell(size_bytes: int) -> None:
        nonlocal done
        done += size_bytes
        await run.tell("Checking files (bytes)", done, total)

    checked = await verify(run.database.url, run.settings, progress=tell)
    run.outcome = {
        "files": checked.files,
        "size_bytes": checked.size_bytes,
        "problems": len(checked.problems),
    }
