"""Engines and pools on one PostgreSQL, by one driver."""

import select
import warnings
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from contextvars import ContextVar
from typing import Any

import psycopg
from sqlalchemy import Connection, event, make_url
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import ArgumentError, InvalidatePoolError
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import Session, SessionTransaction

from fleetkeeper.database.claims import Claim
from fleetkeeper.database.context import NOBODY, ContextSource, TransactionContext
from fleetkeeper.database.embedded import EmbeddedServer
from fleetkeeper.errors import StartupError
from fleetkeeper.settings import Settings, get_settings

MINIMUM_SERVER_VERSION = 160_000
# Whoever holds a lock for longer holds up one request or job, and not all that come after it.
LOCK_TIMEOUT_SECONDS = 10


def database_url(settings: Settings) -> str:
    """The administrator's URL: the configured one, else the embedded server's. Raises StartupError."""
    if settings.database.url is None:
        return EmbeddedServer(settings.home).url()
    url = settings.database.url.get_secret_value()
    if url.partition("://")[0] not in {"postgres", "postgresql", "postgresql+psycopg"}:
        raise StartupError(
            "FLEETKEEPER_DATABASE__URL is wrong: it starts with postgresql://, as in postgresql://user:password@host/name."
        )
    url = "postgresql://" + url.split("://", 1)[1]
    sqlalchemy_url(url)
    return url


def sqlalchemy_url(url: str) -> str:
    """The same URL with the driver's name, as SQLAlchemy and Alembic want it."""
    rewritten = "postgresql+psycopg://" + url.split("://", 1)[1]
    try:
        make_url(rewritten)
    except (ArgumentError, ValueError):
        raise StartupError("FLEETKEEPER_DATABASE__URL is wrong: it cannot be read as a URL.") from None
    return rewritten


def check_reachable(url: str, *, timeout_seconds: int = 5) -> None:
    """Raise StartupError, in one sentence, when the server is away, refuses us or is too old."""
    try:
        with psycopg.connect(url, connect_timeout=timeout_seconds) as connection:
            version = connection.info.server_version
    except psycopg.Error as error:
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise StartupError(f"The database cannot be reached: {reason}") from None
    if version < MINIMUM_SERVER_VERSION:
        raise StartupError(f"PostgreSQL 16 or newer is needed; the server is version {version // 10_000}.")


# The sessions that are open in the present task, the outermost first.
_open: ContextVar[tuple[AsyncSession, ...]] = ContextVar("open_sessions", default=())


class ContextSession(Session):
    """A session that tells the database, as each transaction begins, what it may see and who acts."""


@event.listens_for(ContextSession, "after_begin")
def _begin(session: Session, transaction: SessionTransaction, connection: Connection) -> None:
    session.info["holds_connection"] = True
    source: ContextSource | None = session.info["context"]
    if source is None or transaction.nested:
        return
    context = source if isinstance(source, TransactionContext) else source()
    context.begin(connection, plans_once=session.info["plans_once"])
    claim: Claim | None = session.info.get("claim")
    if claim is not None:
        claim.make(connection)


@event.listens_for(ContextSession, "after_transaction_end")
def _end(session: Session, transaction: SessionTransaction) -> None:
    if transaction.parent is None:
        session.info["holds_connection"] = False


def warn_if_held(what: str) -> None:
    """Warn when the network is about to be waited for while a session of this task holds one of the few connections.

    Whoever is slow at the other end would take them from everybody. A warning fails every test that meets it.
    """
    if any(session.info.get("holds_connection") for session in _open.get()):
        warnings.warn(
            f"{what} is waited for while a database session is held.", ResourceWarning, stacklevel=3
        )


async def let_go(session: AsyncSession) -> None:
    """End the session's transaction as it is and give its connection back, before something else is waited for.

    What was done so far is kept. The session's next statement begins another transaction with the same context.
    """
    await session.commit()


def _check_alive(dbapi_connection: DBAPIConnection, *_: object) -> None:
    """Raise where the server has ended an idle connection: only then is there something to read from it.

    A question of the pool's own for each use of a connection would take as long as a small statement.
    """
    poll = select.poll()
    poll.register(dbapi_connection.driver_connection.pgconn.socket, select.POLLIN)
    if poll.poll(0):
        raise InvalidatePoolError("The server has ended the connection.")


class Database:
    """The engine and the session factory of one process."""

    def __init__(
        self,
        url: str,
        *,
        pool_size: int = 8,
        statement_timeout_seconds: int = 30,
        settings: Settings | None = None,
    ) -> None:
        self.url = url
        self._settings = settings
        self.engine: AsyncEngine = create_async_engine(
            sqlalchemy_url(url),
            pool_size=pool_size,
            max_overflow=0,
            pool_timeout=10,
            # The same few connections again: they know the statements.
            pool_use_lifo=True,
            connect_args={
                # Sessions begin their transactions themselves.
                "autocommit": True,
                "options": f"-c timezone=UTC -c statement_timeout={statement_timeout_seconds * 1000} "
                f"-c lock_timeout={LOCK_TIMEOUT_SECONDS * 1000}",
                "application_name": "fleetkeeper",
                # So that the end of a connection shows that nobody sent a word of.
                "keepalives_idle": 30,
                "keepalives_interval": 10,
                "keepalives_count": 3,
            },
        )
        event.listen(self.engine.sync_engine, "checkout", _check_alive)
        self._sessions = async_sessionmaker(
            self.engine, expire_on_commit=False, autoflush=False, sync_session_class=ContextSession
        )

    @asynccontextmanager
    async def session(
        self, context: ContextSource = NOBODY, *, plans_once: bool = False, claim: Claim | None = None
    ) -> AsyncIterator[AsyncSession]:
        """One transaction: committed when the block ends, rolled back when it raises.

        It sees the devices that `context` lets it see; without one, none. With `plans_once` statements that come again
        are planned once: for those that take no longer than their planning, and whose plan is the same for all values.
        A `claim` is made as the transaction begins.
        """
        info = {"context": context, "settings": self._settings, "plans_once": plans_once, "claim": claim}
        async with self._sessions(info=info) as session:
            outer = _open.get()
            _open.set((*outer, session))
            try:
                yield session
                await session.commit()
            finally:
                # What is not committed is rolled back as the session closes.
                _open.set(outer)

    @asynccontextmanager
    async def statements(self) -> AsyncIterator[AsyncSession]:
        """A session without a transaction, for statements that each stand alone. It sees no device."""
        async with self._sessions(info={"context": None, "settings": self._settings}) as session:
            yield session

    async def close(self) -> None:
        """Close all pooled connections."""
        await self.engine.dispose()


def settings_of(session: AsyncSession) -> Settings:
    """The settings of the process that a session belongs to."""
    own: Settings | None = session.info.get("settings")
    return own or get_settings()


async def driver_connection(session: AsyncSession) -> psycopg.AsyncConnection[Any]:
    """The driver's own connection of a session, in the session's transaction: good until the session lets go."""
    raw = await (await session.connection()).get_raw_connection()
    connection: psycopg.AsyncConnection[Any] = raw.driver_connection  # type: ignore[assignment]
    return connection
