"""What the API says of files of requests."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from fleetkeeper.cloud_files.status import SyncStatus
from fleetkeeper.cloud_files.stores.schemas import Provider
from fleetkeeper.kit.pagination import PageOf

FileName = Annotated[
    str,
    Field(
        min_length=1,
        max_length=1000,
        description="Name of the file; paths and control characters are removed",
    ),
]


class FileType(StrEnum):
    """Whether a file belongs to what was asked or to the answer."""

    REQUEST = "request"
    RESPONSE = "response"


class CloudFileRead(BaseModel):
    """A file of a request or of its response."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    request_id: UUID
    response_id: UUID | None = Field(description="The response that it belongs to, once there is one")
    request_type: str = ""
    department_id: UUID | None
    store_id: UUID
    store_name: str = Field(default="", description="Empty for a store that you may not view")
    name: str
    media_type: str
    file_type: FileType
    cloud_provider: Provider
    cloud_path: str = Field(description="Path in the store")
    file_size_bytes: int
    sha256: str = Field(description="Checksum in hexadecimal")
    uploaded_by: str
    uploaded_at: datetime | None = Field(description="When the store had all of it")
    sync_status: SyncStatus
    uploaded_bytes: int = Field(description="How much of it the store has so far")
    attempts: int = Field(description="Since it came, since a part of it was taken, or since a retry")
    next_attempt_at: datetime
    problem: str = Field(description="What went wrong last")
    version: int
    created_at: datetime
    updated_at: datetime


class CloudFilePage(PageOf[CloudFileRead]):
    """One page of files."""


class DeviceFile(BaseModel):
    """A file as its device sees it."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    name: str
    media_type: str
    file_type: FileType
    file_size_bytes: int
    sha256: str = Field(description="Checksum in hexadecimal")
    created_at: datetime


class DeviceFiles(BaseModel):
    """The files of a request, oldest first."""

    results: list[DeviceFile]
