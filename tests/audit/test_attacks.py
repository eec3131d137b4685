"""Each role that an attacker may have got hold of: what it is refused, and how the rest is noticed.

The roles are the application's, a reader's, the keeper's, and the owner of the tables who is a superuser here.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import psycopg
import pytest
from psycopg import errors
from structlog.testing import capture_logs

import fleetkeeper.all_models  # noqa: F401 - as the worker and the commands have them
from fleetkeeper.audit import jobs, newest_seal
from fleetkeeper.audit.chain import SealingState, SealingStoppedError, sealing_state
from fleetkeeper.audit.seals import make_seal, merkle_root
from fleetkeeper.database.context import product_context
from fleetkeeper.database.logins import with_login
from fleetkeeper.database.readers import grant_reader
from tests.audit.test_archive import OLD, months_ago, rows_of
from tests.factories.audit import Log, add_device, add_events

CONTEXT = product_context("job", "test")
REFUSED = (errors.InsufficientPrivilege, errors.RaiseException)
# With columns that PostgreSQL is not asked to check for sense.
FORGE = (
    "INSERT INTO audit_seals (number, sealed_at, from_transaction, to_transaction, entries, leaves, merkle_root, "
    "previous_hash, seal_hash, signature) SELECT number + 1, now(), to_transaction, 4000000000000000000, 0, '', "
    "merkle_root, seal_hash, sha256('x'), sha256('y') FROM audit_seals ORDER BY number DESC LIMIT 1"
)
ARCHIVE = (
    "INSERT INTO audit_archives (id, month, file_name, entries, first_id, last_id, size_bytes, sha256, archived_at, "
    "signature) SELECT gen_random_uuid(), %s, 'x', count(*), min(id), max(id), 0, '', now(), '' FROM audit_log "
    'WHERE "timestamp" >= %s AND "timestamp" < %s::timestamptz + interval \'1 month\''
)


async def state_of(log: Log, later: timedelta = timedelta()) -> SealingState:
    async with log.database.session(CONTEXT) as session:
        return await sealing_state(session, log.settings, datetime.now(UTC) + later)


def events_of(log: Log) -> list[str]:
    rows = log.run("SELECT action FROM audit_log WHERE record_id = 'audit.sealing' ORDER BY id")
    return [action for (action,) in rows]


@contextmanager
def connected(url: str, role: str | None = None) -> Iterator[psycopg.Connection]:
    with psycopg.connect(url, autocommit=True) as connection:
        if role is not None:
            connection.execute(f"SET ROLE {role}")
        yield connection


@pytest.fixture
async def sealed(log: Log) -> Log:
    """Three seals."""
    log.reset()
    for _ in range(3):
        add_events(log.connection, 3)
        await log.seal()
    return log


class TestTheApplication:
    @pytest.mark.parametrize("role", ["fleetkeeper_app", "fleetkeeper_whole_fleet"])
    async def test_is_refused(self, sealed, app_url, role):
        statements = (
            FORGE,
            "UPDATE audit_seals SET entries = 0",
            "DELETE FROM audit_seals",
            "DO $$ BEGIN LOCK TABLE audit_epochs IN SHARE MODE; END $$",
            "SELECT lock_audit_seals()",
            f"SELECT drop_archived_audit_month('{months_ago(OLD)}')",
            "UPDATE audit_archives SET removed_at = now()",
            (
                'INSERT INTO audit_log (action, actor_kind, actor_name, resource_type, "timestamp") '
                "VALUES ('x', 'user', 'x', 'x', now() - interval '1 year')"
            ),
            'UPDATE audit_log SET "timestamp" = "timestamp" - interval \'1 year\'',
            "DELETE FROM audit_log",
            "TRUNCATE audit_log",
            "ALTER TABLE users DISABLE TRIGGER audit_update",
            "SET ROLE fleetkeeper_audit_keeper",
        )
        with connected(app_url, role) as connection:
            for statement in statements:
                with pytest.raises(errors.InsufficientPrivilege):
                    connection.execute(statement)
            with pytest.raises(errors.InsufficientPrivilege):
                connection.execute(ARCHIVE, [months_ago(OLD), months_ago(OLD), months_ago(OLD)])
        assert (await sealed.verify()).is_sound

    async def test_stopping_the_worker_is_noticed(self, sealed, app_url):
        """It may take the sealing's jobs away."""
        with connected(app_url, "fleetkeeper_whole_fleet") as connection:
            add_device(connection)
        assert (await state_of(sealed)).status == "current"
        state = await state_of(sealed, timedelta(minutes=6))
        assert (state.status, state.unsealed_entries) == ("behind", 1)
        assert "worker" in state.reason

    async def test_a_transaction_without_end_is_noticed(self, sealed, app_url):
        with psycopg.connect(app_url) as slow:
            slow.execute("SELECT pg_current_xact_id()")
            add_events(sealed.connection, 2)
            assert await sealed.seal() == []
            state = await state_of(sealed, timedelta(minutes=6))
            assert (state.status, state.unsealed_entries) == ("behind", 2)
            assert "transaction" in state.reason
        assert await sealed.seal() == [2]
        assert (await state_of(sealed, timedelta(minutes=6))).status == "current"


