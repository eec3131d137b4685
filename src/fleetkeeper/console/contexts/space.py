"""The page of space and health: panels, and charts that the server draws."""

from dataclasses import dataclass
from datetime import datetime

from fleetkeeper.console.contexts.panels import Facts, Table


@dataclass(frozen=True)
class Area:
    """A series of a chart: the path of its line and of what lies below, in a field of 1000 by 100."""

    label: str
    value: str
    # Which color of the charts, from 1 on.
    colour: int
    line: str
    fill: str


@dataclass(frozen=True)
class Chart:
    """A chart over time; `said` is what it shows, in words."""

    id: str
    title: str
    text: str
    said: str
    areas: tuple[Area, ...]
    highest: str
    start: datetime | None
    end: datetime | None
    empty: str

    kind = "chart"


@dataclass(frozen=True)
class Measurement:
    """When it was measured, and whether it is just now."""

    measured_at: datetime | None
    next_at: datetime
    is_measuring: bool
    done: int
    steps: int
    may_measure: bool
    csrf_token: str


@dataclass(frozen=True)
class SpaceParts:
    """What is refreshed while the page is open."""

    measurement: Measurement
    panels: tuple[Facts | Table | Chart, ...]
    refresh_seconds: int
    csrf_token: str
