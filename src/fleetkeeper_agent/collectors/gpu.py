"""Graphics processors."""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from fleetkeeper_agent.collectors.collector import Collector, Values, channel
from fleetkeeper_protocol.metrics import GPU


class GpuReading(NamedTuple):
    """What one GPU shows. None: this model does not tell."""

    number: int
    utilization_percent: float | None = None
    memory_total_bytes: float | None = None
    memory_used_bytes: float | None = None
    temperature_celsius: float | None = None
    power_watts: float | None = None


class GpuSource(Protocol):
    """What a platform tells about its GPUs."""

    def gpus(self) -> Sequence[GpuReading]:
        """All GPUs. Raises UnavailableError when there is none, or no way to ask it."""
        ...

    def close(self) -> None:
        """Give the driver back."""
        ...


class GpuCollector(Collector):
    """GPU metrics, labeled by the driver's index."""

    name = "gpu"
    fields = GPU

    def __init__(self, source: GpuSource) -> None:
        super().__init__()
        self._source = source

    def collect(self, now: float) -> Values:  # noqa: ARG002 - gauges need no clock
        """Measure; channel -> value."""
        values: Values = {}
        self.gaps.clear()
        for gpu in self._source.gpus():
            for field, value in zip(GpuReading._fields[1:], gpu[1:], strict=True):
                if value is None:
                    self.note_gap(f"{gpu.number}.{field}", "this model does not tell")
                else:
                    values[channel(f"gpu_{field}", "gpu", str(gpu.number))] = value
        return values

    def close(self) -> None:
        """Give the driver back."""
        self._source.close()
