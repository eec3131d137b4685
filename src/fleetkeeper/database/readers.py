"""Logins of readers: for Grafana, notebooks and collectors, each with one of three roles and a part of the fleet."""

import re
import secrets
from datetime import timedelta

import psycopg
import structlog
from psycopg import errors, sql
from sqlalchemy import text

from fleetkeeper.database.context import TransactionContext
from fleetkeeper.database.engine import Database
from fleetkeeper.database.logins import verifier
from fleetkeeper.database.roles import (
    APPLICATION_ROLE,
    FLEET_ROLE,
    READER_ROLES,
    check_may_administer,
    must_run,
    owner_of,
)
from fleetkeeper.errors import StartupError

log = structlog.get_logger(__name__)

_LOGIN = re.compile(r"[a-z_][a-z0-9_]{0,62}")
# Where a reader begins; who needs longer sets it for one transaction, which the worker ends in the end all the same.
_DEFAULTS = {
    "statement_timeout": "5min",
    "idle_in_transaction_session_timeout": "1min",
    "lock_timeout": "5s",
}
# For one connection of a reader.
TEMPORARY_FILES = "1GB"
# What nobody gets who could go around row security.
_MIGHTY = "rolsuper OR rolbypassrls OR rolcreaterole OR rolreplication"


def grant_reader(
    admin_url: str, login: str, role: str, department_id: str | None, context: TransactionContext
) -> str:
    """Make a login that reads with one of the three roles, of one department or of all; returns its password.

    An existing reader gets a new password and the new limits. Raises StartupError.
    """
    if role not in READER_ROLES:
        raise StartupError(f"There is no reader's role {role!r}; it is one of {', '.join(READER_ROLES)}.")
    if not _LOGIN.fullmatch(login) or login.startswith(("pg_", "fleetkeeper")) or login in READER_ROLES:
        raise StartupError(
            "A reader's name has small letters, digits and _, and is none of the product's own."
        )
    password = secrets.token_urlsafe(24)
    with psycopg.connect(admin_url) as connection:
        _tell_who(connection, context)
        known = connection.execute("SELECT 1 FROM database_readers WHERE login = %s", (login,)).fetchone()
        present = connection.execute(
            f"SELECT {_MIGHTY} FROM pg_roles WHERE rolname = %s",  # noqa: S608 - a constant of this module
            (login,),
        ).fetchone()
        if present is not None and (not known or present[0]):
            raise StartupError(f"The database has a role {login} that is no reader; choose another name.")
        check_may_administer(connection, role, *([login] if present else []))
        _limit_readers(connection)
        name = sql.Identifier(login)
        if present is None:
            connection.execute(sql.SQL("CREATE ROLE {}").format(name))
        connection.execute(
            sql.SQL("ALTER ROLE {} LOGIN INHERIT CONNECTION LIMIT 20 PASSWORD {}").format(
                name, verifier(connection, login, password)
            )
        )
        for parameter, value in _DEFAULTS.items():
            connection.execute(
                sql.SQL("ALTER ROLE {} SET {} = {}").format(
                    name, sql.Identifier(parameter), sql.Literal(value)
                )
            )
        if owner_of(connection).is_superuser:
            limit_temporary_files(connection, login)
        else:
            # The worker ends transactions of readers that are too old, by the owner's right.
            connection.execute(sql.SQL("GRANT {} TO CURRENT_USER WITH INHERIT TRUE").format(name))
        for other in READER_ROLES:
            if other != role:
                _take_away(connection, other, login)
        connection.execute(sql.SQL("GRANT {} TO {}").format(sql.Identifier(role), name))
        connection.execute(
            "INSERT INTO database_readers (login, database_role, sees_all, department_id) VALUES (%s, %s, %s, %s) "
            "ON CONFLICT (login) DO UPDATE SET database_role = excluded.database_role, "
            "sees_all = excluded.sees_all, department_id = excluded.department_id",
            (login, role, department_id is None, department_id),
        )
    return password


def limit_temporary_files(connection: psycopg.Connection, login: str) -> None:
    """See to it that a reader's sorts cannot fill the disk; only a superuser may set this, and lift it."""
    connection.execute(
        sql.SQL("ALTER ROLE {} SET temp_file_limit = {}").format(
            sql.Identifier(login), sql.Literal(TEMPORARY_FILES)
        )
    )


