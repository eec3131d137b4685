"""What the API says of decisions of agents, and of what people say of them."""

from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, model_validator

from fleetkeeper.device_requests.schemas import JsonList, JsonObject
from fleetkeeper.identity.texts import Description, Name
from fleetkeeper.kit.pagination import PageOf

Label = Annotated[str, Field(max_length=100, pattern=r"^[^\x00]*$")]


class Verdict(StrEnum):
    """What a person says of a decision."""

    AGREE = "agree"
    DISAGREE = "disagree"
    # How it turned out.
    OUTCOME = "outcome"


class DecisionWrite(BaseModel):
    """What an agent decided about a request."""

    model_config = ConfigDict(extra="forbid")

    request_id: UUID
    agent_name: Name
    agent_model: Label = ""
    agent_version: Label = ""
    decision_type: Annotated[Name, Field(description="Such as approval, selection or routing")]
    decision_value: Annotated[str, Field(min_length=1, max_length=10_000, pattern=r"^[^\x00]*$")]
    reasoning: JsonObject = Field(default_factory=dict, description="Context and rationale")
    inputs: JsonObject = Field(default_factory=dict, description="What the agent knew")
    evidence: JsonList = Field(default_factory=list, description="What it goes by", max_length=1000)
    confidence_score: Annotated[
        Decimal, Field(ge=0, le=1, max_digits=3, decimal_places=2, description="0 to 1, by hundredths")
    ]
    resulting_change: JsonObject | None = Field(
        default=None, description="What it led to, such as the table and ID of a row"
    )


class DecisionRead(BaseModel):
    """A decision in a list, with what people said of it last."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    request_id: UUID
    request_type: str = ""
    device_id: UUID | None = None
    agent_name: str
    agent_model: str
    agent_version: str
    decision_type: str
    decision_value: str
    confidence_score: float
    verdict: Verdict | None = Field(default=None, description="The last agree or disagree")
    waits_for_person: bool = Field(default=False, description="An answer waits for a verdict")
    recorded_by: str
    created_at: datetime


class VerdictWrite(BaseModel):
    """What a person says of a decision."""

    model_config = ConfigDict(extra="forbid")

    verdict: Verdict
    comment: Description = ""

    @model_validator(mode="after")
    def _check(self) -> "VerdictWrite":
        if self.verdict == Verdict.OUTCOME and not self.comment.strip():
            raise ValueError("comment: say how it turned out")
        return self


class VerdictRead(BaseModel):
    """What a person said of a decision."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    verdict: Verdict
    comment: str
    answer: dict[str, Any] | None = Field(description="The answer that it was about, where one waited for it")
    user_id: UUID | None
    user_name: str
    created_at: datetime


class DecisionDetail(DecisionRead):
    """A decision with its reasons and verdicts."""

    reasoning: dict[str, Any]
    inputs: dict[str, Any]
    evidence: list[Any]
    resulting_change: dict[str, Any] | None
    verdicts: list[VerdictRead] = Field(default_factory=list)


class DecisionPage(PageOf[DecisionRead]):
    """One page of decisions."""


class Step(StrEnum):
    """The length of a step of time."""

    DAY = "day"
    WEEK = "week"


class AgreementPoint(BaseModel):
    """How often people agreed with an agent in one step of time; a decision counts by its last verdict."""

    start: datetime
    agent: str
    decisions: int
    judged: int
    agreed: int
    agreement: float | None = Field(description="agreed / judged; null without a verdict")


class Agreement(BaseModel):
    """Agreement of people with agents over time."""

    step: Step
    points: list[AgreementPoint]
