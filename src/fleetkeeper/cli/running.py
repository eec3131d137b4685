"""Runs an async command against the database of this home."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

import fleetkeeper.all_models  # noqa: F401 - foreign keys name tables of rooms that a command may not import itself
from fleetkeeper.database.engine import Database, check_reachable, database_url
from fleetkeeper.database.migrate import check_revision
from fleetkeeper.errors import StartupError
from fleetkeeper.fleet.schemas import EnrollmentTokenCreate
from fleetkeeper.fleet.service import create_enrollment_token
from fleetkeeper.kit.clock import utc_now
from fleetkeeper.settings import get_settings

_Result = TypeVar("_Result")


def reachable_url() -> str:
    """The database's URL, once it answers. Raises StartupError, saying what to start."""
    settings = get_settings()
    url = database_url(settings)
    try:
        check_reachable(url)
    except StartupError as error:
        if settings.database.url is None:
            raise StartupError(
                f"The database in {settings.home} does not run; start it with `fleetkeeper up`."
            ) from None
        raise error from None
    return url


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


async def make_enrollment_token(url: str, name: str, max_uses: int) -> str:
    """Make an enrolment token that is good for an hour, for parts of the product that enrol by themselves."""
    database = Database(url, pool_size=1)
    wanted = EnrollmentTokenCreate(name=name, max_uses=max_uses, ttl_seconds=3600)
    try:
        async with database.session() as session:
            return (await create_enrollment_token(session, None, wanted, utc_now())).token
    finally:
        await database.close()
