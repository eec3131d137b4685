"""A worker process: evaluates one query after the other for its web process, and may be killed at any moment.

    python -m fleetkeeper.telemetry.promql.worker <descriptor of the socket> <megabytes of memory> <niceness>

Imports no more than the evaluation needs, and has no secrets in its environment.
"""

import os
import resource
import select
import signal
import socket
import sys
import traceback
from types import FrameType

from fleetkeeper.telemetry.promql.deadline import Deadline
from fleetkeeper.telemetry.promql.errors import PromqlError, QueryCancelledError, too_many_samples
from fleetkeeper.telemetry.promql.matrices import Steps
from fleetkeeper.telemetry.promql.parsing import parse_query
from fleetkeeper.telemetry.promql.queries import Answer, Limits, Query, evaluate, samples_by_selector
from fleetkeeper.telemetry.promql.rendering import render
from fleetkeeper.telemetry.promql.source import SourceSeries
from fleetkeeper.telemetry.promql.wire import (
    ConnectionLostError,
    Job,
    Reply,
    numbers_of,
    packed,
    receive,
    send,
    unpacked,
)

# The deepest query that is let through takes some frames for each of its levels; Python keeps them on the heap.
RECURSION = 10_000
SECONDS_BETWEEN_LOOKS = 0.05


class WatchedDeadline(Deadline):
    """Over as well when the web process calls the query off, or is gone: then something comes by the connection."""

    def __init__(self, seconds: float, connection: socket.socket) -> None:
        super().__init__(seconds)
        self._connection = connection

    def check(self) -> None:
        """Raises QueryTimeoutError or QueryCancelledError when it is time to stop."""
        super().check()
        # The alarm may come in the middle of a look, which a `poll` object does not bear.
        if select.select([self._connection], [], [], 0)[0]:
            raise QueryCancelledError("query was canceled in expression evaluation")


class Alarm:
    """Looks at a deadline by the kernel's timer, whatever loop the query is in. Raises out of it, once."""

    def __init__(self, deadline: Deadline) -> None:
        self._deadline = deadline
        self._is_armed = True
        signal.signal(signal.SIGALRM, self._look)
        signal.setitimer(signal.ITIMER_REAL, SECONDS_BETWEEN_LOOKS, SECONDS_BETWEEN_LOOKS)

    def _look(self, _: int, __: FrameType | None) -> None:
        if self._is_armed:
            try:
                self._deadline.check()
            except PromqlError:
                self.disarm()
                raise

    def disarm(self) -> None:
        """Look no more."""
        self._is_armed = False
        signal.setitimer(signal.ITIMER_REAL, 0)


def evaluated(job: Job, payload: memoryview, deadline: Deadline) -> Answer:
    """The answer to a query from the samples that came with it. Raises PromqlError."""
    limits = Limits(max_samples=job.max_samples, lookback=job.lookback, subquery_step=job.subquery_step)
    steps = Steps(job.start, job.interval, job.count)
    query = Query(job.text, parse_query(job.text), steps, is_range=job.is_range, end=job.end)
    selections: list[list[SourceSeries]] = []
    at = 0
    for labels, counts in job.selections:
        series, at = unpacked(payload, at, labels, counts)
        selections.append(series)
    return evaluate(query, limits, samples_by_selector(query, limits, selections), deadline)


def reply_to(job: Job, payload: memoryview, connection: socket.socket) -> tuple[Reply, list[memoryview]]:
    """What becomes of a job."""
    deadline = WatchedDeadline(job.seconds, connection)
    try:
        alarm = Alarm(deadline)
        try:
            answer = evaluated(job, payload, deadline)
            if job.rendered:
                reply, numbers = Reply("json"), [memoryview(render(answer))]
            else:
                reply = Reply("answer", answer.kind, answer.text, answer.time, *packed(answer.series))
                numbers = list(numbers_of(answer.series))
        finally:
            alarm.disarm()
    except PromqlError as error:
        return Reply("error", type(error).__name__, str(error)), []
    except MemoryError:
        return Reply("error", "ExecutionError", str(too_many_samples())), []
    except Exception:  # noqa: BLE001 - the web process raises it
        return Reply("failure", text=traceback.format_exc()), []
    return reply, numbers


def serve(connection: socket.socket) -> None:
    """Work until the web process goes away."""
    while True:
        header, payload = receive(connection)
        # A query that was called off may have been ready by then.
        if header is not None:
            send(connection, *reply_to(header, payload, connection))


def main() -> None:
    """Set the limits, and serve."""
    descriptor, megabytes, niceness = map(int, sys.argv[1:])
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.nice(niceness)
    resource.setrlimit(resource.RLIMIT_AS, (megabytes * 2**20, megabytes * 2**20))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    sys.setrecursionlimit(RECURSION)
    try:
        serve(socket.socket(fileno=descriptor))
    except ConnectionLostError:
        # Nobody is there to hear more.
        os._exit(0)


if __name__ == "__main__":
    main()
