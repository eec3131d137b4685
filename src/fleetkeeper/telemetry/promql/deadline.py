"""When a query has to stop: its time is over, or nobody waits for it any more."""

import threading
import time

from fleetkeeper.telemetry.promql.errors import QueryCancelledError, QueryTimeoutError


class Deadline:
    """Looked at between pieces of work; may be called off from another thread."""

    def __init__(self, seconds: float) -> None:
        self._until = time.monotonic() + seconds
        self._cancelled = threading.Event()

    def cancel(self) -> None:
        """Let the query stop at its next look."""
        self._cancelled.set()

    @property
    def remaining_seconds(self) -> float:
        """The time that is left."""
        return max(0.0, self._until - time.monotonic())

    def check(self) -> None:
        """Raises QueryTimeoutError or QueryCancelledError when it is time to stop."""
        if self._cancelled.is_set():
            raise QueryCancelledError("query was canceled in expression evaluation")
        if time.monotonic() > self._until:
            raise QueryTimeoutError("query timed out in expression evaluation")