def _limit_readers(connection: psycopg.Connection) -> None:
    """See to it that no reader can hold the product's own locks or fill its disk. Raises StartupError."""
    # These belong to the database and not to its contents: a restored copy lacks them.
    database = sql.Identifier(connection.info.dbname)
    connection.execute(sql.SQL("REVOKE TEMPORARY ON DATABASE {} FROM PUBLIC").format(database))
    connection.execute(
        sql.SQL("GRANT TEMPORARY ON DATABASE {} TO {}, {}").format(
            database, sql.Identifier(APPLICATION_ROLE), sql.Identifier(FLEET_ROLE)
        )
    )
    row = connection.execute("SELECT are_readers_limited()").fetchone()
    if row and row[0]:
        return
    statements = [statement for (statement,) in connection.execute("SELECT * FROM limits_of_readers()")]
    if not owner_of(connection).is_superuser:
        raise must_run(
            f"In the database {connection.info.dbname} readers could hold locks that the product needs.",
            *statements,
        )
    for statement in statements:
        connection.execute(statement.encode())


def _take_away(connection: psycopg.Connection, role: str, login: str) -> None:
    grantors = connection.execute(
        "SELECT grantor::regrole::text FROM pg_auth_members WHERE roleid = to_regrole(%s) AND member = to_regrole(%s)",
        (role, login),
    ).fetchall()
    for (grantor,) in grantors:
        statement = f"REVOKE {role} FROM {login} GRANTED BY {grantor}"
        try:
            with connection.transaction():
                connection.execute(
                    sql.SQL("REVOKE {} FROM {} GRANTED BY {}").format(
                        sql.Identifier(role), sql.Identifier(login), sql.SQL(grantor)
                    )
                )
        except errors.InsufficientPrivilege:
            raise must_run(f"Another login made {login} a member of {role}.", statement) from None


async def end_long_readers(database: Database, longest: timedelta) -> int:
    """End transactions of readers that are older than `longest`; returns how many there were."""
    async with database.statements() as session:
        ended = await session.scalar(text("SELECT end_long_readers(:longest)"), {"longest": longest})
    if ended:
        log.warning("transactions of readers were ended", number=ended, minutes=longest.total_seconds() / 60)
    return ended or 0


def revoke_reader(admin_url: str, login: str, context: TransactionContext) -> None:
    """Remove a reader's login, end its connections and drop what it left. Raises StartupError for one that is none."""
    name = sql.Identifier(login)
    with psycopg.connect(admin_url, autocommit=True) as connection:
        known = connection.execute("SELECT 1 FROM database_readers WHERE login = %s", (login,)).fetchone()
        if known is None:
            raise StartupError(f"There is no reader {login!r}.")
        if connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", (login,)).fetchone():
            check_may_administer(connection, login)
            # Nobody comes in any more while those who are in are sent out.
            connection.execute(sql.SQL("ALTER ROLE {} NOLOGIN").format(name))
            if not owner_of(connection).is_superuser:
                connection.execute(sql.SQL("GRANT {} TO CURRENT_USER WITH INHERIT TRUE").format(name))
            connection.execute(
                "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE usename = %s", (login,)
            )
        with connection.transaction():
            _tell_who(connection, context)
            connection.execute("DELETE FROM database_readers WHERE login = %s", (login,))
            _drop(connection, login)


def _drop(connection: psycopg.Connection, login: str) -> None:
    """Drop the role with what every login may make in a database, such as large objects."""
    name = sql.Identifier(login)
    if connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", (login,)).fetchone() is None:
        return
    try:
        connection.execute(sql.SQL("DROP OWNED BY {}").format(name))
        connection.execute(sql.SQL("DROP ROLE {}").format(name))
    except errors.DependentObjectsStillExist as error:
        raise StartupError(
            f"{login} can no longer log in, but has rights or objects in other databases of this PostgreSQL: "
            f"{' '.join((error.diag.message_detail or '').split())}"
        ) from None


def _tell_who(connection: psycopg.Connection, context: TransactionContext) -> None:
    connection.execute("SELECT set_config('fleetkeeper.audit', %s, true)", (context.audit,))
