"""What the API says of rules."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, model_validator

from fleetkeeper.identity.texts import Name
from fleetkeeper.kit.pagination import PageOf

Mode = Literal["sequence", "together"]
Ids = Annotated[list[UUID], Field(max_length=100)]
Hours = Annotated[int, Field(ge=1, le=8760)]
Minimum = Annotated[int, Field(ge=1, le=20, description="Number of people who must approve")]
Threshold = Annotated[
    float | None,
    Field(ge=0, le=1e15, description="Applies to actions of at least this amount; null: to all"),
]
DepartmentId = Annotated[
    UUID | None, Field(description="Applies in this department and those below it; null: everywhere")
]
Position = Annotated[
    int, Field(ge=0, le=10_000, description="The first rule that matches applies, lowest position first")
]


class Approvers(BaseModel):
    """Who may decide: users, members of groups, and holders of roles in the request's department."""

    model_config = ConfigDict(extra="forbid", from_attributes=True)

    users: Ids = []
    groups: Ids = []
    roles: Ids = []

    @property
    def is_nobody(self) -> bool:
        """Whether nobody is named."""
        return not (self.users or self.groups or self.roles)


class Level(Approvers):
    """A level of a rule."""

    minimum: Minimum = 1

    @model_validator(mode="after")
    def _check_somebody(self) -> "Level":
        if self.is_nobody:
            raise ValueError("must name at least one user, group or role")
        return self


Levels = Annotated[list[Level], Field(min_length=1, max_length=10)]


class ApprovalRuleCreate(BaseModel):
    """A new rule."""

    model_config = ConfigDict(extra="forbid")

    name: Name
    kind: str = Field(max_length=80, description="The kind of action, from `/approval-rules/kinds`")
    enabled: bool = True
    department_id: DepartmentId = None
    threshold: Threshold = None
    position: Position = 0
    mode: Mode = Field(
        default="sequence", description="Whether levels decide one after another or all at once"
    )
    levels: Levels
    expires_hours: Hours = 72
    escalation_hours: Hours | None = Field(
        default=None, description="After so many hours those of `escalation` may decide, too"
    )
    escalation: Approvers = Approvers()


class ApprovalRuleUpdate(BaseModel):
    """Changes of a rule. Requests that wait keep the rule as it was."""

    model_config = ConfigDict(extra="forbid")

    name: Name | None = None
    enabled: bool | None = None
    department_id: DepartmentId = None
    threshold: Threshold = None
    position: Position | None = None
    mode: Mode | None = None
    levels: Levels | None = None
    expires_hours: Hours | None = None
    escalation_hours: Hours | None = None
    escalation: Approvers | None = None

    @model_validator(mode="after")
    def _check_nulls(self) -> "ApprovalRuleUpdate":
        nullable = {"department_id", "threshold", "escalation_hours"}
        emptied = sorted(name for name in self.model_fields_set - nullable if getattr(self, name) is None)
        if emptied:
            raise ValueError(f"{', '.join(emptied)} cannot be null")
        return self


class ApprovalRuleRead(BaseModel):
    """A rule."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    name: str
    kind: str
    title: str = Field(default="", description="What people call the kind")
    unit: str = Field(default="", description="What the threshold counts")
    enabled: bool
    department_id: UUID | None
    threshold: float | None
    position: int
    mode: Mode
    levels: list[Level]
    expires_hours: int
    escalation_hours: int | None
    escalation: Approvers
    version: int
    created_at: datetime
    updated_at: datetime


class ApprovalRulePage(PageOf[ApprovalRuleRead]):
    """One page of rules."""


class ApprovalKindRead(BaseModel):
    """A kind of action that can need approval."""

    name: str
    title: str
    unit: str = Field(description="What thresholds count")
