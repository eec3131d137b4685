"""The queue: procrastinate on the product's own database."""

import procrastinate
import structlog
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

log = structlog.get_logger(__name__)

# A worker that ends while the database is away asks for one more connection; it must not wait long for that.
POOL_TIMEOUT_SECONDS = 3.0


def build_queue(url: str) -> procrastinate.App:
    """An application on `url`; `registration` adds the tasks."""
    connector = procrastinate.PsycopgConnector(
        conninfo=url,
        min_size=1,
        max_size=4,
        timeout=POOL_TIMEOUT_SECONDS,
        kwargs={"application_name": "fleetkeeper worker"},
    )
    return procrastinate.App(connector=connector)


async def is_under_way(session: AsyncSession, task: str) -> bool:
    """Whether a task waits or runs."""
    statement = text(
        "SELECT EXISTS (SELECT FROM procrastinate_jobs WHERE task_name = :task AND status IN ('todo', 'doing'))"
    )
    return bool(await session.scalar(statement, {"task": task}))
