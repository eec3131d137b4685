"""What is said of recording rules."""

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from fleetkeeper.kit.pagination import PageOf


class RecordingRuleRead(BaseModel):
    """A recording rule, and how its last evaluation went."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    name: str
    expr: str
    labels: dict[str, str]
    interval_seconds: int
    enabled: bool
    origin_key: str
    updated_at: datetime
    evaluated_at: datetime | None = None
    failing_since: datetime | None = None
    problem: str = ""

    @property
    def file(self) -> str:
        """The rule file that it is of."""
        return self.origin_key.partition("/")[0]

    @property
    def group(self) -> str:
        """Its group in that file."""
        return self.origin_key.partition("/")[2].rpartition("/")[0]


class RecordingRulePage(PageOf[RecordingRuleRead]):
    """One page of recording rules."""
