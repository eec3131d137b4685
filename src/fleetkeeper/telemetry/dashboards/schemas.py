"""What the API says of dashboards."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from fleetkeeper.kit.pagination import PageOf
from fleetkeeper.kit.patterns import shaped
from fleetkeeper.telemetry.dashboards.definition import Choices, Query, Variable

_SLUG = shaped(
    r"^[a-z0-9]+(-[a-z0-9]+)*$", "be lowercase letters and digits with hyphens between, such as web-servers"
)
Visibility = Literal["private", "everyone"]
DefaultFor = Literal[
    "fleet", "server", "vm", "workstation", "network_device", "storage", "container", "vehicle", "other"
]
Name = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=120, pattern=r"^[^\x00]*$"),
]
Description = Annotated[str, StringConstraints(strip_whitespace=True, max_length=500, pattern=r"^[^\x00]*$")]
Slug = Annotated[str, StringConstraints(pattern=_SLUG, max_length=80)]
AnyDefinition = Annotated[
    dict[str, Any],
    Field(description="Variables, rows, panels and queries; the guide on dashboards describes the format"),
]
FORMAT = "fleetkeeper-dashboard"


class DashboardSummary(BaseModel):
    """A dashboard in a list."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID | None = Field(description="None of those that the product brings")
    slug: str = Field(
        description="What stands in its address; its id, where a private one of the caller's has the same slug"
    )
    name: str
    description: str
    visibility: str = Field(description="private or everyone")
    default_for: str | None = Field(description="`fleet` or the type of devices that it stands for")
    built_in: bool = Field(
        default=False, description="Brought by the product: to be looked at and duplicated"
    )
    owner: str = Field(description="Whose it is")
    is_own: bool
    may_change: bool = Field(description="Whether the caller may change and delete it")
    panels: int
    version: int
    created_at: datetime | None
    updated_at: datetime | None
    updated_by: str


class DashboardRead(DashboardSummary):
    """A whole dashboard."""

    definition: dict[str, Any]


class DashboardWrite(BaseModel):
    """A dashboard as its author wants it."""

    model_config = ConfigDict(extra="forbid")

    name: Name
    description: Description = ""
    visibility: Visibility = "private"
    default_for: DefaultFor | None = None
    definition: AnyDefinition


class DashboardCreate(DashboardWrite):
    """A new dashboard; its address comes from its name where none is given."""

    slug: Slug | None = None


class DashboardDocument(BaseModel):
    """A dashboard as a file: what export gives and import takes."""

    model_config = ConfigDict(extra="forbid")

    format: Literal["fleetkeeper-dashboard"] = "fleetkeeper-dashboard"
    slug: Slug | None = None
    name: Name
    description: Description = ""
    definition: AnyDefinition


class DashboardImport(DashboardDocument):
    """A file, and what becomes of it."""

    visibility: Visibility | None = Field(
        default=None, description="private, or as it was where one is replaced"
    )
    replace: bool = Field(
        default=False, description="Replace the one with the same slug, if it may be changed"
    )


class DashboardDuplicate(BaseModel):
    """The name of a copy."""

    model_config = ConfigDict(extra="forbid")

    name: Name | None = None


class DashboardPage(PageOf[DashboardSummary]):
    """One page of dashboards."""


class BuiltInDashboards(BaseModel):
    """The dashboards that the product brings."""

    results: list[DashboardSummary]


class Checked(BaseModel):
    """A definition that is right, with all defaults filled in."""

    definition: dict[str, Any]


class CheckedBody(BaseModel):
    """A definition to look at."""

    model_config = ConfigDict(extra="forbid")

    definition: AnyDefinition


class PanelQuestion(BaseModel):
    """What a panel shows: its queries, the variables that they name, and the range of time."""

    model_config = ConfigDict(extra="forbid")

    queries: list[Query] = Field(min_length=1, max_length=6)
    variables: list[Variable] = Field(default_factory=list, max_length=10)
    values: dict[str, Choices] = Field(
        default_factory=dict,
        max_length=10,
        description="What is chosen of each variable; an empty list is all, and its default where it is left out",
    )
    start: str = Field(alias="from", description="Epoch seconds or RFC 3339", max_length=40)
    end: str = Field(alias="to", description="Epoch seconds or RFC 3339", max_length=40)
    points: int = Field(default=300, ge=10, le=2000, description="About how many steps fit")


class PanelSeriesRead(BaseModel):
    """One line: values stand at the moments of its query's `times`."""

    name: str
    unit: str
    labels: dict[str, str]
    device: str | None = Field(description="The id of the device that it belongs to, if it does to one")
    compared: bool
    values: list[float | None]


class QueryAnswerRead(BaseModel):
    """What one query gave."""

    times: list[float] = Field(description="Epoch seconds, oldest first")
    step: str
    total: int = Field(description="How many series there are, of which some may be left out")
    series: list[PanelSeriesRead]
    text: str = Field(description="The query as it was asked, for Explore")
    warnings: list[str]


class PanelAnswerRead(BaseModel):
    """What a panel shows: an answer for each query."""

    start: float = Field(alias="from")
    end: float = Field(alias="to")
    answers: list[QueryAnswerRead]
