"""An own PostgreSQL whose owner is no superuser, alone on its server and beside another installation."""

import itertools
import re
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg import errors
from pydantic import SecretStr

from fleetkeeper.cli.home import ensure_administrator
from fleetkeeper.database.context import product_context
from fleetkeeper.database.embedded import EmbeddedServer
from fleetkeeper.database.engine import Database
from fleetkeeper.database.logins import (
    APPLICATION,
    AUDIT_KEEPER,
    application_url,
    audit_keeper_url,
    check_logins,
    check_url,
    ensure_logins,
    with_login,
)
from fleetkeeper.database.migrate import current_revision, migrate, newest_revision, rollback
from fleetkeeper.database.readers import grant_reader, revoke_reader
from fleetkeeper.database.roles import ALL_ROLES
from fleetkeeper.errors import StartupError
from fleetkeeper.settings import Settings
from fleetkeeper.settings.database import DatabaseSettings
from tests.fixtures.database import application_login, keeper_login

BY_COMMAND = product_context("command", "test")
_numbers = itertools.count(1)


def statements_in(error: pytest.ExceptionInfo[StartupError]) -> str:
    """What the message says that a superuser must run."""
    found = re.search(r"A superuser must run: (.+;)$", str(error.value))
    assert found, str(error.value)
    assert "\n" not in str(error.value)
    return found[1]


class OwnServer:
    """A PostgreSQL without any role of the product, and owners on it."""

    def __init__(self, server: EmbeddedServer, tmp_path: Path) -> None:
        self.server = server
        self._tmp_path = tmp_path

    def run(self, statement: str, database: str = "postgres") -> None:
        """As a superuser."""
        with psycopg.connect(self.server.url(database), autocommit=True) as connection:
            connection.execute(statement)

    def grant(self, url: str, login: str, role: str) -> str:
        """Make a reader, once a superuser has run what the first try says; returns its password."""
        with pytest.raises(StartupError, match="readers could hold locks") as error:
            grant_reader(url, login, role, None, BY_COMMAND)
        self.run(statements_in(error), url.partition("?")[0].rpartition("/")[2])
        return grant_reader(url, login, role, None, BY_COMMAND)

    def owner(self, rights: str) -> str:
        """The URL of a database of a new owner."""
        name = f"owner_{next(_numbers)}"
        self.run(f"CREATE ROLE {name} LOGIN PASSWORD 'secret' NOSUPERUSER NOCREATEDB NOBYPASSRLS {rights}")
        self.run(f"CREATE DATABASE {name} OWNER {name}")
        return f"postgresql://{name}:secret@/{name}?host={self.server.socket_folder}"

    def settings(self, url: str) -> Settings:
        home = self._tmp_path / f"home-{next(_numbers)}"
        home.mkdir(mode=0o700)
        return Settings(home=home, database=DatabaseSettings(url=url))

    def forget_roles(self) -> None:
        with psycopg.connect(self.server.url("postgres"), autocommit=True) as connection:
            owners = connection.execute(
                "SELECT rolname FROM pg_roles WHERE rolname ~ '^(owner|reader|other)_'"
            ).fetchall()
            for (name,) in owners:
                connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
            present = connection.execute(
                "SELECT rolname FROM pg_roles WHERE rolname = ANY(%s)", (list(ALL_ROLES),)
            ).fetchall()
            for (name,) in (*present, *owners):
                connection.execute(f"DROP OWNED BY {name} CASCADE")
            for (name,) in (*present, *owners):
                connection.execute(f"DROP ROLE {name}")


@pytest.fixture(scope="module")
def bare_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedServer]:
    """A second PostgreSQL: roles belong to a whole server, and the shared one has them."""
    server = EmbeddedServer(tmp_path_factory.mktemp("bare"), memory_megabytes=128)
    server.start()
    yield server
    server.stop()


@pytest.fixture
def own(bare_server: EmbeddedServer, tmp_path: Path) -> Iterator[OwnServer]:
    own = OwnServer(bare_server, tmp_path)
    yield own
    own.forget_roles()


