"""Charts of requests and decisions."""

from dataclasses import dataclass

from fleetkeeper.console.contexts.space import Chart


@dataclass(frozen=True)
class DrawnChart:
    """A chart that the server draws, as a part of a page."""

    chart: Chart
