"""Network traffic, in total and per interface, as raw counters."""

from collections.abc import Mapping
from typing import NamedTuple, Protocol

from fleetkeeper_agent.collectors.collector import Collector, UnavailableError, Values, channel
from fleetkeeper_agent.counter_rates import CounterSum
from fleetkeeper_protocol.metrics import NETWORK

MOST_INTERFACES = 64


class InterfaceCounters(NamedTuple):
    """Counters of one interface since it came up. The names are those of the metrics."""

    receive_bytes: float
    transmit_bytes: float
    receive_packets: float
    transmit_packets: float
    receive_errors: float
    transmit_errors: float
    receive_drops: float
    transmit_drops: float


class InterfaceReading(NamedTuple):
    """What one interface shows, and where it counts."""

    counters: InterfaceCounters
    in_total: bool
    shown: bool


class NetworkSource(Protocol):
    """What a platform tells about its interfaces."""

    def interfaces(self) -> Mapping[str, InterfaceReading]:
        """All interfaces but loopback, by name. Raises UnavailableError."""
        ...


class NetworkCollector(Collector):
    """Network counters.

    The totals take each packet once: what passes through a bridge, a bond, a tunnel or a container's end of a
    cable passes through a network card as well, so the stacked interfaces stay out of the sum.
    """

    name = "network"
    fields = NETWORK

    def __init__(self, source: NetworkSource) -> None:
        super().__init__()
        self._source = source
        self._sums = {field: CounterSum() for field in InterfaceCounters._fields}

    def collect(self, now: float) -> Values:  # noqa: ARG002 - counters need no clock
        """Measure; channel -> value."""
        interfaces = self._source.interfaces()
        if not interfaces:
            raise UnavailableError("this machine has no network interface but loopback")
        values: Values = {}
        for position, (field, total) in enumerate(self._sums.items()):
            found = total.add(
                {name: seen.counters[position] for name, seen in interfaces.items() if seen.in_total}
            )
            if found is not None:
                values[f"network_{field}_total"] = found
        shown = [name for name, seen in interfaces.items() if seen.shown]
        self.note_gap(
            "interfaces",
            f"{len(shown)} interfaces, of which {MOST_INTERFACES} are sent one by one"
            if len(shown) > MOST_INTERFACES
            else None,
        )
        for name in shown[:MOST_INTERFACES]:
            for field, count in zip(InterfaceCounters._fields, interfaces[name].counters, strict=True):
                values[channel(f"network_interface_{field}_total", "interface", name)] = count
        return values