class TestAReader:
    async def test_is_refused(self, sealed, database_url, server):
        password = grant_reader(database_url, "audit_reader", "analyst", None, CONTEXT)
        try:
            with connected(with_login(database_url, "audit_reader", password)) as connection:
                for statement in (
                    FORGE,
                    "SELECT count(*) FROM audit_log",
                    "SELECT count(*) FROM audit_seals",
                    "SELECT record_audit_event('x', 'x', NULL, NULL, NULL, NULL)",
                    "DO $$ BEGIN LOCK TABLE audit_epochs IN ACCESS SHARE MODE; END $$",
                    "SELECT lock_audit_seals()",
                    f"SELECT drop_archived_audit_month('{months_ago(OLD)}')",
                    "SET ROLE fleetkeeper_audit_keeper",
                ):
                    with pytest.raises(errors.InsufficientPrivilege):
                        connection.execute(statement)
        finally:
            sealed.run("DROP OWNED BY audit_reader")
            sealed.run("DROP ROLE audit_reader")


class TestTheKeeper:
    async def test_is_refused(self, sealed, keeper_url):
        with connected(keeper_url) as connection:
            for statement in (
                "UPDATE audit_log SET action = 'x'",
                "DELETE FROM audit_log",
                "TRUNCATE audit_log",
                "INSERT INTO audit_log (action, actor_kind, actor_name, resource_type) VALUES ('x', 'user', 'x', 'x')",
                "UPDATE audit_seals SET entries = 0",
                "DELETE FROM audit_seals",
                "UPDATE audit_archives SET entries = 0",
                "DELETE FROM audit_archives",
                "INSERT INTO audit_epochs VALUES (9, 9, 9)",
                "ALTER TABLE users DISABLE TRIGGER audit_update",
                "SELECT count(*) FROM devices",
                "SELECT count(*) FROM users",
                "UPDATE config SET value = '{}'",
                "SET ROLE fleetkeeper_app",
                "SET ROLE fleetkeeper_whole_fleet",
            ):
                with pytest.raises(errors.InsufficientPrivilege):
                    connection.execute(statement)

    async def test_one_forged_seal_stops_sealing_loudly(self, sealed, keeper_url):
        with connected(keeper_url) as connection:
            connection.execute(FORGE)
        add_events(sealed.connection, 5)
        for _ in range(2):
            with capture_logs() as lines:
                await jobs.seal_each_minute(sealed.keeper, sealed.settings)
            assert [(line["log_level"], "Seal 4" in line["reason"]) for line in lines] == [("error", True)]
        assert events_of(sealed) == ["audit.sealing_stopped"]
        state = await state_of(sealed)
        assert (state.status, state.newest.number) == ("stopped", 3)
        # Those five, and that sealing stopped.
        assert state.unsealed_entries == 6
        report = await sealed.verify()
        assert ("seal_changed", 4) in {(one.kind, one.seal) for one in report.findings}
        sealed.run("DELETE FROM audit_seals WHERE number = 4")
        assert sum(await sealed.seal()) == 7
        assert events_of(sealed) == ["audit.sealing_stopped", "audit.sealing_resumed"]
        assert (await state_of(sealed)).status == "current"
        assert (await sealed.verify()).is_sound

    @pytest.mark.parametrize("forged", [1, 150])
    async def test_seals_made_with_another_key(self, sealed, keeper_url, forged):
        """Whole in themselves, one after another, and still not genuine."""
        async with sealed.keeper.session() as session:
            previous = await jobs.queries.newest_seal(session)
            for number in range(forged):
                previous = make_seal(
                    b"k" * 32, previous, b"", previous.to_transaction + number, datetime.now(UTC)
                )
                jobs.queries.store_seal(session, previous)
        state = await state_of(sealed)
        assert (state.status, state.newest.number) == ("stopped", 3)
        with pytest.raises(SealingStoppedError):
            await sealed.seal()

    async def test_a_month_that_is_in_no_seal_does_not_go(self, sealed, keeper_url):
        sealed.add_to(months_ago(OLD), 4)
        with connected(keeper_url) as connection:
            connection.execute(ARCHIVE, [months_ago(OLD), months_ago(OLD), months_ago(OLD)])
            with pytest.raises(errors.RaiseException, match="in no seal"):
                connection.execute("SELECT drop_archived_audit_month(%s)", [months_ago(OLD)])
        assert len(rows_of(sealed, months_ago(OLD))) == 4

    @pytest.mark.parametrize(
        "change", ["entries = entries - 1", "first_id = first_id - 1", "last_id = last_id + 1"]
    )
    async def test_a_record_that_does_not_fit_drops_nothing(self, sealed, keeper_url, change):
        sealed.add_to(months_ago(OLD), 4)
        await sealed.seal()
        sealed.run(ARCHIVE, months_ago(OLD), months_ago(OLD), months_ago(OLD))
        sealed.run(f"UPDATE audit_archives SET {change}")
        with connected(keeper_url) as connection, pytest.raises(errors.RaiseException, match="entries"):
            connection.execute("SELECT drop_archived_audit_month(%s)", [months_ago(OLD)])

    async def test_a_month_dropped_without_a_file_is_noticed(self, sealed, keeper_url):
        sealed.add_to(months_ago(OLD), 4)
        await sealed.seal()
        with connected(keeper_url) as connection:
            connection.execute(ARCHIVE, [months_ago(OLD), months_ago(OLD), months_ago(OLD)])
            connection.execute("SELECT drop_archived_audit_month(%s)", [months_ago(OLD)])
        assert rows_of(sealed, months_ago(OLD)) == []
        report = await sealed.verify()
        assert {one.kind for one in report.findings} == {"archive_changed", "archive_missing"}
        assert sealed.run("SELECT actor_name FROM audit_log WHERE action = 'audit_archives.insert'") == [
            ("fleetkeeper_audit_keeper",)
        ]

    async def test_a_month_is_not_archived_by_forged_seals(self, sealed, keeper_url):
        sealed.add_to(months_ago(OLD), 4)
        await sealed.seal()
        sealed.run("UPDATE audit_seals SET signature = sha256('x') WHERE number = 4")
        assert await sealed.archive() == []
        assert len(rows_of(sealed, months_ago(OLD))) == 4