async def set_up(url: str, settings: Settings) -> str:
    """What `fleetkeeper up` does with a database; returns the application's URL."""
    migrate(url)
    ensure_logins(url, settings)
    check_logins(settings)
    application = application_url(settings)
    database = Database(application, pool_size=1)
    try:
        await ensure_administrator(database, settings)
    finally:
        await database.close()
    return application


class TestAloneOnItsServer:
    async def test_an_owner_who_may_make_roles_needs_no_more(self, own):
        url = own.owner("CREATEROLE")
        settings = own.settings(url)
        application = await set_up(url, settings)
        assert current_revision(url) == newest_revision()
        for login in (APPLICATION, AUDIT_KEEPER):
            assert (settings.home / login.password_file).stat().st_mode & 0o777 == 0o600
        with psycopg.connect(application) as connection:
            connection.execute("SET ROLE fleetkeeper_whole_fleet")
            connection.execute("RESET ROLE")
            row = connection.execute(
                "SELECT bool_or(rolsuper OR rolbypassrls OR rolcreaterole OR rolcreatedb) FROM pg_roles "
                "WHERE rolname = ANY(%s)",
                (list(ALL_ROLES),),
            ).fetchone()
            assert row == (False,)
            with pytest.raises(errors.InsufficientPrivilege):
                connection.execute("ALTER ROLE fleetkeeper_app BYPASSRLS")
        rollback(url, "base")
        migrate(url)

    async def test_readers_come_and_go(self, own):
        """Granting, changing and revoking without a superuser, with a reader's connection open and things it made."""
        url = own.owner("CREATEROLE")
        await set_up(url, own.settings(url))
        password = own.grant(url, "reader_one", "analyst")
        with psycopg.connect(with_login(url, "reader_one", password), autocommit=True) as reading:
            assert reading.execute("SELECT count(*) FROM users").fetchone() == (1,)
            # As readers could before it was taken from them.
            own.run("GRANT EXECUTE ON FUNCTION lo_create(oid) TO reader_one", reading.info.dbname)
            reading.execute("SELECT lo_create(0)")
            own.run("REVOKE EXECUTE ON FUNCTION lo_create(oid) FROM reader_one", reading.info.dbname)
            grant_reader(url, "reader_one", "data_collector", None, BY_COMMAND)
            with pytest.raises(errors.InsufficientPrivilege):
                reading.execute("SELECT count(*) FROM devices")
            revoke_reader(url, "reader_one", BY_COMMAND)
            with pytest.raises(psycopg.OperationalError):
                reading.execute("SELECT 1")
        with psycopg.connect(url) as connection:
            assert connection.execute("SELECT count(*) FROM database_readers").fetchone() == (0,)
            assert connection.execute("SELECT to_regrole('reader_one')").fetchone() == (None,)

    @pytest.mark.parametrize("is_first", [True, False])
    async def test_an_owner_who_may_not_is_told_what_to_run(self, own, is_first):
        url = own.owner("NOCREATEROLE")
        if not is_first:
            # One role of five is there already, of somebody else.
            own.run("CREATE ROLE analyst NOLOGIN")
        with pytest.raises(StartupError) as error:
            migrate(url)
        assert current_revision(url) is None
        own.run(statements_in(error))
        await set_up(url, own.settings(url))

    @pytest.mark.parametrize("right", ["SUPERUSER", "BYPASSRLS", "CREATEROLE"])
    def test_a_role_that_may_too_much_is_not_used(self, own, right):
        url = own.owner("CREATEROLE")
        own.run(f"CREATE ROLE fleetkeeper_app NOLOGIN {right}")
        with pytest.raises(StartupError, match="fleetkeeper_app") as error:
            migrate(url)
        own.run(statements_in(error))
        own.run("GRANT fleetkeeper_app TO CURRENT_USER")
        migrate(url)

    def test_an_application_that_always_sees_all_is_not_used(self, own):
        url = own.owner("CREATEROLE")
        own.run("CREATE ROLE fleetkeeper_app; CREATE ROLE fleetkeeper_whole_fleet")
        own.run("GRANT fleetkeeper_whole_fleet TO fleetkeeper_app")
        with pytest.raises(StartupError, match="at all times") as error:
            migrate(url)
        own.run(statements_in(error))
        migrate(url)


