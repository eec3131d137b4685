"""What a device is told of its responses."""

from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import BaseModel, Field

from fleetkeeper.device_requests.status import DeviceRequestStatus, ResponseStatus


class DeviceResponse(BaseModel):
    """How far a request is, and its response once that is ready."""

    request_id: UUID
    type: str
    request_status: DeviceRequestStatus
    status: ResponseStatus | None = Field(description="Null until somebody has answered")
    content: dict[str, Any] | None = Field(description="Null until the response is ready")
    metadata: dict[str, str] = Field(default_factory=dict)
    ai_processed: bool = False
    failure: str = Field(default="", description="Why there is no answer, or why it was given up")
    ready_at: datetime | None = None
    delivered_at: datetime | None = None


class Undelivered(BaseModel):
    """Responses that are ready and not acknowledged, oldest first."""

    results: list[DeviceResponse]
