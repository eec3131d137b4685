"""Starting, watching and ending the processes under test; all listen on loopback, all state is temporary."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import psutil

from bench.load import LOOPBACK


def free_port() -> int:
    """Return a TCP port on loopback that nobody listens on."""
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        return int(probe.getsockname()[1])


class Started:
    """A process that we started, in a session of its own, with its output in a file."""

    def __init__(self, command: Sequence[str], log: Path, environment: dict[str, str] | None = None) -> None:
        self.log = log
        with log.open("wb") as output:
            self.process = subprocess.Popen(
                command,
                stdout=output,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                env={**os.environ, **(environment or {})},
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        """The process's id."""
        return self.process.pid

    def wait_for(self, url: str, timeout_seconds: float = 60.0) -> None:
        """Wait until a GET of the URL answers with a status under 500.

        Raises RuntimeError, with the end of the process's output, when it ends or the time is over.
        """
        deadline = time.monotonic() + timeout_seconds
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                raise RuntimeError(f"{self.process.args!r} ended: {self.tail()}")
            try:
                with urllib.request.urlopen(url, timeout=2.0):
                    return
            except urllib.error.HTTPError as error:
                if error.code < 500:
                    return
            except OSError:
                pass
            time.sleep(0.05)
        raise RuntimeError(f"no answer from {url} in {timeout_seconds:.0f} s: {self.tail()}")

    def tail(self) -> str:
        """Return the last part of the process's output."""
        return self.log.read_text(errors="replace")[-2000:]

    def stop(self, timeout_seconds: float = 20.0) -> None:
        """End the process: SIGTERM, then SIGKILL to it and to the children it had."""
        if self.process.poll() is not None:
            return
        family = descendants(self.pid)
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(timeout_seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        _, alive = psutil.wait_procs(family, timeout=timeout_seconds)
        for process in alive:
            process.kill()


def descendants(pid: int) -> list[psutil.Process]:
    """Return the process's children, their children and so on; empty when it is gone."""
    try:
        return psutil.Process(pid).children(recursive=True)
    except psutil.NoSuchProcess:
        return []


def cpu_seconds(processes: Iterable[psutil.Process]) -> float:
    """Return processor seconds, user and system, used so far, those of children that ended included."""
    total = 0.0
    for process in processes:
        try:
            times = process.cpu_times()
        except psutil.Error:
            continue
        total += times.user + times.system + times.children_user + times.children_system
    return total


Groups = dict[str, Callable[[], list[psutil.Process]]]


class CpuMeter:
    """Processor seconds of named groups of processes between two moments."""

    def __init__(self, groups: Groups) -> None:
        self._groups = groups
        self._before = {name: cpu_seconds(find()) for name, find in groups.items()}

    def read(self) -> dict[str, float]:
        """Return the seconds used since the meter was made, by group."""
        return {name: cpu_seconds(find()) - self._before[name] for name, find in self._groups.items()}


def only(pid: int) -> Callable[[], list[psutil.Process]]:
    """Return a group of one process and its descendants."""
    return lambda: [psutil.Process(pid), *descendants(pid)]


def folder_bytes(folder: Path) -> int:
    """Return the size of all files under a folder, as allocated on the disk."""
    total = 0
    for path in folder.rglob("*"):
        try:
            total += path.lstat().st_blocks * 512
        except OSError:
            continue
    return total


def resident_mib(processes: Iterable[psutil.Process]) -> float:
    """Return the memory that processes hold, in MiB: a page that several share is counted once among them."""
    total = 0
    for process in processes:
        try:
            total += process.memory_full_info().pss
        except psutil.Error:
            continue
    return total / 2**20


def python() -> str:
    """Return this interpreter's path."""
    return sys.executable
