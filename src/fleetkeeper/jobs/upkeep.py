"""The jobs that keep the queue and the database themselves in order."""

from datetime import timedelta

from fleetkeeper.database.context import product_context
from fleetkeeper.database.readers import end_long_readers
from fleetkeeper.database.status_history import forget_moves
from fleetkeeper.jobs import queries
from fleetkeeper.jobs.abandoned import take_up_abandoned
from fleetkeeper.jobs.declaring import job
from fleetkeeper.jobs.run import Run

KEEP_FINISHED_HOURS = 72
KEEP_RUNS_DAYS = 90
KEEP_MOVES_DAYS = 730


@job("database.end_long_readers", "End long reader transactions", cron="* * * * *", is_quiet=True)
async def end_readers(run: Run) -> None:
    """End transactions of readers that last too long."""
    await end_long_readers(run.database, timedelta(minutes=run.settings.database.reader_transaction_minutes))


@job("jobs.take_up_abandoned", "Recover abandoned jobs", cron="* * * * *", is_quiet=True)
async def take_up(run: Run) -> None:
    """Let jobs of dead workers wait again."""
    await take_up_abandoned(run.tools.queue, run.database)


@job("jobs.remove_finished", "Remove old runs", cron="23 4 * * *", is_quiet=True)
async def remove_finished(run: Run) -> None:
    """Forget what ended long ago."""
    await run.tools.queue.job_manager.delete_old_jobs(nb_hours=KEEP_FINISHED_HOURS, include_failed=True)
    async with run.database.session(product_context("job", "jobs.remove_finished")) as session:
        await queries.forget_old(session, KEEP_RUNS_DAYS)
        await forget_moves(session, timedelta(days=KEEP_MOVES_DAYS))
