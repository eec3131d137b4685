"""Whether what runs also answers: parts that hang, and a database that takes no connection any more."""

import threading
import time
from dataclasses import dataclass, field

import psutil
import psycopg
import structlog
from psycopg.errors import ConnectionTimeout

log = structlog.get_logger(__name__)

# A part that lives beats every two seconds, on a busy machine too; a stopped or stuck one does not beat at all.
HUNG_SECONDS = 30.0
PROBE_SECONDS = 10.0
PROBE_TIMEOUT_SECONDS = 10
# The watcher itself did not run for that long: the machine slept, or was stopped altogether.
ASLEEP_SECONDS = 5.0


@dataclass
class Pulse:
    """When a part was last heard of. Until its first beat, which comes once it has started, nothing is expected."""

    last_at: float | None = None

    def beat(self, now: float) -> None:
        """It was heard of."""
        self.last_at = now

    def is_lost(self, now: float) -> bool:
        """Whether it should have been heard of again by now."""
        return self.last_at is not None and now - self.last_at > HUNG_SECONDS


@dataclass
class Attention:
    """Notices when the watcher itself was not watching, so that it does not blame others for that."""

    _looked_at: float = field(default_factory=time.monotonic)

    def was_away(self, now: float) -> bool:
        """Whether much time has passed since the last look."""
        away = now - self._looked_at > ASLEEP_SECONDS
        self._looked_at = now
        return away


class DatabaseProbe:
    """Asks the database for a connection now and then, beside everything else. A refusal is an answer, too."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._stopping = threading.Event()
        self._pulse = Pulse(time.monotonic())
        self._thread = threading.Thread(target=self._run, name="database probe", daemon=True)
        self._thread.start()

    def is_hung(self) -> bool:
        """Whether there was no answer of any kind for long."""
        return self._pulse.is_lost(time.monotonic())

    def forgive(self) -> None:
        """Begin to wait anew."""
        self._pulse.beat(time.monotonic())

    def stop(self) -> None:
        """Ask no more."""
        self._stopping.set()

    def _run(self) -> None:
        while not self._stopping.wait(PROBE_SECONDS):
            try:
                psycopg.connect(self._url, connect_timeout=PROBE_TIMEOUT_SECONDS).close()
            except ConnectionTimeout:
                log.warning("the database does not answer", seconds=PROBE_TIMEOUT_SECONDS)
            except psycopg.Error:
                self._pulse.beat(time.monotonic())
            else:
                self._pulse.beat(time.monotonic())


class Progress:
    """Whether processes that are starting get on: they use the processor, however slowly on a busy machine."""

    def __init__(self, patience_seconds: float, longest_seconds: float) -> None:
        now = time.monotonic()
        self._patience = patience_seconds
        self._until, self._at_last = now + patience_seconds, now + longest_seconds
        self._used = 0.0

    def is_over(self, pids: list[int]) -> bool:
        """Whether to give up: nothing has moved for the patience's time, or it took too long altogether."""
        now, used = time.monotonic(), sum(map(_processor_seconds, pids))
        if used > self._used:
            self._used, self._until = used, now + self._patience
        return now > min(self._until, self._at_last)


def _processor_seconds(pid: int) -> float:
    try:
        times = psutil.Process(pid).cpu_times()
    except psutil.Error:
        return 0.0
    return float(times.user + times.system)
