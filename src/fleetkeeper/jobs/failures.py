"""Runs that failed for good, and who is told of them."""

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.database.listeners import Listeners
from fleetkeeper.jobs.declaring import JOBS

# By the job's name, its title, the run's id, and the error.
RUN_FAILED: Listeners[[str, str, UUID, str]] = Listeners()


async def tell_of_failure(session: AsyncSession, job: str, run_id: UUID, error: str) -> None:
    """Tell of a run that is not tried again."""
    declared = JOBS.get(job)
    await RUN_FAILED.tell(session, job, declared.title if declared else job, run_id, error)
