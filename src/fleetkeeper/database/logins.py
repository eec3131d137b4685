"""The database logins of the product, which own nothing: the application's, and that of the audit log's keeper."""

import secrets
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, urlsplit, urlunsplit

import psycopg
from psycopg import sql
from pydantic import SecretStr

from fleetkeeper.database.embedded import EmbeddedServer
from fleetkeeper.database.engine import database_url
from fleetkeeper.database.roles import (
    APPLICATION_ROLE,
    AUDIT_KEEPER_ROLE,
    check_login,
    check_may_administer,
)
from fleetkeeper.errors import StartupError
from fleetkeeper.kit.secrets import write_secret_file
from fleetkeeper.settings import Settings


@dataclass(frozen=True)
class Login:
    """A role that logs in, by the password in a file of the home folder or by a URL of its own."""

    role: str
    password_file: str
    setting: str

    @property
    def variable(self) -> str:
        """The environment variable of its URL."""
        return f"FLEETKEEPER_DATABASE__{self.setting.upper()}"

    def given_url(self, settings: Settings) -> str | None:
        """The URL that the settings have for it."""
        url: SecretStr | None = getattr(settings.database, self.setting)
        return None if url is None else url.get_secret_value()


APPLICATION = Login(APPLICATION_ROLE, "app-database-password", "app_url")
AUDIT_KEEPER = Login(AUDIT_KEEPER_ROLE, "audit-keeper-password", "audit_url")
LOGINS = (APPLICATION, AUDIT_KEEPER)


def application_url(settings: Settings) -> str:
    """The URL that web and worker processes connect by. Raises StartupError where it cannot be known."""
    return _url(settings, APPLICATION)


def audit_keeper_url(settings: Settings) -> str:
    """The URL by which the audit log is sealed and archived. Raises StartupError where it cannot be known."""
    return _url(settings, AUDIT_KEEPER)


def _url(settings: Settings, login: Login) -> str:
    url = login.given_url(settings)
    if url is not None:
        if url.partition("://")[0] not in {"postgres", "postgresql", "postgresql+psycopg"}:
            raise StartupError(f"{login.variable} is wrong: it starts with postgresql://.")
        return "postgresql://" + url.split("://", 1)[1]
    password_file = settings.home / login.password_file
    if not password_file.exists():
        if settings.database.url is None:
            EmbeddedServer(settings.home).url()
        raise StartupError(
            f"{password_file} is missing: run `fleetkeeper db migrate` in this home, or set {login.variable}."
        )
    return with_login(database_url(settings), login.role, password_file.read_text().strip())


def with_login(url: str, login: str, password: str) -> str:
    """The same database by another login."""
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    return urlunsplit(parts._replace(netloc=f"{quote(login)}:{quote(password)}@{host}"))


def ensure_logins(admin_url: str, settings: Settings) -> None:
    """Let the product's roles log in with the passwords in the home folder, made at the first call.

    For one that has a URL of its own that is somebody else's task. Raises StartupError when another installation on
    this server has set a password already, or when only a superuser could set one.
    """
    for login in LOGINS:
        if login.given_url(settings) is None:
            _ensure(login, admin_url, settings)


def _ensure(login: Login, admin_url: str, settings: Settings) -> None:
    file = settings.home / login.password_file
    with psycopg.connect(admin_url) as connection:
        connection.execute("SELECT pg_advisory_xact_lock(hashtext('fleetkeeper.logins'))")
        if file.exists() and _can_connect(with_login(admin_url, login.role, file.read_text().strip())):
            return
        can_log_in = _can_log_in(connection, login.role)
        if can_log_in is None:
            return
        if not file.exists() and settings.database.url is not None and can_log_in:
            raise StartupError(
                f"The role {login.role} of this PostgreSQL has a password that this home does not know. Set "
                f"{login.variable}, or let a new one be made after `ALTER ROLE {login.role} NOLOGIN`."
            )
        check_may_administer(connection, login.role)
        password = file.read_text().strip() if file.exists() else make_password(file)
        connection.execute(
            sql.SQL("ALTER ROLE {} LOGIN PASSWORD {}").format(
                sql.Identifier(login.role), verifier(connection, login.role, password)
            )
        )


def check_logins(settings: Settings) -> None:
    """Raise StartupError unless the logins that the product uses are held as their roles are."""
    for login in LOGINS:
        check_url(_url(settings, login), login)


def check_url(url: str, login: Login) -> None:
    """Raise StartupError unless who logs in by a URL is held as the login's role is."""
    with psycopg.connect(url) as connection:
        check_login(connection, login.role, login.variable)


def make_password(file: Path) -> str:
    """A new random password, kept in a file that only its owner can read."""
    password = secrets.token_urlsafe(32)
    write_secret_file(file, password)
    return password


def verifier(connection: psycopg.Connection, login: str, password: str) -> sql.Literal:
    """What the server stores of a password, so that the password itself stands in no statement and no log."""
    made = connection.pgconn.encrypt_password(password.encode(), login.encode(), b"scram-sha-256")
    return sql.Literal(made.decode())


def _can_log_in(connection: psycopg.Connection, role: str) -> bool | None:
    """Whether a role has a login; None for one that a schema of this age does not have yet."""
    row = connection.execute("SELECT rolcanlogin FROM pg_roles WHERE rolname = %s", (role,)).fetchone()
    return None if row is None else bool(row[0])


def _can_connect(url: str) -> bool:
    try:
        with psycopg.connect(url, connect_timeout=5):
            return True
    except psycopg.OperationalError:
        return False
