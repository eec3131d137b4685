"""Starts the parts of the product in order, restarts one that dies, and stops all in reverse."""

import asyncio
import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from urllib.error import URLError
from urllib.request import Request, urlopen

import structlog

from fleetkeeper.audit.epochs import begin_epoch
from fleetkeeper.cli.home import (
    ADMINISTRATOR,
    STOP_SECONDS,
    end_leftover_parts,
    ensure_administrator,
    lock_home,
    note_parts,
)
from fleetkeeper.cli.running import make_enrollment_token
from fleetkeeper.cli.serve import SOCKET_VARIABLE, listen
from fleetkeeper.cli.watching import Attention, DatabaseProbe, Progress, Pulse
from fleetkeeper.database.embedded import DATABASE_NAME, EmbeddedServer
from fleetkeeper.database.engine import Database, check_reachable, database_url
from fleetkeeper.database.logins import application_url, check_logins, ensure_logins
from fleetkeeper.database.migrate import migrate
from fleetkeeper.errors import StartupError
from fleetkeeper.kit.backoff import Backoff
from fleetkeeper.kit.heartbeat import ADDRESS_VARIABLE, Listener
from fleetkeeper.kit.processes import die_with_parent
from fleetkeeper.settings import Settings
from fleetkeeper_agent.state_files import StateDirectory

log = structlog.get_logger(__name__)

# Without any progress, and in all: a busy machine may take its time.
READY_SECONDS = 30.0
LONGEST_START_SECONDS = 600.0
# What only this process needs to know; its children would carry it in their environment for as long as they live.
SECRET_VARIABLES = ("FLEETKEEPER_ADMIN_PASSWORD",)


@dataclass
class Part:
    """One child process that is kept running. One that beats is also killed when it falls silent."""

    name: str
    arguments: Sequence[str]
    environment: dict[str, str] = field(default_factory=dict)
    descriptors: tuple[int, ...] = ()
    module: str = "fleetkeeper"
    listener: Listener | None = None
    pulse: Pulse = field(default_factory=Pulse)
    process: "subprocess.Popen[bytes] | None" = None
    backoff: Backoff = field(default_factory=lambda: Backoff(0.5, 15))
    restart_at: float = 0.0
    started_at: float = 0.0

    def start(self) -> None:
        """Start it as a child that does not outlive this process."""
        self.pulse = Pulse()
        # The one who started us, if it listens, is told by us alone.
        told = {ADDRESS_VARIABLE: self.listener.address if self.listener else ""}
        self.process = subprocess.Popen(
            [sys.executable, "-m", self.module, *self.arguments],
            env=os.environ | told | self.environment,
            pass_fds=self.descriptors,
            stdin=subprocess.DEVNULL,
            # Ctrl-C reaches this process only, which then stops the others in order.
            start_new_session=True,
            preexec_fn=die_with_parent(signal.SIGTERM),  # noqa: PLW1509 - it only makes one system call
        )
        self.started_at = time.monotonic()

    def kill_if_hung(self, now: float, *, forgive: bool) -> None:
        """Kill it when it has not beaten for long: a process that was stopped would not even hear SIGTERM."""
        if self.listener is None or self.process is None or self.process.poll() is not None:
            return
        if self.listener.has_beaten() or (forgive and self.pulse.last_at is not None):
            self.pulse.beat(now)
        elif self.pulse.is_lost(now):
            log.error("a part hangs; it is killed", part=self.name)
            self.process.kill()
            self.process.wait()

    def stop(self) -> None:
        """Ask it to end, and end it when it does not."""
        if self.process is None or self.process.poll() is not None:
            return
        self.process.terminate()
        try:
            self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            log.warning("a part did not stop in time", part=self.name)
            self.process.kill()
            self.process.wait()


