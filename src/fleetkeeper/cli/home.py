"""The home folder: made, locked against a second instance, and the first administrator in it."""

import contextlib
import errno
import fcntl
import os
import secrets
import signal
from collections.abc import Iterable
from pathlib import Path

import psutil

from fleetkeeper.database.context import product_context
from fleetkeeper.database.engine import Database
from fleetkeeper.errors import StartupError
from fleetkeeper.identity.users.service import create_first_administrator
from fleetkeeper.kit.processes import end_processes
from fleetkeeper.kit.secrets import write_secret_file
from fleetkeeper.settings import Settings

ADMINISTRATOR = "admin"
# How long a part may take to end by itself.
STOP_SECONDS = 20.0
# The time at which a process began is told to the hundredth of a second; a number is not given out again that soon.
SAME_PROCESS_SECONDS = 1.0


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
            raise StartupError(f"Fleetkeeper is already running in {home}.") from None
        raise
    return descriptor


def note_parts(lock: int, pids: Iterable[int]) -> None:
    """Write into the locked file which processes belong to this run."""
    lines = []
    for pid in pids:
        with contextlib.suppress(psutil.NoSuchProcess):
            lines.append(f"{pid} {psutil.Process(pid).create_time()}\n")
    os.ftruncate(lock, 0)
    os.pwrite(lock, "".join(lines).encode(), 0)


def end_leftover_parts(lock: int) -> None:
    """End the processes of a run whose supervisor was killed; they may hold the port still."""
    leftovers = []
    for line in os.pread(lock, 65_536, 0).decode().splitlines():
        pid, _, created = line.partition(" ")
        with contextlib.suppress(psutil.NoSuchProcess, ValueError):
            process = psutil.Process(int(pid))
            # Another process may have got the number since.
            if abs(process.create_time() - float(created)) < SAME_PROCESS_SECONDS:
                leftovers.append(process)
    end_processes(leftovers, signal.SIGTERM, STOP_SECONDS)


async def ensure_administrator(database: Database, settings: Settings) -> str | None:
    """Make the first administrator; returns the password when it was made up here, for the one time it is shown."""
    # An empty variable is as good as none.
    given = (settings.admin_password.get_secret_value() if settings.admin_password else "") or None
    password = given or secrets.token_urlsafe(15)
    async with database.session(product_context("command", "first run")) as session:
        if not await create_first_administrator(session, ADMINISTRATOR, password):
            return None
        if given is None:
            write_secret_file(settings.home / "admin-password", password)
    return None if given else password
