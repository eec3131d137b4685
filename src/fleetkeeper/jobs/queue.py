"""The queue: procrastinate on the product's own database."""

import procrastinate
import structlog
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

log = structlog.get_logger(__name__)

KEEP_FINISHED_HOURS = 72
# A worker that ends while the database is away asks for one more connection; it must not wait long for that.
POOL_TIMEOUT_SECONDS = 3.0


def build_queue(url: str) -> procrastinate.App:
    """An application on `url`; `worker.py` adds the tasks."""
    connector = procrastinate.PsycopgConnector(
        conninfo=url,
        min_size=1,
        max_size=4,
        timeout=POOL_TIMEOUT_SECONDS,
        kwargs={"application_name": "fleetkeeper worker"},
    )
    return procrastinate.App(connector=connector)


async def enqueue_once(session: AsyncSession, task: str) -> bool:
    """Enqueue a periodic task now, in the caller's transaction; returns False when it waits already.

    The task's queueing lock is its name, as with all of them.
    """
    statement = text(
        "INSERT INTO procrastinate_jobs (queue_name, task_name, queueing_lock, args) "
        "VALUES ('default', CAST(:task AS text), CAST(:task AS text), "
        "jsonb_build_object('timestamp', extract(epoch FROM now())::bigint)) "
        "ON CONFLICT (queueing_lock) WHERE status = 'todo' DO NOTHING RETURNING id"
    )
    return await session.scalar(statement, {"task": task}) is not None


async def is_under_way(session: AsyncSession, task: str) -> bool:
    """Whether a task waits or runs."""
    statement = text(
        "SELECT EXISTS (SELECT FROM procrastinate_jobs WHERE task_name = :task AND status IN ('todo', 'doing'))"
    )
    return bool(await session.scalar(statement, {"task": task}))
