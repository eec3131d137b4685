"""What the API says of old requests."""

from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from fleetkeeper.device_requests.status import DeviceRequestStatus
from fleetkeeper.kit.pagination import PageOf


class ArchivedRead(BaseModel):
    """A request that is in the archive."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    device_id: UUID
    device_name: str = Field(description="As the device was called then")
    department_id: UUID | None
    request_type: str
    status: DeviceRequestStatus
    payload_hash: str | None
    created_at: datetime
    archived_at: datetime


class ArchivedDetail(ArchivedRead):
    """The same with all that belonged to it."""

    document: dict[str, Any] = Field(
        description="The request with its payload, metadata, response, and decisions with verdicts"
    )


class ArchivedPage(PageOf[ArchivedRead]):
    """One page of old requests."""
