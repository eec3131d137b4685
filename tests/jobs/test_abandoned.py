"""Jobs whose worker is dead wait again, until it has happened too often."""

from collections.abc import AsyncIterator

import psycopg
import pytest
from procrastinate import App

from fleetkeeper.jobs.abandoned import MOST_ATTEMPTS, take_up_abandoned
from fleetkeeper.jobs.queue import build_queue, is_under_way


@pytest.fixture
async def queue(app_url: str) -> AsyncIterator[App]:
    queue = build_queue(app_url)
    async with queue.open_async():
        yield queue


def begin(connection: psycopg.Connection, *, silent_seconds: float | None, attempts: int = 0) -> None:
    """A job under way, of a worker that was last heard of so long ago, or that is gone altogether."""
    connection.execute(
        """
        WITH worker AS (
            INSERT INTO procrastinate_workers (last_heartbeat)
            SELECT now() - make_interval(secs => %(silent)s) WHERE %(silent)s::float8 IS NOT NULL RETURNING id
        )
        INSERT INTO procrastinate_jobs (queue_name, task_name, queueing_lock, status, attempts, worker_id)
        SELECT 'default', 'archive.verify', 'archive.verify', 'doing', %(attempts)s, (SELECT id FROM worker)
        """,
        {"silent": silent_seconds, "attempts": attempts},
    )


def statuses(connection: psycopg.Connection) -> list[tuple[str, int]]:
    return connection.execute("SELECT status::text, attempts FROM procrastinate_jobs ORDER BY id").fetchall()


class TestAbandoned:
    @pytest.mark.parametrize("silent_seconds", [121.0, None])
    async def test_waits_again(self, queue, connection, app, silent_seconds):
        begin(connection, silent_seconds=silent_seconds)
        assert await take_up_abandoned(queue, app.state.database) == 1
        assert statuses(connection) == [("todo", 1)]

    async def test_stays_with_a_worker_that_lives(self, queue, connection, app):
        begin(connection, silent_seconds=60)
        assert await take_up_abandoned(queue, app.state.database) == 0
        assert statuses(connection) == [("doing", 0)]

    async def test_fails_after_many_deaths(self, queue, connection, app):
        begin(connection, silent_seconds=None, attempts=MOST_ATTEMPTS - 1)
        assert await take_up_abandoned(queue, app.state.database) == 1
        assert [status for status, _ in statuses(connection)] == ["failed"]

    async def test_gives_way_to_the_same_that_waits(self, queue, connection, app):
        begin(connection, silent_seconds=None)
        connection.execute(
            "INSERT INTO procrastinate_jobs (queue_name, task_name, queueing_lock) "
            "VALUES ('default', 'archive.verify', 'archive.verify')"
        )
        assert await take_up_abandoned(queue, app.state.database) == 1
        assert [status for status, _ in statuses(connection)] == ["failed", "todo"]
        connection.execute("DELETE FROM procrastinate_jobs WHERE status = 'todo'")
        async with app.state.database.session() as session:
            assert not await is_under_way(session, "archive.verify")