class TestAuditKeeper:
    """Who keeps the audit log is nobody else, whoever owns the database."""

    @pytest.mark.parametrize("role", ["fleetkeeper_app", "fleetkeeper_whole_fleet", "analyst"])
    def test_a_role_that_may_keep_the_log_too_is_not_used(self, own, role):
        url = own.owner("CREATEROLE")
        for name in ("fleetkeeper_app", "fleetkeeper_whole_fleet", "fleetkeeper_audit_keeper", "analyst"):
            own.run(f"CREATE ROLE {name}")
        own.run("GRANT fleetkeeper_whole_fleet TO fleetkeeper_app WITH INHERIT FALSE, SET TRUE")
        own.run(f"GRANT fleetkeeper_audit_keeper TO {role}")
        with pytest.raises(StartupError, match="may keep the audit log") as error:
            migrate(url)
        own.run(statements_in(error))
        migrate(url)

    async def test_an_installation_from_before_gets_the_role_and_its_password(self, own):
        url = own.owner("CREATEROLE")
        settings = own.settings(url)
        migrate(url, "0025")
        ensure_logins(url, settings)
        assert (settings.home / APPLICATION.password_file).exists()
        assert not (settings.home / AUDIT_KEEPER.password_file).exists()
        with pytest.raises(StartupError, match="fleetkeeper db migrate"):
            audit_keeper_url(settings)
        await set_up(url, settings)
        with psycopg.connect(audit_keeper_url(settings)) as connection:
            connection.execute("SELECT lock_audit_seals()")

    def test_an_owner_who_cannot_make_it_is_told_what_to_run(self, own):
        url = own.owner("CREATEROLE")
        migrate(url, "0025")
        name = url.partition("://")[2].partition(":")[0]
        own.run(f"ALTER ROLE {name} NOCREATEROLE")
        with pytest.raises(StartupError) as error:
            migrate(url)
        assert current_revision(url) == "0025"
        own.run(statements_in(error))
        migrate(url)

    def test_a_lost_password_is_made_again(self, own):
        url = own.owner("CREATEROLE")
        settings = own.settings(url)
        migrate(url)
        ensure_logins(url, settings)
        (settings.home / AUDIT_KEEPER.password_file).write_text("another\n")
        ensure_logins(url, settings)
        check_logins(settings)

    def test_a_login_of_both_is_refused(self, own):
        url = own.owner("CREATEROLE")
        settings = own.settings(url)
        migrate(url)
        ensure_logins(url, settings)
        for role, login in (("fleetkeeper_audit_keeper", APPLICATION), ("fleetkeeper_app", AUDIT_KEEPER)):
            own.run(f"CREATE ROLE other_{login.setting} LOGIN PASSWORD 'secret'")
            own.run(f"GRANT {role}, {login.role} TO other_{login.setting}")
            with pytest.raises(StartupError, match=login.variable):
                check_url(with_login(url, f"other_{login.setting}", "secret"), login)


