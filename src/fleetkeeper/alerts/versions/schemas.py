"""What the API says of versions of rules."""

from datetime import datetime

from pydantic import BaseModel, Field


class AlertRuleVersionRead(BaseModel):
    """A version of a rule."""

    version: int
    at: datetime
    actor: str = Field(description="Who made it; empty when that is not known")
    changes: list[str] = Field(description="What it changed, in words; empty for the oldest one")
    is_current: bool