class Supervisor:
    """`fleetkeeper up`."""

    def __init__(self, settings: Settings, *, with_agent: bool) -> None:
        self._settings = settings
        self._with_agent = with_agent
        self._server: EmbeddedServer | None = None
        self._parts: list[Part] = []
        self._listener: socket.socket | None = None
        self._stopping = False
        self._stop_signal = 0
        self._lock = -1
        self._database_backoff = Backoff(0.5, 15)
        self._probe: DatabaseProbe | None = None
        self._attention = Attention()
        self._database_restart_at = 0.0

    def run(self) -> None:
        """Start everything, keep it running until SIGINT or SIGTERM, stop everything. Raises StartupError."""
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._ask_to_stop)
        for name in SECRET_VARIABLES:
            os.environ.pop(name, None)
        self._lock = lock_home(self._settings.home)
        try:
            end_leftover_parts(self._lock)
            self._listener = listen(self._settings.web.host, self._settings.web.port)
            self._start()
            while not self._stopping:
                self._watch()
                time.sleep(0.2)
        finally:
            self._stop()
            os.close(self._lock)

    def _ask_to_stop(self, number: int, _frame: object) -> None:
        self._stopping = True
        self._stop_signal = number

    def _start(self) -> None:
        started = time.monotonic()
        url = self._start_database()
        if self._stopping:
            return
        migrate(url)
        begin_epoch(url)
        ensure_logins(url, self._settings)
        url = application_url(self._settings)
        check_reachable(url)
        check_logins(self._settings)
        password = asyncio.run(self._prepare(url))
        web = self._settings.web
        descriptor = self._listener.fileno() if self._listener else -1
        for number in range(web.processes):
            part = Part(
                f"web {number}" if web.processes > 1 else "web",
                ["serve"],
                {SOCKET_VARIABLE: str(descriptor)},
                (descriptor,),
                listener=self._listener_of(number),
            )
            self._parts.append(part)
        self._parts.append(Part("worker", ["worker"], listener=self._listener_of("worker")))
        for part in self._parts:
            self._start_part(part)
        self._wait_until_ready()
        if self._stopping:
            return
        if self._server is not None:
            self._probe = DatabaseProbe(url)
        if self._with_agent:
            self._start_agent(url)
        self._greet(password, time.monotonic() - started)

    @staticmethod
    def _listener_of(part: int | str) -> Listener | None:
        """Where a part beats; None on systems without such addresses."""
        return Listener(f"fleetkeeper-{os.getpid()}-{part}") if sys.platform == "linux" else None

    def _start_part(self, part: Part) -> None:
        part.start()
        # A full disk is no reason to stop; the list only helps a start after this process was killed.
        with contextlib.suppress(OSError):
            note_parts(self._lock, [item.process.pid for item in self._parts if item.process is not None])

    def _start_database(self) -> str:
        settings = self._settings
        if settings.database.url is None:
            self._server = EmbeddedServer(settings.home, memory_megabytes=settings.database.memory_megabytes)
            self._server.start(self._is_wanted)
            if self._stopping:
                return self._server.url()
            _create_database(self._server)
        url = database_url(settings)
        check_reachable(url)
        return url

    async def _prepare(self, url: str) -> str | None:
        database = Database(url, pool_size=1)
        try:
            return await ensure_administrator(database, self._settings)
        finally:
            await database.close()

    def _address(self) -> str:
        web = self._settings.web
        port = self._listener.getsockname()[1] if self._listener else web.port
        host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(web.host, web.host)  # noqa: S104 - compared, not bound
        return f"http://{host}:{port}"

    def _wait_until_ready(self) -> None:
        progress = Progress(READY_SECONDS, LONGEST_START_SECONDS)
        host = next(iter(self._settings.web.allowed_hosts), "localhost")
        request = Request(f"{self._address()}/health/ready", headers={"Host": host.replace("*", "localhost")})  # noqa: S310 - our own address
        while not self._stopping:
            for part in self._parts:
                if part.process is not None and part.process.poll() is not None:
                    raise StartupError(f"The {part.name} process ended at once; its log is above.")
            with contextlib.suppress(URLError, OSError, TimeoutError), urlopen(request, timeout=10):  # noqa: S310 - the same
                return
            if progress.is_over([part.process.pid for part in self._parts if part.process is not None]):
                raise StartupError(
                    f"The web server does not answer and did nothing for {READY_SECONDS:.0f} seconds; its log is above."
                )
            time.sleep(0.05)

    def _start_agent(self, url: str) -> None:
        state = self._settings.home / "agent"
        environment = {}
        if not (state.exists() and StateDirectory(state).credentials()):
            environment["FLEETKEEPER_AGENT_TOKEN"] = asyncio.run(
                make_enrollment_token(url, "this machine", 1)
            )
        arguments = ["run", "--server", self._address(), "--state", str(state)]
        # The agent by itself, as it runs everywhere else: without the server's modules it needs half the memory.
        part = Part(
            "agent",
            arguments,
            environment,
            module="fleetkeeper_agent.main",
            listener=self._listener_of("agent"),
        )
        self._parts.append(part)
        self._start_part(part)

    def _is_wanted(self) -> bool:
        return not self._stopping

    def _watch(self) -> None:
        """Start again what has died or hangs, the database first."""
        now = time.monotonic()
        away = self._attention.was_away(now)
        if self._server is not None:
            self._watch_database(self._server, forgive=away)
        for part in self._parts:
            part.kill_if_hung(now, forgive=away)
            if part.process is None or part.process.poll() is None:
                continue
            now = time.monotonic()
            if not part.restart_at:
                if now - part.started_at > 60:
                    part.backoff.reset()
                part.restart_at = now + part.backoff.next_seconds()
                log.error("a part ended; it is started again", part=part.name, code=part.process.returncode)
            elif now >= part.restart_at:
                part.restart_at = 0.0
                self._start_part(part)

    def _watch_database(self, server: EmbeddedServer, *, forgive: bool) -> None:
        if self._probe is not None:
            if forgive or server.has_ended:
                self._probe.forgive()
            elif self._probe.is_hung():
                log.error("the database hangs; it is killed, and recovers as it is started again")
                server.kill()
        if server.has_ended:
            self._restart_database(server)

    def _restart_database(self, server: EmbeddedServer) -> None:
        """Start it again; when it does not, as on a full disk, go on trying: requests are answered 503 meanwhile."""
        now = time.monotonic()
        if now < self._database_restart_at:
            return
        log.error("the database ended; it is started again")
        try:
            server.start(self._is_wanted)
        except (StartupError, OSError) as error:
            log.error("the database does not start", reason=str(error))  # noqa: TRY400 - one sentence is enough
            self._database_restart_at = now + self._database_backoff.next_seconds()
        else:
            self._database_backoff.reset()

    def _stop(self) -> None:
        """The agent first, so that its last frames find a server; the database last."""
        if self._stop_signal:
            log.info("stopping", signal=signal.Signals(self._stop_signal).name)
        if self._probe is not None:
            self._probe.stop()
        for part in reversed(self._parts):
            part.stop()
        if self._server is not None:
            self._server.stop()
        if self._listener is not None:
            self._listener.close()

    def _greet(self, password: str | None, seconds: float) -> None:
        lines = [f"Fleetkeeper is ready after {seconds:.1f} s: {self._address()}"]
        if password:
            kept = self._settings.home / "admin-password"
            lines.append(f"Sign in as {ADMINISTRATOR} with {password} (kept in {_shown(kept)}).")
        else:
            lines.append(f"Sign in as {ADMINISTRATOR}.")
        lines.append("Ctrl-C stops everything.")
        sys.stdout.write("\n".join(lines) + "\n")
        sys.stdout.flush()


def _shown(path: Path) -> str:
    with contextlib.suppress(ValueError):
        return str(path.relative_to(Path.cwd()))
    return str(path)


def _create_database(server: EmbeddedServer) -> None:
    import psycopg  # noqa: PLC0415 - only the embedded server needs it here

    with psycopg.connect(server.url("postgres"), autocommit=True) as connection:
        exists = connection.execute(
            "SELECT 1 FROM pg_database WHERE datname = %s", (DATABASE_NAME,)
        ).fetchone()
        if not exists:
            connection.execute(f"CREATE DATABASE {DATABASE_NAME}")
    with psycopg.connect(server.url(), autocommit=True) as connection:
        connection.execute("CREATE EXTENSION IF NOT EXISTS pg_stat_statements")
