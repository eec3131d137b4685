"""The database login of the application, which owns nothing, and the logins of readers."""

import re
import secrets
from pathlib import Path
from urllib.parse import quote, urlsplit, urlunsplit

import psycopg
from psycopg import sql

from fleetkeeper.database.context import TransactionContext
from fleetkeeper.database.embedded import EmbeddedServer
from fleetkeeper.database.engine import database_url
from fleetkeeper.errors import StartupError
from fleetkeeper.kit.secrets import write_secret_file
from fleetkeeper.settings import Settings

APPLICATION_ROLE = "fleetkeeper_app"
READER_ROLES = ("analyst", "dashboard_readonly", "data_collector")
PASSWORD_FILE = "app-database-password"  # noqa: S105 - the file's name
_LOGIN = re.compile(r"[a-z_][a-z0-9_]{0,62}")


def application_url(settings: Settings) -> str:
    """The URL that web and worker processes connect by. Raises StartupError where it cannot be known."""
    if settings.database.app_url is not None:
        url = settings.database.app_url.get_secret_value()
        if url.partition("://")[0] not in {"postgres", "postgresql", "postgresql+psycopg"}:
            raise StartupError("FLEETKEEPER_DATABASE__APP_URL is wrong: it starts with postgresql://.")
        return "postgresql://" + url.split("://", 1)[1]
    password_file = settings.home / PASSWORD_FILE
    if not password_file.exists():
        if settings.database.url is None:
            EmbeddedServer(settings.home).url()
        raise StartupError(
            f"{password_file} is missing: run `fleetkeeper db migrate` in this home, "
            "or set FLEETKEEPER_DATABASE__APP_URL."
        )
    return with_login(database_url(settings), APPLICATION_ROLE, password_file.read_text().strip())


def with_login(url: str, login: str, password: str) -> str:
    """The same database by another login."""
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    return urlunsplit(parts._replace(netloc=f"{quote(login)}:{quote(password)}@{host}"))


def ensure_application_login(admin_url: str, settings: Settings) -> None:
    """Let the application's role log in with the password in the home folder, made at the first call.

    Raises StartupError when another installation of the cluster has set a password already.
    """
    if settings.database.app_url is not None:
        return
    file = settings.home / PASSWORD_FILE
    with psycopg.connect(admin_url) as connection:
        connection.execute("SELECT pg_advisory_xact_lock(hashtext('fleetkeeper.logins'))")
        if file.exists():
            if _can_connect(with_login(admin_url, APPLICATION_ROLE, file.read_text().strip())):
                return
        elif settings.database.url is not None and _can_log_in(connection):
            raise StartupError(
                f"The role {APPLICATION_ROLE} of this PostgreSQL has a password that this home does not know. Set "
                "FLEETKEEPER_DATABASE__APP_URL, or let a new one be made after "
                f"`ALTER ROLE {APPLICATION_ROLE} NOLOGIN`."
            )
        password = file.read_text().strip() if file.exists() else make_password(file)
        connection.execute(
            sql.SQL("ALTER ROLE {} LOGIN PASSWORD {}").format(
                sql.Identifier(APPLICATION_ROLE), _verifier(connection, APPLICATION_ROLE, password)
            )
        )


def make_password(file: Path) -> str:
    """A new random password, kept in a file that only its owner can read."""
    password = secrets.token_urlsafe(32)
    write_secret_file(file, password)
    return password


def _verifier(connection: psycopg.Connection, login: str, password: str) -> sql.Literal:
    """What the server stores of a password, so that the password itself stands in no statement and no log."""
    made = connection.pgconn.encrypt_password(password.encode(), login.encode(), b"scram-sha-256")
    return sql.Literal(made.decode())


def _can_log_in(connection: psycopg.Connection) -> bool:
    row = connection.execute(
        "SELECT rolcanlogin FROM pg_roles WHERE rolname = %s", (APPLICATION_ROLE,)
    ).fetchone()
    return bool(row and row[0])


def _can_connect(url: str) -> bool:
    try:
        with psycopg.connect(url, connect_timeout=5):
            return True
    except psycopg.OperationalError:
        return False


def grant_reader(
    admin_url: str, login: str, role: str, department_id: str | None, context: TransactionContext
) -> str:
    """Make a login that reads with one of document 002's roles, of one department or of all; returns its password.

    An existing reader gets a new password and the new limits. Raises StartupError.
    """
    if role not in READER_ROLES or not _LOGIN.fullmatch(login) or login.startswith(("pg_", "fleetkeeper")):
        raise StartupError(
            "A reader's name has small letters, digits and _, and is none of the product's own."
        )
    password = secrets.token_urlsafe(24)
    with psycopg.connect(admin_url) as connection:
        _tell_who(connection, context)
        known = connection.execute("SELECT 1 FROM database_readers WHERE login = %s", (login,)).fetchone()
        exists = connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", (login,)).fetchone()
        if exists and not known:
            raise StartupError(f"The database has a role {login} that is no reader; choose another name.")
        name = sql.Identifier(login)
        statements = [] if exists else [sql.SQL("CREATE ROLE {}").format(name)]
        statements.append(
            sql.SQL(
                "ALTER ROLE {} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE INHERIT NOBYPASSRLS CONNECTION LIMIT 20 "
                "PASSWORD {}"
            ).format(name, _verifier(connection, login, password))
        )
        statements += [
            sql.SQL("REVOKE {} FROM {}").format(sql.Identifier(other), name)
            for other in READER_ROLES
            if other != role and known
        ]
        statements.append(sql.SQL("GRANT {} TO {}").format(sql.Identifier(role), name))
        for statement in statements:
            connection.execute(statement)
        connection.execute(
            "INSERT INTO database_readers (login, database_role, sees_all, department_id) VALUES (%s, %s, %s, %s) "
            "ON CONFLICT (login) DO UPDATE SET database_role = excluded.database_role, "
            "sees_all = excluded.sees_all, department_id = excluded.department_id",
            (login, role, department_id is None, department_id),
        )
    return password


def revoke_reader(admin_url: str, login: str, context: TransactionContext) -> None:
    """Remove a reader's login and end its connections. Raises StartupError for one that is none."""
    with psycopg.connect(admin_url) as connection:
        _tell_who(connection, context)
        known = connection.execute(
            "DELETE FROM database_readers WHERE login = %s RETURNING 1", (login,)
        ).fetchone()
        if known is None:
            raise StartupError(f"There is no reader {login}.")
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = %s", (login,)
        )
        connection.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(login)))


def _tell_who(connection: psycopg.Connection, context: TransactionContext) -> None:
    connection.execute("SELECT set_config('fleetkeeper.audit', %s, true)", (context.audit,))
