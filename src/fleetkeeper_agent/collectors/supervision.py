"""Keeps one collector's failure from touching the others, and knows what to report about it."""

import logging
import math
from collections.abc import Callable
from typing import TypeVar

from fleetkeeper_agent.collectors.collector import Collector, UnavailableError, Values
from fleetkeeper_agent.hostile_text import clean
from fleetkeeper_protocol.messages import CollectorStatus

LOG = logging.getLogger(__name__)
Result = TypeVar("Result")

OK, UNAVAILABLE, FAILED, OFF = "ok", "unavailable", "failed", "off"

# A driver may be loaded or a permission granted while the agent runs, so these are asked again, rarely.
UNAVAILABLE_RETRY_SECONDS = 600.0
FIRST_RETRY_SECONDS = 5.0
LONGEST_RETRY_SECONDS = 600.0


class Supervision:
    """The state of one collector: ok, unavailable, failed (retried with back-off) or off."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.status = OK
        self.reason = ""
        self._retry_at = -math.inf
        self._failures = 0

    def switch(self, *, on: bool) -> bool:
        """Follow the feature flag; return whether that switched it off just now."""
        if on and self.status == OFF:
            self._retry_at = -math.inf
            self._become(OK, "")
        elif not on and self.status != OFF:
            self._become(OFF, "switched off by the server's configuration")
            return True
        return False

    def run(self, now: float, work: Callable[[], Result]) -> Result | None:
        """Do the work if it is time to, and judge how it went. None when there is no result."""
        if self.status == OFF or now < self._retry_at:
            return None
        try:
            result = work()
        except UnavailableError as error:
            self._retry_at = now + UNAVAILABLE_RETRY_SECONDS
            self._become(UNAVAILABLE, error.reason)
            return None
        except Exception as error:
            delay = min(LONGEST_RETRY_SECONDS, FIRST_RETRY_SECONDS * 2.0 ** min(self._failures, 20))
            self._failures += 1
            self._retry_at = now + delay
            LOG.debug("collector %s raised", self.name, exc_info=error)
            self._become(FAILED, clean(f"{type(error).__name__}: {error}", 1000))
            return None
        self._failures = 0
        self._become(OK, "")
        return result

    def own_status(self) -> CollectorStatus:
        """The collector's line in the report."""
        return CollectorStatus(self.name, self.status, self.reason)

    def _become(self, status: str, reason: str) -> None:
        if (status, reason) == (self.status, self.reason):
            return
        if status == FAILED:
            LOG.warning("collector %s failed, it is tried again later: %s", self.name, reason)
        elif status == UNAVAILABLE:
            LOG.info("collector %s is unavailable: %s", self.name, reason)
        else:
            LOG.info("collector %s is %s", self.name, status)
        self.status, self.reason = status, reason


class SupervisedCollector:
    """A collector of values for frames, under supervision."""

    def __init__(self, collector: Collector) -> None:
        self.collector = collector
        self.supervision = Supervision(collector.name)

    def collect(self, now: float, *, on: bool) -> Values:
        """Collect if it is switched on and time to; what is no finite number is missing."""
        if self.supervision.switch(on=on):
            self.collector.close()
            self.collector.gaps.clear()
        values = self.supervision.run(now, lambda: self.collector.collect(now))
        return {name: value for name, value in values.items() if math.isfinite(value)} if values else {}

    def statuses(self) -> list[CollectorStatus]:
        """The collector's line, and one for each part that is missing."""
        # The collector may be at work in another thread.
        gaps = sorted(dict(self.collector.gaps).items()) if self.supervision.status == OK else []
        name = self.supervision.name
        parts = [CollectorStatus(clean(f"{name}.{part}"), UNAVAILABLE, why) for part, why in gaps]
        return [self.supervision.own_status(), *parts]
