"""The queue: procrastinate on the product's own database."""

import json
from collections.abc import Iterable
from typing import Any

import procrastinate
import structlog
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

log = structlog.get_logger(__name__)

# A worker that ends while the database is away asks for one more connection; it must not wait long for that.
POOL_TIMEOUT_SECONDS = 3.0


class _Connector(procrastinate.PsycopgConnector):
    """Listens for new jobs, and to nothing else: every login of the database may send what it likes on any channel."""

    async def listen_notify(self, on_notification: Any, channels: Iterable[str]) -> None:
        """Hand on what says that there is a job."""

        async def checked(*, channel: str, payload: str) -> None:
            if says_that_there_is_a_job(payload):
                await on_notification(channel=channel, payload=payload)

        await super().listen_notify(checked, channels)


def says_that_there_is_a_job(payload: str) -> bool:
    """Whether a notification is that of a job that came; a lie only makes the worker look."""
    try:
        said = json.loads(payload)
    except (ValueError, RecursionError):
        return False
    return (
        isinstance(said, dict) and said.get("type") == "job_inserted" and isinstance(said.get("job_id"), int)
    )


def build_queue(url: str) -> procrastinate.App:
    """An application on `url`; `registration` adds the tasks."""
    connector = _Connector(
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
