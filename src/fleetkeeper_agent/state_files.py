"""What the agent keeps on disk besides the spool: key, identifier, last configuration, status."""

import logging
import os
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar
from uuid import uuid4

import msgspec

from fleetkeeper_protocol.messages import AgentConfig, CollectorStatus

LOG = logging.getLogger(__name__)
STATE_VARIABLE = "FLEETKEEPER_AGENT_STATE"


class Credentials(msgspec.Struct):
    """Who this device is to which server."""

    server: str
    device_id: str
    device_key: str
    # The other key while a rotation is under way: the server may not know the new one, or the old one, any more.
    other_key: str | None = None
    # Since when the key is in use (epoch seconds); 0 is unknown.
    key_since: float = 0.0


class KeptConfig(msgspec.Struct):
    """The server's last configuration, which counts until the server says otherwise, across restarts."""

    etag: str
    config: AgentConfig


class AgentStatus(msgspec.Struct):
    """What `fleetkeeper-agent status` shows."""

    pid: int
    server: str
    device_id: str
    started_at: float
    written_at: float
    link: str
    last_accepted_at: float | None
    frames_sent: int
    frames_waiting: int
    losses: list[dict[str, str | float | None]]
    collectors: list[CollectorStatus]


Kept = TypeVar("Kept", Credentials, KeptConfig, AgentStatus)


class AlreadyRunningError(Exception):
    """Another agent uses this state directory."""


def default_state_directory() -> Path:
    """Where state is kept unless someone says otherwise."""
    named = os.environ.get(STATE_VARIABLE)
    if named:
        return Path(named)
    if sys.platform == "win32":
        return Path(os.environ.get("ProgramData", r"C:\ProgramData")) / "fleetkeeper-agent"  # noqa: SIM112 - its name
    if os.geteuid() == 0:
        return Path("/var/lib/fleetkeeper-agent")
    return Path.home() / ".local/state/fleetkeeper-agent"


class StateDirectory:
    """The files of one agent."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.mkdir(parents=True, exist_ok=True, mode=0o700)

    @property
    def spool_path(self) -> Path:
        """The spool's file."""
        return self.path / "spool.db"

    def agent_id(self) -> str:
        """This installation's own identifier, made at first use."""
        path = self.path / "agent-id"
        try:
            return path.read_text("ascii").strip()[:100]
        except (FileNotFoundError, UnicodeDecodeError):
            identifier = str(uuid4())
            write_private(path, identifier.encode())
            return identifier

    def credentials(self) -> Credentials | None:
        """The key, if this device is enrolled."""
        path = self.path / "credentials.json"
        found = self._read(path, Credentials)
        if found is not None and os.name == "posix":
            mode = stat.S_IMODE(path.stat().st_mode)
            if mode & 0o077:
                LOG.warning("%s was readable by others (mode %o); it is closed now", path, mode)
                path.chmod(0o600)
        return found

    def keep_credentials(self, credentials: Credentials) -> None:
        """Keep the key where only this user can read it."""
        write_private(self.path / "credentials.json", msgspec.json.encode(credentials))

    def config(self) -> KeptConfig | None:
        """The last configuration, if there was one."""
        return self._read(self.path / "config.json", KeptConfig)

    def keep_config(self, kept: KeptConfig) -> None:
        """Keep the configuration for the next start."""
        write_private(self.path / "config.json", msgspec.json.encode(kept))

    def status(self) -> AgentStatus | None:
        """What the running agent wrote last."""
        return self._read(self.path / "status.json", AgentStatus)

    def keep_status(self, status: AgentStatus) -> None:
        """Write the status for `fleetkeeper-agent status`."""
        write_private(self.path / "status.json", msgspec.json.encode(status), durable=False)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keep other agents out of this directory. Raises AlreadyRunningError."""
        descriptor = os.open(self.path / "agent.lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            try:
                _lock(descriptor)
            except OSError as error:
                raise AlreadyRunningError(
                    f"an agent is running with the state in {self.path}; stop it first, "
                    "as with `systemctl stop fleetkeeper-agent`, or give another folder with --state"
                ) from error
            yield
        finally:
            os.close(descriptor)

    @staticmethod
    def _read(path: Path, kind: type[Kept]) -> Kept | None:
        try:
            return msgspec.json.decode(path.read_bytes(), type=kind)
        except FileNotFoundError:
            return None
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            LOG.warning("%s is damaged and ignored: %s", path, error)
            return None


def write_private(path: Path, data: bytes, *, durable: bool = True) -> None:
    """Write a file that no one else can read at any moment, and replace the old one as a whole."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.{uuid4().hex[:8]}")
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0)
    descriptor = os.open(temporary, flags, 0o600)
    try:
        try:
            written = 0
            while written < len(data):
                written += os.write(descriptor, data[written:])
            if durable:
                os.fsync(descriptor)
        finally:
            os.close(descriptor)
        temporary.replace(path)
    except OSError:
        temporary.unlink(missing_ok=True)
        raise


if sys.platform == "win32":
    import msvcrt

    def _lock(descriptor: int) -> None:
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
else:
    import fcntl

    def _lock(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
