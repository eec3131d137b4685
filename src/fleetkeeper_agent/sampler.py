"""Makes frames: asks every collector, keeps what is there."""

from collections.abc import Sequence

from msgspec import UNSET, UnsetType

from fleetkeeper_agent.clock import Clock
from fleetkeeper_agent.collectors.agent_self import AgentSelfCollector
from fleetkeeper_agent.collectors.collector import Collector, States, Values
from fleetkeeper_agent.collectors.registry import Features
from fleetkeeper_agent.collectors.supervision import SupervisedCollector
from fleetkeeper_protocol.messages import CollectorStatus, Frame

TELL_AGAIN_SECONDS = 600.0


class Sampler:
    """All collectors of one machine."""

    def __init__(self, collectors: Sequence[Collector], features: Features, clock: Clock) -> None:
        self._collectors = [SupervisedCollector(collector) for collector in collectors]
        self._selves = [collector for collector in collectors if isinstance(collector, AgentSelfCollector)]
        self._features = features
        self._clock = clock
        self._told: States = {}
        self._tell_again_at = 0.0

    def frame(self) -> Frame:
        """One snapshot of the machine, stamped with the moment at which its collection began."""
        started = self._clock.monotonic()
        values: Values = {}
        # Milliseconds are as much as anyone can tell apart here, and compress better than digits of noise.
        stamp = round(self._clock.wall(), 3)
        for supervised in self._collectors:
            # Each collector's own moment: rates are over the time between its own two samples.
            now = self._clock.monotonic()
            values.update(supervised.collect(now, on=self._features.is_on(supervised.supervision.name)))
        for collector in self._selves:
            collector.last_collect_seconds = self._clock.monotonic() - started
        return Frame(ts=stamp, values=values, states=self._states_to_tell(started))

    def _states_to_tell(self, now: float) -> States | UnsetType:
        """States when one of them changed, and again from time to time: a frame may be lost."""
        states = {
            key: value
            for supervised in self._collectors
            if self._features.is_on(supervised.supervision.name)
            for key, value in supervised.collector.states.items()
        }
        if not states or (states == self._told and now < self._tell_again_at):
            return UNSET
        self._told, self._tell_again_at = states, now + TELL_AGAIN_SECONDS
        return states

    def statuses(self) -> list[CollectorStatus]:
        """What works and what does not."""
        return [status for supervised in self._collectors for status in supervised.statuses()]

    def close(self) -> None:
        """Give back what the collectors hold."""
        for supervised in self._collectors:
            supervised.collector.close()
