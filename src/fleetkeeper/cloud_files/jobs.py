"""The worker's part: files go to their stores, and what is gone here goes there, too."""

import time

from fleetkeeper.cloud_files.adding import SYNC
from fleetkeeper.cloud_files.providers.opening import Outside
from fleetkeeper.cloud_files.removing import CLEAN_UP, clean_up, remove_due
from fleetkeeper.cloud_files.service import REMOVE
from fleetkeeper.cloud_files.syncing import sync_due
from fleetkeeper.jobs.declaring import job
from fleetkeeper.jobs.run import Run

# The schedule goes on with what is left, and other jobs have their turn.
WORK_SECONDS = 45.0


@job(SYNC, "Copy files to cloud stores", cron="* * * * *", is_quiet=True, is_alone=True)
async def sync(run: Run) -> None:
    """Copy what is due. Adding a file wakes it; the schedule finds what that missed, and tries again."""
    await sync_due(run.database, Outside.of(run.settings), time.monotonic() + WORK_SECONDS)


@job(REMOVE, "Remove deleted files from cloud stores", cron="*/5 * * * *", is_quiet=True, is_alone=True)
async def remove(run: Run) -> None:
    """Remove what is due. Requests that retention or their device takes along leave their files to the schedule."""
    await remove_due(run.database, Outside.of(run.settings), time.monotonic() + WORK_SECONDS)


@job(CLEAN_UP, "Remove leftovers of uploads", cron="52 * * * *", is_quiet=True)
async def remove_leftovers(run: Run) -> None:
    """Remove what uploads and transactions that failed left on this server."""
    run.outcome["removed"] = await clean_up(run.database, Outside.of(run.settings))
