"""What a reader's login cannot do to the product: hold its locks, stay for ever, fill its disk."""

from collections.abc import Iterator
from datetime import timedelta

import psycopg
import pytest
from psycopg import errors

from fleetkeeper.database.context import product_context
from fleetkeeper.database.engine import Database
from fleetkeeper.database.logins import with_login
from fleetkeeper.database.readers import end_long_readers, grant_reader, revoke_reader
from fleetkeeper.database.roles import READER_ROLES

BY_COMMAND = product_context("command", "test")


@pytest.fixture(params=READER_ROLES)
def reader(request: pytest.FixtureRequest, database_url: str) -> Iterator[psycopg.Connection]:
    """A connection of each kind of reader."""
    password = grant_reader(database_url, "limited_reader", request.param, None, BY_COMMAND)
    with psycopg.connect(with_login(database_url, "limited_reader", password), autocommit=True) as connection:
        yield connection
    revoke_reader(database_url, "limited_reader", BY_COMMAND)


class TestLocks:
    def test_no_lock_by_a_name_of_the_products(self, reader):
        names = reader.execute(
            "SELECT DISTINCT format('%I(%s)', proname, repeat('1, ', pronargs - 1) || '1') FROM pg_proc "
            "WHERE proname ~ 'advisory' AND pronargs > 0"
        ).fetchall()
        assert len(names) > 10
        for (call,) in names:
            with pytest.raises(errors.InsufficientPrivilege):
                reader.execute(f"SELECT {call}")

    def test_no_lock_on_a_table_but_that_of_reading(self, reader):
        tables = reader.execute(
            "SELECT relname FROM pg_class WHERE relkind IN ('r', 'p') AND relnamespace = 'public'::regnamespace"
        ).fetchall()
        with pytest.raises(errors.InsufficientPrivilege):
            reader.execute("SELECT 1 FROM devices FOR SHARE")
        for (table,) in tables:
            with pytest.raises(errors.InsufficientPrivilege), reader.transaction():
                reader.execute(f"LOCK TABLE {table} IN SHARE MODE")

    def test_the_application_holds_them_still(self, reader, app_url):
        with psycopg.connect(app_url, autocommit=True) as application:
            application.execute("SELECT pg_advisory_xact_lock(hashtext('fleetkeeper.administrators'))")
            application.execute("CREATE TEMPORARY TABLE incoming_of_a_writer (x int)")


class TestSpaceAndTime:
    def test_sorts_cannot_fill_it_either(self, reader):
        with pytest.raises(errors.InsufficientPrivilege):
            reader.execute("SET temp_file_limit = -1")
        assert reader.execute("SHOW temp_file_limit").fetchone() == ("1GB",)

    @pytest.mark.parametrize(
        "statement", ["CREATE TEMPORARY TABLE x (y int)", "SELECT lo_from_bytea(0, 'x')"]
    )
    def test_nothing_to_fill_a_disk_with(self, reader, statement):
        with pytest.raises(errors.InsufficientPrivilege):
            reader.execute(statement)

    def test_patience_has_an_end(self, reader):
        for name, value in (
            ("statement_timeout", "5min"),
            ("idle_in_transaction_session_timeout", "1min"),
            ("lock_timeout", "5s"),
        ):
            assert reader.execute(f"SHOW {name}").fetchone() == (value,)

    async def test_the_worker_ends_what_lasts_too_long(self, reader, app_url):
        reader.execute("SET idle_in_transaction_session_timeout = 0")
        reader.execute("BEGIN")
        reader.execute("SELECT 1")
        database = Database(app_url, pool_size=1)
        assert await end_long_readers(database, timedelta(minutes=15)) == 0
        assert await end_long_readers(database, timedelta(0)) == 1
        await database.close()
        with pytest.raises(psycopg.OperationalError):
            reader.execute("SELECT 1")
