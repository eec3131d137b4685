"""Makes the declared jobs tasks of the queue, by name and schedule."""

from typing import Any
from uuid import UUID

from procrastinate import JobContext, RetryStrategy

from fleetkeeper.jobs.carrying_out import carry_out
from fleetkeeper.jobs.declaring import JOBS, MOST_ATTEMPTS, Job
from fleetkeeper.jobs.run import Tools

_RETRY = RetryStrategy(max_attempts=MOST_ATTEMPTS, exponential_wait=2)


def register(tools: Tools) -> None:
    """Register all jobs that have been declared so far; `all_jobs` imports them."""
    # Of those that run alone: which are at it in this process.
    under_way: set[str] = set()
    for one in JOBS.values():
        _register(one, tools, under_way)


def _register(job: Job, tools: Tools, under_way: set[str]) -> None:
    async def work(context: JobContext, timestamp: int | None = None, run_id: str | None = None) -> None:
        del timestamp
        if job.is_alone and job.name in under_way:
            # A long run is at it still; a second one would hold up all other work of this process.
            return
        under_way.add(job.name)
        try:
            entry: Any = context.job
            await carry_out(job, tools, UUID(run_id) if run_id else None, entry.id, entry.attempts)
        finally:
            under_way.discard(job.name)

    make_task = tools.queue.task(name=job.name, queueing_lock=job.name, retry=_RETRY, pass_context=True)
    task: Any = make_task(work)
    if job.cron:
        tools.queue.periodic(cron=job.cron)(task)
