"""A run of a job as a progress bar, for every command that starts one."""

import time
from uuid import UUID

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn
from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.cli.running import with_session
from fleetkeeper.jobs import service
from fleetkeeper.jobs.schemas import RunRead
from fleetkeeper.jobs.status import OPEN, RunState

LOOK_SECONDS = 1.0


def read_run(run_id: str) -> RunRead:
    """A run by its ID, or by a beginning that no other has."""

    async def read(session: AsyncSession) -> RunRead:
        return await service.get_run(session, await service.find_run(session, run_id))

    return with_session(read)


def follow(run_id: UUID, *, quiet: bool) -> RunRead:
    """Show how far a run is until it has ended."""
    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn())
    with Progress(*columns, console=Console(stderr=True), disable=quiet, transient=True) as progress:
        bar = progress.add_task("Waiting for a worker", total=None)
        while (found := read_run(str(run_id))).state in OPEN:
            words = found.phase or ("Waiting for a worker" if found.state == RunState.WAITING else "Running")
            progress.update(bar, description=words, completed=found.done, total=found.total)
            time.sleep(LOOK_SECONDS)
    return found
