"""The home folder: made, locked against a second instance, and the first administrator in it."""

import errno
import fcntl
import os
import secrets
from pathlib import Path

from fleetkeeper.database.engine import Database
from fleetkeeper.errors import StartupError
from fleetkeeper.identity.permissions import Role
from fleetkeeper.identity.queries import count_users
from fleetkeeper.identity.service import create_user
from fleetkeeper.kit.secrets import write_secret_file
from fleetkeeper.settings import Settings

ADMINISTRATOR = "admin"


def lock_home(home: Path) -> int:
    """Make the folder and hold its lock; returns the lock's descriptor.

    Raises StartupError when the folder cannot be written or another instance runs in it.
    """
    try:
        home.mkdir(parents=True, exist_ok=True, mode=0o711)
        descriptor = os.open(home / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise StartupError(
            f"The home folder {home} cannot be written ({error.strerror}); choose another with FLEETKEEPER_HOME."
        ) from None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(descriptor)
        if error.errno in {errno.EAGAIN, errno.EACCES}:
            raise StartupError(f"Fleetkeeper already runs in {home}.") from None
        raise
    return descriptor


async def ensure_administrator(database: Database, settings: Settings) -> str | None:
    """Make the first administrator; returns the password when it was made up here, for the one time it is shown."""
    async with database.session() as session:
        if await count_users(session):
            return None
        given = settings.admin_password.get_secret_value() if settings.admin_password else None
        password = given or secrets.token_urlsafe(15)
        await create_user(session, ADMINISTRATOR, password, Role.ADMIN)
        if given is None:
            write_secret_file(settings.home / "admin-password", password)
    return None if given else password
