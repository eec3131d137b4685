"""Nobody takes from all others what they share: whoever asks much waits for themselves."""

import asyncio

import psycopg


async def test_slow_requests_of_one_leave_connections_to_others(app, admin, viewer, database_url):
    """Reading devices waits for a lock here; in life it is a question over much data."""
    async with await psycopg.AsyncConnection.connect(database_url) as other:
        await other.execute("LOCK TABLE devices IN ACCESS EXCLUSIVE MODE")
        asked = [asyncio.create_task(viewer.get("/api/v1/devices")) for _ in range(20)]
        await asyncio.wait_for(_held(other, 6), 30)
        # As many as there are connections, one after the other.
        for _ in range(8):
            answer = await asyncio.wait_for(admin.get("/api/v1/roles"), 5)
            assert answer.status_code == 200
        await other.rollback()
    assert [answer.status_code for answer in await asyncio.gather(*asked)] == [200] * 20


async def _held(connection: psycopg.AsyncConnection, number: int) -> None:
    """Wait until so many wait for the lock."""
    statement = "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'devices'::regclass"
    while (await (await connection.execute(statement)).fetchone())[0] < number:  # noqa: ASYNC110 - the database tells nobody
        await asyncio.sleep(0.05)
