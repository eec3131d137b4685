"""Sessions: how their transactions begin, and what becomes of connections that the server has ended."""

import asyncio

import psycopg
import pytest
from sqlalchemy import text

from fleetkeeper.database.context import NOBODY, TransactionContext
from fleetkeeper.database.engine import Database, let_go, warn_if_held
from tests.factories.telemetry import make_device


@pytest.fixture
async def database(app_url):
    database = Database(app_url, pool_size=3)
    yield database
    await database.close()


async def scalar(session, statement):
    return await session.scalar(text(statement))


class TestTransactions:
    async def test_what_raises_leaves_nothing_behind(self, database, connection):
        make_device(connection, "web1")
        whole = TransactionContext(whole_fleet=True)
        with pytest.raises(RuntimeError, match="on purpose"):
            async with database.session(whole) as session:
                await session.execute(text("UPDATE devices SET location = 'Attic'"))
                raise RuntimeError("on purpose")
        async with database.session(whole) as session:
            await session.execute(text("UPDATE devices SET domain = 'example.org'"))
        stored = connection.execute("SELECT location, domain FROM devices").fetchone()
        assert stored == (None, "example.org")

    @pytest.mark.parametrize(
        "said", ["it's", "back\\slash", "100 %s %(x)s", "'; DROP TABLE devices; --", "µ 🚚", "a:b"]
    )
    async def test_who_acts_is_told_word_for_word(self, database, said):
        async with database.session(TransactionContext(audit=said)) as session:
            assert await scalar(session, "SELECT current_setting('fleetkeeper.audit')") == said
        async with database.session(NOBODY) as session:
            assert not await scalar(session, "SELECT current_setting('fleetkeeper.audit', true)")

    async def test_each_statement_alone_has_no_transaction_and_sees_no_device(self, database, connection):
        make_device(connection, "web1")
        async with database.statements() as session:
            first, second = [await scalar(session, "SELECT now()::text") for _ in range(2)]
            assert first != second
            assert await scalar(session, "SELECT count(*) FROM devices") == 0

    async def test_plans_that_do_not_depend_on_values_are_for_those_who_ask(self, database):
        plans = "SELECT current_setting('plan_cache_mode')"
        async with database.session(plans_once=True) as session:
            assert await scalar(session, plans) == "force_generic_plan"
        async with database.session() as session:
            assert await scalar(session, plans) == "auto"


class TestHeldConnections:
    """Nobody waits for the network while their session holds one of the few connections."""

    async def test_a_session_that_has_begun_holds_one_until_it_lets_go(self, database, connection):
        make_device(connection, "web1")
        async with database.session(TransactionContext(whole_fleet=True)) as session:
            warn_if_held("a slow reader")
            await session.execute(text("UPDATE devices SET location = 'Attic'"))
            with pytest.raises(ResourceWarning, match="a slow reader is waited for"):
                warn_if_held("a slow reader")
            # Threads are told, too.
            with pytest.raises(ResourceWarning):
                await asyncio.to_thread(warn_if_held, "a store")
            await let_go(session)
            warn_if_held("a slow reader")
            assert database.engine.pool.checkedout() == 0
            assert await scalar(session, "SELECT location FROM devices") == "Attic"
            with pytest.raises(ResourceWarning):
                warn_if_held("a slow reader")
        warn_if_held("a slow reader")

    async def test_sessions_of_other_tasks_are_their_own(self, database):
        async with database.session() as session:
            await scalar(session, "SELECT 1")
            begun = asyncio.Event()

            async def other() -> None:
                async with database.session() as mine:
                    await scalar(mine, "SELECT 1")
                    begun.set()
                    await asyncio.Event().wait()

            task = asyncio.create_task(other())
            await begun.wait()
            await let_go(session)
            warn_if_held("a slow reader")
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


async def test_connections_that_the_server_has_ended_are_not_used_again(database, database_url):
    async with database.session() as first, database.session() as second:
        ended = [await scalar(session, "SELECT pg_backend_pid()") for session in (first, second)]
    with psycopg.connect(database_url, autocommit=True) as other:
        for backend in ended:
            assert other.execute("SELECT pg_terminate_backend(%s, 5000)", (backend,)).fetchone() == (True,)
    async with database.session() as first, database.statements() as second:
        backends = [await scalar(session, "SELECT pg_backend_pid()") for session in (first, second)]
    assert not set(ended).intersection(backends)