class TestTheOwner:
    """May do everything in the database, and has not the key that is beside it."""

    async def test_seals_cut_off_at_the_end_are_missed_at_once(self, sealed):
        sealed.run("DELETE FROM audit_seals WHERE number >= 2")
        state = await state_of(sealed)
        assert (state.status, state.newest.number) == ("stopped", 1)
        assert "Seal 3" in state.reason
        with pytest.raises(SealingStoppedError, match="Seal 3"):
            await sealed.seal()
        assert [(one.kind, one.seal) for one in (await sealed.verify()).findings] == [("seal_missing", 3)]

    @pytest.mark.parametrize("table", ["audit_seals", "audit_log"])
    async def test_emptying_a_table_is_noticed(self, sealed, table):
        sealed.run(f"TRUNCATE {table}")
        assert not (await sealed.verify()).is_sound

    async def test_a_removed_seal_before_the_newest(self, sealed):
        sealed.run("DELETE FROM audit_seals WHERE number = 2")
        assert (await state_of(sealed)).status == "stopped"
        with pytest.raises(SealingStoppedError, match="before seal 3"):
            await sealed.seal()

    async def test_sealing_anew_without_the_key(self, sealed):
        """A backdated entry, and all hashes worked out to fit."""
        sealed.run('UPDATE audit_log SET "timestamp" = "timestamp" - interval \'1 hour\'')
        async with sealed.keeper.session() as session:
            await jobs.queries.lock_sealing(session)
            seals = await jobs.queries.newest_seals(session, 3)
        sealed.run("DELETE FROM audit_seals")
        previous = None
        async with sealed.keeper.session() as session:
            for seal in reversed(seals):
                previous = make_seal(b"k" * 32, previous, b"", seal.to_transaction, datetime.now(UTC))
                jobs.queries.store_seal(session, previous)
        assert previous.merkle_root == merkle_root(b"")
        assert (await state_of(sealed)).status == "stopped"
        kinds = {one.kind for one in (await sealed.verify()).findings}
        assert {"seal_forged", "seal_missing"} <= kinds

    async def test_what_is_done_with_triggers_off_leaves_no_entry(self, sealed):
        """The one act that the log cannot tell of: whoever owns the tables may take its triggers away."""
        add_device(sealed.connection)
        before = sealed.run("SELECT count(*) FROM audit_log")
        sealed.run("ALTER TABLE devices DISABLE TRIGGER audit_update")
        sealed.run("UPDATE devices SET location = 'Hall 9'")
        assert sealed.run("SELECT count(*) FROM audit_log") == before
        report = await sealed.verify()
        assert [(one.kind, one.resource) for one in report.findings] == [("triggers_off", "devices")]

    async def test_an_entry_that_is_older_than_its_seal(self, sealed):
        """Written behind the log's back, and with a transaction of before."""
        sealed.run(
            'INSERT INTO audit_log (transaction_id, "timestamp", action, actor_kind, actor_name, resource_type) '
            "SELECT transaction_id, \"timestamp\", 'x.y', 'user', 'nobody', 'x' FROM audit_log ORDER BY id LIMIT 1"
        )
        assert [one.kind for one in (await sealed.verify()).findings] == ["entry_added"]


