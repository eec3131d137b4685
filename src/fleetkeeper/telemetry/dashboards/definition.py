"""What a dashboard is made of, as JSON: variables, and rows of panels with their queries. Every part is bounded."""

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, FiniteFloat, StringConstraints

from fleetkeeper.kit.patterns import shaped
from fleetkeeper.kit.text import is_storable

MAX_ROWS = 50
MAX_PANELS = 100
MAX_BYTES = 256 * 1024
COLUMNS = 12
MAX_HEIGHT = 40
MAX_LINE = 4000
DEVICE_TYPES = (
    "server",
    "vm",
    "workstation",
    "network_device",
    "storage",
    "container",
    "vehicle",
    "other",
)
FLEET = "fleet"
_VARIABLE = shaped(
    r"^[a-z][a-z0-9_]{0,29}$",
    "begin with a lowercase letter and have at most 30 lowercase letters, digits and underscores",
)
VariableKind = Literal["device", "department", "device_type", "label", "metric"]


def _storable(text: str) -> str:
    if not is_storable(text):
        raise ValueError("has a character that no text may hold")
    return text


_Stored = AfterValidator(_storable)
_Trimmed = StringConstraints(strip_whitespace=True)
Title = Annotated[str, _Trimmed, Field(max_length=120), _Stored]
Words = Annotated[str, _Trimmed, Field(max_length=500), _Stored]
Unit = Annotated[str, _Trimmed, Field(max_length=40), _Stored]
Prose = Annotated[str, _Trimmed, Field(max_length=5000), _Stored]
# Filters and variables tell values apart by each character.
Value = Annotated[str, Field(max_length=300), _Stored]
Choices = Annotated[list[Value], Field(max_length=200)]


class Part(BaseModel):
    """A part of a definition; what it does not know it refuses."""

    model_config = ConfigDict(extra="forbid")


class Filter(Part):
    """Of which devices and label values; each list holds values, or `$name` of a variable. Empty is all."""

    device: Choices = Field(default_factory=list)
    department: Choices = Field(default_factory=list)
    device_type: Choices = Field(default_factory=list)
    labels: dict[Value, Choices] = Field(default_factory=dict, max_length=10)


class FleetPart(Part):
    """A question in the parameters of `/api/v1/telemetry/query`.

    `instant` asks for one value, of the last five minutes of the range; where those are now, of online devices alone.
    """

    language: Literal["fleet"]
    metrics: list[Value] = Field(min_length=1, max_length=20)
    by: list[Value] = Field(default_factory=list, max_length=5)
    agg: str = Field(default="avg", max_length=20)
    across: str | None = Field(default=None, max_length=20)
    top: int | None = Field(default=None, ge=1, le=100)
    step: str | None = Field(default=None, max_length=20)
    instant: bool = False
    compare: str | None = Field(default=None, max_length=10)
    filter: Filter = Field(default_factory=Filter)
    legend: Title = ""


class PromqlPart(Part):
    """A query in PromQL. `instant` asks at the end of the range only."""

    language: Literal["promql"]
    query: Annotated[str, _Trimmed, Field(min_length=1, max_length=5000), _Stored]
    instant: bool = False
    step: int | None = Field(default=None, ge=1, le=400 * 86_400, description="Seconds")
    filter: Filter = Field(default_factory=Filter)
    legend: Title = ""


Query = Annotated[FleetPart | PromqlPart, Field(discriminator="language")]


class Threshold(Part):
    """From this value on, figures and lines have this level."""

    value: FiniteFloat
    level: Literal["good", "warning", "critical"]


class Panel(Part):
    """One picture, or a text."""

    title: Title = ""
    description: Words = ""
    kind: Literal["line", "area", "bars", "stat", "gauge", "table", "text"]
    width: int = Field(default=6, ge=1, le=COLUMNS, description="In twelfths of the page")
    height: int | None = Field(
        default=None, ge=2, le=MAX_HEIGHT, description="In grid lines of 40 pixels; none is that of its kind"
    )
    x: int | None = Field(default=None, ge=0, lt=COLUMNS, description="First column in its row, from 0")
    y: int | None = Field(
        default=None, ge=0, le=MAX_LINE, description="First grid line in its row, from 0; x comes with it"
    )
    unit: Unit | None = None
    queries: list[Query] = Field(default_factory=list, max_length=6)
    text: Prose = ""
    thresholds: list[Threshold] = Field(default_factory=list, max_length=10)
    calc: Literal["last", "mean", "min", "max", "sum"] = "last"
    minimum: FiniteFloat | None = None
    maximum: FiniteFloat | None = None
    stacked: bool = False
    missing: Words = Field(default="", description="Hint shown when there is no data")


class Row(Part):
    """Panels side by side under a title."""

    title: Title = ""
    panels: list[Panel] = Field(default_factory=list, max_length=MAX_PANELS)


class Variable(Part):
    """A choice above the panels. No value is all of them, where `all` allows that."""

    name: str = Field(pattern=_VARIABLE)
    title: Title = ""
    kind: VariableKind
    label: Value = Field(default="", description="Of kind label: whose values")
    metric: Value = Field(default="", description="Of kind label: of which metric's series; all when empty")
    choices: Choices = Field(default_factory=list, description="Of kind metric: what is offered")
    multi: bool = True
    all: bool = True
    default: Choices = Field(default_factory=list)


class Times(Part):
    """The range of time that is shown at first."""

    range: Literal["5m", "15m", "1h", "6h", "24h", "7d", "30d"] = "1h"


class Definition(Part):
    """A whole dashboard."""

    version: Literal[1] = 1
    time: Times = Field(default_factory=Times)
    refresh: Literal[0, 10, 30, 60, 300] = Field(default=0, description="Seconds; 0 is never")
    variables: list[Variable] = Field(default_factory=list, max_length=10)
    rows: list[Row] = Field(default_factory=list, max_length=MAX_ROWS)

    def panels(self) -> Iterator[tuple[str, Panel]]:
        """Each panel with its place, such as `rows[0].panels[2]`."""
        for number, row in enumerate(self.rows):
            for place, panel in enumerate(row.panels):
                yield f"rows[{number}].panels[{place}]", panel
