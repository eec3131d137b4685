"""What the API says of requests and decisions."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from fleetkeeper.approvals.status import RequestState
from fleetkeeper.kit.pagination import PageOf

Comment = Annotated[str, Field(max_length=500, pattern=r"^[^\x00]*$")]


class Decide(BaseModel):
    """A decision's comment."""

    model_config = ConfigDict(extra="forbid")

    comment: Comment = ""


class Reject(BaseModel):
    """Why a request is rejected."""

    model_config = ConfigDict(extra="forbid")

    comment: Annotated[Comment, Field(min_length=1)]


class DecisionRead(BaseModel):
    """What one person decided."""

    model_config = ConfigDict(from_attributes=True)

    level: int = Field(description="From 0 on")
    user_id: UUID | None
    user_name: str
    on_behalf_of_name: str = Field(description="Whom the user stood in for; empty for nobody")
    decision: str = Field(description="approve or reject")
    comment: str
    decided_at: datetime


class ApprovalRead(BaseModel):
    """A request for approval."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    kind: str
    title: str = Field(default="", description="What people call the kind")
    status: RequestState
    subject_type: str
    subject_id: str
    subject_label: str
    subject_href: str
    facts: list[tuple[str, str]]
    amount: float
    department_id: UUID | None
    requester_id: UUID | None
    requester_name: str
    reason: str
    rule: dict[str, Any] = Field(description="The rule that applied, as it was then")
    is_escalated: bool
    supersedes_id: UUID | None
    requested_at: datetime
    expires_at: datetime
    decided_at: datetime | None
    problem: str = Field(description="Why it could not be carried out")


class ApprovalDetail(ApprovalRead):
    """A request with its decisions, and what the reader may do."""

    decisions: list[DecisionRead]
    open_levels: list[int] = Field(description="Levels that lack approvals now, from 0 on")
    can_decide: bool
    can_cancel: bool


class ApprovalPage(PageOf[ApprovalRead]):
    """One page of requests."""