class TestTheNote:
    async def test_it_follows_the_newest_seal(self, sealed):
        path = sealed.settings.home / newest_seal.FILE
        assert path.stat().st_mode & 0o777 == 0o600
        for _ in range(2):
            (digest,) = sealed.run("SELECT seal_hash FROM audit_seals ORDER BY number DESC LIMIT 1")[0]
            assert newest_seal.read_noted(sealed.settings.home).seal_hash == digest
            add_events(sealed.connection, 1)
            await sealed.seal()

    async def test_a_lagging_one_stops_nothing(self, sealed):
        """As after a crash between the seal and the note."""
        path = sealed.settings.home / newest_seal.FILE
        before = path.read_text()
        add_events(sealed.connection, 1)
        await sealed.seal()
        path.write_text(before)
        add_events(sealed.connection, 1)
        assert await sealed.seal() == [1]
        assert path.read_text() != before

    @pytest.mark.parametrize("content", ["", "x y", "3", "3 zz", "\x00"])
    async def test_one_that_cannot_be_read_stops_sealing(self, sealed, content):
        (sealed.settings.home / newest_seal.FILE).write_text(content)
        with pytest.raises(SealingStoppedError, match="cannot be read"):
            await sealed.seal()
        assert (await state_of(sealed)).status == "stopped"
        assert [one.kind for one in (await sealed.verify()).findings] == ["seal_missing"]

    async def test_after_a_restore(self, sealed):
        sealed.run("DELETE FROM audit_seals WHERE number = 3")
        sealed.run("DELETE FROM audit_log WHERE id > (SELECT min(id) + 5 FROM audit_log)")
        with pytest.raises(SealingStoppedError, match="--after-restore"):
            await sealed.seal()
        await jobs.go_on_after_restore(sealed.keeper, sealed.settings, CONTEXT)
        await sealed.seal()
        assert (await sealed.verify()).is_sound
        assert events_of(sealed) == ["audit.sealing_stopped", "audit.restored", "audit.sealing_resumed"]
