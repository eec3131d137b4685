"""The worker processes of a web process: started when they are wanted, killed when they do not stop."""

import asyncio
import contextlib
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

from fleetkeeper.telemetry.promql import errors
from fleetkeeper.telemetry.promql.deadline import Deadline
from fleetkeeper.telemetry.promql.errors import ExecutionError, PromqlError, QueryTimeoutError
from fleetkeeper.telemetry.promql.source import SourceSeries
from fleetkeeper.telemetry.promql.wire import (
    ConnectionLostError,
    Job,
    Reply,
    numbers_of,
    packed,
    receive,
    send,
)

# How long a query may take to stop by itself.
GRACE_SECONDS = 1.0
_PASSED_ON = ("PATH", "PYTHONPATH", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "VIRTUAL_ENV", "HOME")
_KINDS: dict[str, type[PromqlError]] = {
    item.__name__: item
    for item in (ExecutionError, QueryTimeoutError, errors.QueryCancelledError, errors.BadDataError)
}


@dataclass(frozen=True)
class WorkerLimits:
    """What a worker process may use."""

    megabytes: int = 2048
    niceness: int = 5


class Worker:
    """One process, which works on one job at a time."""

    def __init__(self, limits: WorkerLimits) -> None:
        self._connection, theirs = socket.socketpair()
        environment = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
        # Numbers are worked on by one thread; more would only take memory and cores from others.
        environment |= dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1")
        arguments = map(str, (theirs.fileno(), limits.megabytes, limits.niceness))
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", "fleetkeeper.telemetry.promql.worker", *arguments],
                pass_fds=[theirs.fileno()],
                env=environment,
                stdin=subprocess.DEVNULL,
            )
        self._lock = threading.Lock()
        self.has_job = False

    @property
    def pid(self) -> int:
        """The process."""
        return self._process.pid

    @property
    def is_alive(self) -> bool:
        """Whether it can be given a job."""
        return self._process.poll() is None

    def work(self, job: Job, found: Sequence[Sequence[SourceSeries]]) -> tuple[Reply, memoryview]:
        """Give it a job with its samples and wait for what comes of it: in a thread. Raises ConnectionLostError."""
        job = replace(job, selections=tuple(map(packed, found)))
        send(self._connection, job, [part for series in found for part in numbers_of(series)])
        with self._lock:
            self.has_job = True
        try:
            return receive(self._connection)
        finally:
            with self._lock:
                self.has_job = False

    def call_off(self) -> None:
        """Ask it to stop; one that has not got all of its job yet is killed."""
        with self._lock:
            if self.has_job:
                with contextlib.suppress(ConnectionLostError):
                    send(self._connection, None)
                return
        self.kill()

    def kill(self) -> None:
        """End the process, and whatever waits for it."""
        self._process.kill()
        with contextlib.suppress(OSError):
            self._connection.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Let go of what is left of a process that was killed."""
        self.kill()
        self._process.wait()
        self._connection.close()


class Workers:
    """As many workers as there are queries at work."""

    def __init__(self, limits: WorkerLimits, most: int) -> None:
        self._limits = limits
        self._threads = ThreadPoolExecutor(most, thread_name_prefix="promql")
        self._idle: list[Worker] = []
        self._all: set[Worker] = set()
        self.is_stopped = False

    @property
    def pids(self) -> set[int]:
        """The processes that live."""
        return {item.pid for item in self._all if item.is_alive}

    @property
    def busy(self) -> set[int]:
        """Those that have got a job."""
        return {item.pid for item in self._all if item.has_job}

    async def work(
        self, job: Job, found: Sequence[Sequence[SourceSeries]], deadline: Deadline
    ) -> tuple[Reply, memoryview]:
        """What a worker makes of a job. Raises PromqlError, and stops when the caller is cancelled."""
        worker = await self._take()
        running = asyncio.get_running_loop().run_in_executor(self._threads, worker.work, job, found)
        try:
            await asyncio.wait((running,), timeout=deadline.remaining_seconds + GRACE_SECONDS)
        except asyncio.CancelledError:
            await self._end(worker, running)
            raise
        if not running.done():
            worker.kill()
        try:
            result = await running
        except ConnectionLostError:
            await self._bury(worker)
            if deadline.remaining_seconds:
                raise ExecutionError("query processing was ended: its worker process died") from None
            raise QueryTimeoutError("query timed out in expression evaluation") from None
        self._idle.append(worker)
        return result

    async def _end(self, worker: Worker, running: "asyncio.Future[tuple[Reply, memoryview]]") -> None:
        """Stop a query that nobody waits for any more."""
        worker.call_off()
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.wait((running,), timeout=GRACE_SECONDS)
        if not running.done():
            worker.kill()
        try:
            await asyncio.shield(running)
        except (ConnectionLostError, asyncio.CancelledError):
            worker.kill()
            await self._bury(worker)
        else:
            self._idle.append(worker)

    async def _take(self) -> Worker:
        while self._idle:
            worker = self._idle.pop()
            if worker.is_alive:
                return worker
            await self._bury(worker)
        return await asyncio.get_running_loop().run_in_executor(self._threads, self._start)

    def _start(self) -> Worker:
        worker = Worker(self._limits)
        self._all.add(worker)
        return worker

    async def _bury(self, worker: Worker) -> None:
        self._all.discard(worker)
        await asyncio.get_running_loop().run_in_executor(self._threads, worker.close)
        if not self._idle and not self.is_stopped:
            self._idle.append(await asyncio.get_running_loop().run_in_executor(self._threads, self._start))

    async def stop(self) -> None:
        """End all processes."""
        self.is_stopped = True
        for worker in list(self._all):
            worker.kill()
        for worker in list(self._all):
            self._all.discard(worker)
            await asyncio.to_thread(worker.close)
        self._threads.shutdown(wait=False, cancel_futures=True)


def raised(reply: Reply) -> PromqlError:
    """The error that a worker reports. Raises RuntimeError for one that nobody expected."""
    if reply.outcome == "failure":
        raise RuntimeError(f"a query failed in its worker:\n{reply.text}")
    return _KINDS[reply.kind](reply.text)
