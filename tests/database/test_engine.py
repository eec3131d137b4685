"""Sessions: how their transactions begin, and what becomes of connections that the server has ended."""

import psycopg
import pytest
from sqlalchemy import text

from fleetkeeper.database.context import NOBODY, TransactionContext
from fleetkeeper.database.engine import Database
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


async def test_connections_that_the_server_has_ended_are_not_used_again(database, database_url):
    async with database.session() as first, database.session() as second:
        ended = [await scalar(session, "SELECT pg_backend_pid()") for session in (first, second)]
    with psycopg.connect(database_url, autocommit=True) as other:
        for backend in ended:
            assert other.execute("SELECT pg_terminate_backend(%s, 5000)", (backend,)).fetchone() == (True,)
    async with database.session() as first, database.statements() as second:
        backends = [await scalar(session, "SELECT pg_backend_pid()") for session in (first, second)]
    assert not set(ended).intersection(backends)
