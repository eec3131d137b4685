"""Moves the schema to the newest version, back, or says where it stands."""

from collections.abc import Callable
from pathlib import Path

import psycopg
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection, MetaData, NullPool, create_engine
from sqlalchemy.exc import ProgrammingError

from fleetkeeper.database.engine import sqlalchemy_url
from fleetkeeper.database.roles import check_roles
from fleetkeeper.errors import StartupError


def _config(connection: Connection | None = None, metadata: MetaData | None = None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.set_main_option(
        "file_template", "%%(year)d-%%(month).2d-%%(day).2d-%%(hour).2d%%(minute).2d_%%(slug)s"
    )
    config.attributes.update({"connection": connection, "metadata": metadata})
    return config


def newest_revision() -> str:
    """The revision that this program's code expects."""
    return ScriptDirectory.from_config(_config()).get_current_head() or ""


def current_revision(url: str) -> str | None:
    """The revision that the database is at; None for an empty one.

    Raises StartupError for a login that may not know, as that of the application before its rights were given.
    """
    engine = create_engine(sqlalchemy_url(url), poolclass=NullPool)
    try:
        with engine.connect() as connection:
            return MigrationContext.configure(connection).get_current_revision()
    except ProgrammingError as error:
        if not isinstance(error.orig, psycopg.errors.InsufficientPrivilege):
            raise
        raise StartupError(
            "The database's schema is older than this program, or not for this login; run `fleetkeeper db migrate`."
        ) from None


def is_known(revision: str) -> bool:
    """Whether this program has that migration; a newer program's it has not."""
    try:
        return ScriptDirectory.from_config(_config()).get_revision(revision) is not None
    except CommandError:
        return False


def check_revision(url: str) -> None:
    """Raise StartupError, saying the cure, unless the schema is exactly the one that this program expects."""
    current = current_revision(url)
    if current == newest_revision():
        return
    if current is None or is_known(current):
        raise StartupError("The database's schema is older than this program; run `fleetkeeper db migrate`.")
    raise StartupError(
        f"The database's schema ({current}) is newer than this program; run the version that made it, or a newer one."
    )


def migrate(url: str, revision: str = "head") -> None:
    """Bring the schema up to `revision`.

    Raises StartupError when the database is ahead of this program, or lacks roles that its owner cannot make.
    """
    if pending_revisions(url):
        with psycopg.connect(url) as connection:
            check_roles(connection)
    _run(url, lambda config: command.upgrade(config, revision))


def rollback(url: str, revision: str = "-1") -> None:
    """Take the schema back to `revision`; by default one step. Raises StartupError as `migrate` does."""
    if current_revision(url) is None:
        raise StartupError("The schema is at the very beginning; there is nothing to roll back.")
    _run(url, lambda config: command.downgrade(config, revision))


def _run(url: str, action: Callable[[Config], None]) -> None:
    current = current_revision(url)
    if current is not None and not is_known(current):
        check_revision(url)
    engine = create_engine(sqlalchemy_url(url), poolclass=NullPool)
    with engine.connect() as connection:
        try:
            action(_config(connection))
        except CommandError as error:
            raise StartupError(f"The schema cannot be moved there: {error}.") from None


def pending_revisions(url: str) -> list[str]:
    """Revisions that `migrate` would apply, in order."""
    current = current_revision(url)
    script = ScriptDirectory.from_config(_config())
    steps = script.iterate_revisions("head", current) if current is None or is_known(current) else []
    return [step.revision for step in reversed(list(steps))]
