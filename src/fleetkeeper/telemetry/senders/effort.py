"""What reading one body may cost: parts are counted before they become objects, and processor time has an end. Pure.

Readers walk in steps: between these others get the interpreter, and the reader sees whether it may go on.
"""

import time
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

from fleetkeeper.kit.request_body import CallerGoneError
from fleetkeeper.telemetry.senders.batches import TooManyError

# A hundred thousand new series take two seconds.
LONGEST_SECONDS = 5.0
STEP_PARTS = 256
STEP_BYTES = 64 * 1024
STEP_JSON_BYTES = 1024 * 1024

_Part = TypeVar("_Part")


class Effort:
    """The limits of one body, and what of them is used. One thread reads the body."""

    def __init__(
        self,
        max_samples: int,
        *,
        seconds: float = LONGEST_SECONDS,
        clock: Callable[[], float] = time.thread_time,
    ) -> None:
        self.max_samples = max_samples
        self._seconds = seconds
        self._clock = clock
        # Not before the thread that reads is at work: each has a clock of its own.
        self._until: float | None = None
        self._counted = 0
        self._is_dropped = False

    def drop(self) -> None:
        """Let the reader stop, from another thread: nobody waits for the answer any more."""
        self._is_dropped = True

    def check(self) -> None:
        """Go on, or raise TooManyError where the time is over, and CallerGoneError."""
        if self._is_dropped:
            raise CallerGoneError
        if self._until is None:
            self._until = self._clock() + self._seconds
        elif self._clock() > self._until:
            raise TooManyError(
                f"the body takes more than {self._seconds:g} seconds to read; send less at once"
            )

    def steps(self, parts: Iterable[_Part]) -> Iterator[_Part]:
        """The parts, with a look at the clock now and then. Raises TooManyError."""
        for number, part in enumerate(parts):
            if not number % STEP_PARTS:
                self.check()
            yield part

    def counted(self, parts: Iterable[_Part], what: str, *, times: int = 1) -> Iterator[_Part]:
        """The same for parts of which there may be that many times as many as samples, in all."""
        for part in parts:
            if not self._counted % STEP_PARTS:
                self.check()
            self._counted += 1
            self.check_number(self._counted, what, times=times)
            yield part

    def check_number(self, number: int, what: str, *, times: int = 1) -> None:
        """Raise TooManyError where there are more than that many times as many as there may be samples."""
        if number > times * self.max_samples:
            raise TooManyError(f"one request has at most {times * self.max_samples} {what}")

    def check_json(self, body: bytes, *, max_objects: int, max_values: int) -> None:
        """Raise TooManyError for JSON of more objects or values than that, before it is decoded.

        A value ends at a comma or with what holds it; commas in texts count with them.
        """
        # An object has two bytes, and a comma one.
        if len(body) <= min(2 * max_objects, max_values):
            return
        braces = commas = 0
        for start in range(0, len(body), STEP_JSON_BYTES):
            self.check()
            end = start + STEP_JSON_BYTES
            braces += body.count(b"{", start, end)
            commas += body.count(b",", start, end)
            for number, most, what in ((braces, max_objects, "objects"), (commas, max_values, "values")):
                if number > most:
                    raise TooManyError(f"one request has at most {most} JSON {what}")
