"""The database login of the application, which owns nothing."""

import secrets
from pathlib import Path
from urllib.parse import quote, urlsplit, urlunsplit

import psycopg
from psycopg import sql

from fleetkeeper.database.embedded import EmbeddedServer
from fleetkeeper.database.engine import database_url
from fleetkeeper.database.roles import (
    APPLICATION_ROLE,
    check_bypasses_nothing,
    check_may_administer,
)
from fleetkeeper.errors import StartupError
from fleetkeeper.kit.secrets import write_secret_file
from fleetkeeper.settings import Settings

PASSWORD_FILE = "app-database-password"  # noqa: S105 - the file's name


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

    With a URL of the application's own that is somebody else's task. Raises StartupError when another installation on
    this server has set a password already, or when only a superuser could set one.
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
        check_may_administer(connection, APPLICATION_ROLE)
        password = file.read_text().strip() if file.exists() else make_password(file)
        connection.execute(
            sql.SQL("ALTER ROLE {} LOGIN PASSWORD {}").format(
                sql.Identifier(APPLICATION_ROLE), verifier(connection, APPLICATION_ROLE, password)
            )
        )


def check_application_login(url: str) -> None:
    """Raise StartupError unless the login that web and worker processes use is held by row security."""
    with psycopg.connect(url) as connection:
        check_bypasses_nothing(connection)


def make_password(file: Path) -> str:
    """A new random password, kept in a file that only its owner can read."""
    password = secrets.token_urlsafe(32)
    write_secret_file(file, password)
    return password


def verifier(connection: psycopg.Connection, login: str, password: str) -> sql.Literal:
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
