"""What reading one body may cost: parts are counted before they become objects, and processor time has an end. Pure.

Readers walk in steps: between these others get the interpreter, and the reader sees whether it may go on.
"""

import time
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

from fleetkeeper.telemetry.senders.batches import TooManyError

# A hundred thousand new series take two seconds.
LONGEST_SECONDS = 5.0
STEP_PARTS = 256
STEP_BYTES = 64 * 1024

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

    def check(self) -> None:
        """Go on, or raise TooManyError where the time is over."""
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

    def counted(self, parts: Iterable[_Part], what: str) -> Iterator[_Part]:
        """The same for parts of which there may be as many as samples."""
        for number, part in enumerate(self.steps(parts)):
            if number >= self.max_samples:
                raise self.too_many(what)
            yield part

    def check_number(self, number: int, what: str) -> None:
        """Raise TooManyError where there are more than there may be samples."""
        if number > self.max_samples:
            raise self.too_many(what)

    def too_many(self, what: str) -> TooManyError:
        """What there is too much of."""
        return TooManyError(f"one request has at most {self.max_samples} {what}")
