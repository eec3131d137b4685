"""Jobs whose worker died in the middle of them."""

import procrastinate
import structlog
from procrastinate.exceptions import UniqueViolation
from procrastinate.jobs import Status

from fleetkeeper.database.context import product_context
from fleetkeeper.database.engine import Database
from fleetkeeper.jobs import queries
from fleetkeeper.jobs.failures import tell_of_failure

log = structlog.get_logger(__name__)

# A worker tells every ten seconds that it lives, but for when it computes; one that is silent for this long is dead.
SILENT_SECONDS = 120.0
# A job that was under way as so many workers died may be what they died of.
MOST_ATTEMPTS = 5


async def take_up_abandoned(
    queue: procrastinate.App, database: Database, silent_seconds: float = SILENT_SECONDS
) -> int:
    """Let jobs of dead workers wait again, or fail where that happened too often; returns how many there were."""
    manager, number = queue.job_manager, 0
    await manager.prune_stalled_workers(silent_seconds)
    for job in await manager.get_stalled_jobs(seconds_since_heartbeat=silent_seconds):
        number += 1
        if job.attempts + 1 < MOST_ATTEMPTS:
            try:
                await manager.retry_job(job)
            except UniqueViolation:
                # The same work waits already, and one of them is enough.
                await manager.finish_job(job, Status.FAILED, delete_job=False)
                await _fail_run(
                    database, job.id, "Its worker died; the run that waits goes on.", is_told=False
                )
                continue
            log.warning("a job is taken up again, since its worker died", job=job.id, task=job.task_name)
        else:
            await manager.finish_job(job, Status.FAILED, delete_job=False)
            await _fail_run(database, job.id, f"Its workers died {MOST_ATTEMPTS} times.")
            log.error("a job failed, since its workers died time and again", job=job.id, task=job.task_name)
    return number


async def _fail_run(
    database: Database, queue_job_id: int | None, reason: str, *, is_told: bool = True
) -> None:
    if queue_job_id is None:
        return
    async with database.session(product_context("job", "jobs.take_up_abandoned")) as session:
        for run_id, name in await queries.fail_of_queue_job(session, queue_job_id, reason):
            if is_told:
                await tell_of_failure(session, name, run_id, reason)
