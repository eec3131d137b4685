"""What the API says of refused samples."""

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, Field

from fleetkeeper.kit.pagination import PageOf


class RefusalRead(BaseModel):
    """Samples that were refused for one reason, with the newest example."""

    id: int
    protocol: str = Field(description="prometheus, influx, otlp or collectd; native for agents")
    reason: str = Field(description="As in the counters of /metrics")
    meaning: str = Field(description="What the reason means")
    cure: str = Field(description="What to do about it")
    samples: int = Field(description="How many since `first_seen`; requests where the reason is `request`")
    first_seen: datetime
    last_seen: datetime
    sentence: str = Field(description="What the newest answer said")
    example: str = Field(
        description="The newest series, line or frame, cut to 300 characters; control characters are escaped"
    )
    department_id: UUID | None
    department_name: str | None
    device_id: UUID | None = Field(description="The device that the newest were for, or whose key was used")
    device_name: str | None
    token_id: UUID | None = Field(description="The API token that the newest came with")
    token_name: str | None


class RefusalPage(PageOf[RefusalRead]):
    """One page of reasons, the newest first."""
