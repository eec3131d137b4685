"""What the worker hears: that there is a job, and nothing else that a login of the database may send."""

import asyncio

import psycopg
import pytest

from fleetkeeper.jobs.queue import build_queue, says_that_there_is_a_job


@pytest.mark.parametrize(
    ("payload", "is_heard"),
    [
        ('{"type": "job_inserted", "job_id": 7}', True),
        ("garbage", False),
        ("[" * 100_000, False),
        ("7", False),
        ('{"type": "abort_job_requested", "job_id": 7}', False),
        ('{"type": "job_inserted", "job_id": "7"}', False),
        ("{}", False),
    ],
)
def test_what_says_that_there_is_a_job(payload, is_heard):
    assert says_that_there_is_a_job(payload) is is_heard


async def test_garbage_on_its_channel_does_not_stop_it_from_listening(app_url, database_url):
    queue = build_queue(app_url)
    heard: asyncio.Queue[int] = asyncio.Queue()

    async def note(*, channel, notification):
        del channel
        heard.put_nowait(notification["job_id"])

    async with (
        queue.open_async(),
        await psycopg.AsyncConnection.connect(database_url, autocommit=True) as other,
    ):
        listening = asyncio.create_task(queue.job_manager.listen_for_jobs(on_notification=note))
        asked = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'LISTEN%' AND datname = current_database()"
        while (await (await other.execute(asked)).fetchone())[0] == 0:  # noqa: ASYNC110 - the database tells nobody
            await asyncio.sleep(0.02)
        for payload in (
            "garbage",
            '{"type": "abort_job_requested", "job_id": 1}',
            '{"type": "job_inserted", "job_id": 2}',
        ):
            await other.execute("SELECT pg_notify('procrastinate_any_queue_v1', %s)", (payload,))
        assert await asyncio.wait_for(heard.get(), 20) == 2
        assert not listening.done()
        listening.cancel()
