"""Carries a job out: its run begins, tells how far it is, and ends, whatever becomes of the work."""

from functools import partial
from uuid import UUID

import structlog
from sqlalchemy.exc import SQLAlchemyError

from fleetkeeper.database.context import product_context
from fleetkeeper.database.engine import Database
from fleetkeeper.jobs import queries
from fleetkeeper.jobs.declaring import MOST_ATTEMPTS, Job
from fleetkeeper.jobs.failures import tell_of_failure
from fleetkeeper.jobs.run import Run, RunCancelledError, RunFailedError, Tools
from fleetkeeper.jobs.status import RunState

log = structlog.get_logger(__name__)


async def carry_out(
    job: Job, tools: Tools, run_id: UUID | None = None, queue_job_id: int | None = None, attempts: int = 0
) -> None:
    """Do a job's work. Raises what the work raises, so that the queue tries it again; `attempts` were before."""
    run = await _begin(job, tools, run_id, queue_job_id)
    if run is None:
        # Cancelled while it waited.
        return
    try:
        await job.work(run)
    except RunCancelledError:
        await _end(job, run, RunState.CANCELLED)
    except RunFailedError as error:
        await _fail(job, run, queue_job_id, sentence_of(error), is_last=True)
    except Exception as error:
        is_last = attempts >= MOST_ATTEMPTS
        await _fail(job, run, queue_job_id, sentence_of(error), is_last=is_last)
        raise
    else:
        await _end(job, run, RunState.DONE)


def sentence_of(error: Exception) -> str:
    """What people read of an error: its first line."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:500]


async def _begin(job: Job, tools: Tools, run_id: UUID | None, queue_job_id: int | None) -> Run | None:
    async with tools.database.session(product_context("job", job.name)) as session:
        found = await queries.begin(session, job.name, run_id, queue_job_id)
        if found is not None:
            own_id, args, requested_by = found
            return Run(tools, own_id, args, requested_by, store=partial(_tell, tools.database, job, own_id))
        if run_id is not None:
            return None
        if job.is_quiet:
            return Run(tools, requested_by="schedule")
        own_id = await queries.begin_scheduled(session, job.name, queue_job_id)
    return Run(tools, own_id, requested_by="schedule", store=partial(_tell, tools.database, job, own_id))


async def _tell(database: Database, job: Job, run_id: UUID, phase: str, done: int, total: int | None) -> bool:
    async with database.session(product_context("job", job.name)) as session:
        return await queries.tell(session, run_id, phase, done, total)


async def _fail(job: Job, run: Run, queue_job_id: int | None, error: str, *, is_last: bool) -> None:
    try:
        async with run.database.session(product_context("job", job.name)) as session:
            if run.id is None:
                run.id = await queries.begin_scheduled(session, job.name, queue_job_id)
            # Tried again by the run that waits already, if there is one.
            over = is_last or await queries.waits_already(session, run.id)
            state = RunState.FAILED if over else RunState.WAITING
            await queries.end(session, run.id, state, run.outcome, error)
            if over:
                await tell_of_failure(session, job.name, run.id, error)
    except (SQLAlchemyError, OSError) as problem:
        # Without a database the work failed for that, too.
        log.warning("a run's failure was not kept", job=job.name, reason=sentence_of(problem))


async def _end(job: Job, run: Run, state: RunState) -> None:
    if run.id is None:
        return
    async with run.database.session(product_context("job", job.name)) as session:
        await queries.end(session, run.id, state, run.outcome)
