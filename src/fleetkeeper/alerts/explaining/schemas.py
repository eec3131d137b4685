"""What the API says of why an alert was told."""

from datetime import datetime
from enum import StrEnum

from pydantic import BaseModel, Field


class About(StrEnum):
    """What a step is about, in the order in which an alert passes them."""

    RULE = "rule"
    STATE = "state"
    SUPPRESSION = "suppression"
    ROUTE = "route"
    GROUP = "group"
    RECEIVER = "receiver"
    NOTIFICATION = "notification"
    YOU = "you"


class Effect(StrEnum):
    """What a step does: lets people be notified, holds the alert back, or neither."""

    PASSES = "passes"
    HOLDS = "holds"
    NEUTRAL = "neutral"


class ExplanationStep(BaseModel):
    """One step on the way from the rule to a recipient."""

    about: About
    effect: Effect
    text: str
    at: datetime | None = Field(default=None, description="When it happened, or will")
    depth: int = Field(default=0, description="Of a route: how far below the first one it lies")
    href: str = Field(default="", description="Page of the console about it")


class AlertExplanation(BaseModel):
    """Why people were notified of an alert, or were not."""

    answer: str
    is_told: bool = Field(description="Whether at least one notification was made")
    steps: list[ExplanationStep]