class TestBesideAnother:
    """The roles are there, made by the owner of another database."""

    @pytest.fixture
    async def first(self, own) -> str:
        url = own.owner("CREATEROLE")
        await set_up(url, own.settings(url))
        return url

    @pytest.mark.parametrize("rights", ["NOCREATEROLE", "CREATEROLE"])
    async def test_with_the_login_that_is_there(self, own, first, rights):
        """An owner who may do nothing but own, and who is told both logins."""
        for role in ("fleetkeeper_app", "fleetkeeper_audit_keeper"):
            own.run(f"ALTER ROLE {role} PASSWORD 'the password of the application'")
        url = own.owner(rights)
        settings = own.settings(url)
        settings.database.app_url = SecretStr(application_login(url))
        with pytest.raises(StartupError, match="FLEETKEEPER_DATABASE__AUDIT_URL"):
            await set_up(url, settings)
        settings.database.audit_url = SecretStr(keeper_login(url))
        await set_up(url, settings)
        rollback(url, "base")
        assert current_revision(first) == newest_revision()

    def test_its_password_is_not_replaced(self, own, first):
        url = own.owner("CREATEROLE")
        migrate(url)
        with pytest.raises(StartupError, match="FLEETKEEPER_DATABASE__APP_URL"):
            ensure_logins(url, own.settings(url))

    @pytest.mark.parametrize("rights", ["NOCREATEROLE", "CREATEROLE"])
    def test_logins_that_somebody_else_made(self, own, first, rights):
        url = own.owner(rights)
        migrate(url)
        settings = own.settings(url)
        for login in (APPLICATION, AUDIT_KEEPER):
            own.run(f"ALTER ROLE {login.role} NOLOGIN")
            with pytest.raises(StartupError) as error:
                ensure_logins(url, settings)
            assert not (settings.home / login.password_file).exists()
            own.run(statements_in(error))
            if login is APPLICATION:
                with pytest.raises(StartupError, match=AUDIT_KEEPER.variable):
                    ensure_logins(url, settings)
        ensure_logins(url, settings)
        check_logins(settings)

    @pytest.mark.parametrize("rights", ["NOCREATEROLE", "CREATEROLE"])
    def test_readers_of_a_role_that_somebody_else_made(self, own, first, rights):
        url = own.owner(rights)
        migrate(url)
        with pytest.raises(StartupError) as error:
            grant_reader(url, "reader_two", "analyst", None, BY_COMMAND)
        own.run(statements_in(error))
        own.grant(url, "reader_two", "analyst")
        revoke_reader(url, "reader_two", BY_COMMAND)

    def test_a_reader_of_the_other_sees_no_people_and_no_devices(self, own, first):
        url = own.owner("CREATEROLE")
        migrate(url)
        with psycopg.connect(url) as connection:
            connection.execute("INSERT INTO users (id, username) VALUES (gen_random_uuid(), 'maria')")
            connection.execute("INSERT INTO departments (id, name) VALUES (gen_random_uuid(), 'North')")
            connection.execute(
                "INSERT INTO devices (id, name, hostname) VALUES (gen_random_uuid(), 'a', 'a')"
            )
        password = own.grant(first, "reader_three", "dashboard_readonly")
        with psycopg.connect(with_login(url, "reader_three", password)) as reading:
            for table in ("users", "departments", "devices", "systems"):
                name = "username" if table == "users" else "1"
                assert reading.execute(f"SELECT {name} FROM {table}").fetchall() == [], table

    def test_a_reader_with_rights_elsewhere_is_shut_out_and_named(self, own, first):
        own.grant(first, "reader_four", "analyst")
        url = own.owner("NOCREATEROLE")
        with psycopg.connect(url) as connection:
            connection.execute("CREATE TABLE mine (id int); GRANT SELECT ON mine TO reader_four")
        with pytest.raises(StartupError, match="other databases"):
            revoke_reader(first, "reader_four", BY_COMMAND)
        with psycopg.connect(first) as connection:
            can = connection.execute(
                "SELECT rolcanlogin FROM pg_roles WHERE rolname = 'reader_four'"
            ).fetchone()
            assert can == (False,)


class TestApplication:
    def test_a_login_that_row_security_does_not_hold_is_refused(self, database_url, app_url):
        check_url(app_url, APPLICATION)
        with pytest.raises(StartupError, match="FLEETKEEPER_DATABASE__APP_URL"):
            check_url(database_url, APPLICATION)

    async def test_neither_is_the_owner(self, own):
        url = own.owner("CREATEROLE")
        migrate(url)
        with pytest.raises(StartupError, match="owns the tables"):
            check_url(url, APPLICATION)
