"""Runs an async command against the database of this home."""

import asyncio
import getpass
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from typing import TypeVar

from sqlalchemy.ext.asyncio import AsyncSession

import fleetkeeper.all_jobs
import fleetkeeper.all_models  # noqa: F401 - foreign keys name tables of rooms that a command may not import itself
from fleetkeeper.database.context import TransactionContext, product_context
from fleetkeeper.database.engine import Database, check_reachable, database_url
from fleetkeeper.database.logins import (
    APPLICATION,
    AUDIT_KEEPER,
    application_url,
    audit_keeper_url,
    check_url,
)
from fleetkeeper.database.migrate import check_revision
from fleetkeeper.errors import InvalidInputError, StartupError
from fleetkeeper.fleet.schemas import EnrollmentTokenCreate
from fleetkeeper.fleet.service import create_enrollment_token
from fleetkeeper.identity.actor import Actor, product_actor
from fleetkeeper.identity.limits import Limits
from fleetkeeper.identity.permissions import Permission
from fleetkeeper.identity.tokens.service import create_token
from fleetkeeper.kit.clock import utc_now
from fleetkeeper.settings import Settings, get_settings

_Result = TypeVar("_Result")


def reachable_url(*, as_administrator: bool = False) -> str:
    """The database's URL, once it answers. Raises StartupError, saying what to start."""
    settings = get_settings()
    url = database_url(settings) if as_administrator else _application_url(settings)
    try:
        check_reachable(url)
    except StartupError as error:
        if settings.database.url is None and settings.database.app_url is None:
            raise StartupError(
                f"The database in {settings.home} is not running; start it with `fleetkeeper up`."
            ) from None
        raise error from None
    if not as_administrator:
        check_url(url, APPLICATION)
    return url


def keeper_url() -> str:
    """The URL by which the audit log is kept, of a database that answered. Raises StartupError."""
    url = audit_keeper_url(get_settings())
    check_reachable(url)
    check_url(url, AUDIT_KEEPER)
    return url


def _application_url(settings: Settings) -> str:
    try:
        return application_url(settings)
    except StartupError:
        # A schema that does not fit is the reason behind a login that was never made.
        if settings.database.url is not None:
            check_reachable(database_url(settings))
            check_revision(database_url(settings))
        raise


def command_actor() -> Actor:
    """Whoever may read this home may do everything; the audit log has their name on this machine."""
    return product_actor("command", _login_name())


def command_context(reason: str = "") -> TransactionContext:
    """The same for the database."""
    return product_context("command", _login_name(), reason=reason or None)


def _login_name() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "unknown"


def with_database(action: Callable[[Database], Awaitable[_Result]]) -> _Result:
    """Run `action` with a database whose schema fits. Raises StartupError."""
    url = reachable_url()
    check_revision(url)

    async def run() -> _Result:
        database = Database(url, pool_size=2)
        try:
            return await action(database)
        finally:
            await database.close()

    return asyncio.run(run())


def with_session(action: Callable[[AsyncSession], Awaitable[_Result]], reason: str = "") -> _Result:
    """Run `action` in one transaction, in a database whose schema fits. Raises StartupError."""

    async def run(database: Database) -> _Result:
        async with database.session(command_context(reason)) as session:
            return await action(session)

    return with_database(run)


async def make_enrollment_token(url: str, name: str, max_uses: int) -> str:
    """Make an enrollment token that is good for an hour, for parts of the product that enroll by themselves."""
    database = Database(url, pool_size=1)
    wanted = EnrollmentTokenCreate(name=name, max_uses=max_uses, ttl_seconds=3600)
    try:
        async with database.session(command_context()) as session:
            return (await create_enrollment_token(session, command_actor(), wanted, utc_now())).token
    finally:
        await database.close()


async def make_api_token(url: str, username: str, name: str, permissions: Sequence[Permission]) -> str | None:
    """Make an API token of a user's that is good for an hour; None without that user, or where they may do less."""
    database = Database(url, pool_size=1)
    now = utc_now()
    ends = now + timedelta(hours=1)
    limits = Limits(permissions=tuple(permissions), expires_at=ends)
    try:
        async with database.session(command_context()) as session:
            return await create_token(session, username, name, now=now, expires_at=ends, limits=limits)
    except InvalidInputError:
        return None
    finally:
        await database.close()
