"""What the API says of stores."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, SecretStr

from fleetkeeper.identity.texts import Name
from fleetkeeper.kit.pagination import PageOf
from fleetkeeper.kit.patterns import shaped

_FOLDER = shaped(
    r"^([^/\\\x00-\x1f\x7f:*?<>|\"]+(/[^/\\\x00-\x1f\x7f:*?<>|\"]+)*)?$",
    'be names with / between them, such as fleet/requests, without any of \\ : * ? < > | "',
)
_BUCKET = shaped(r"^([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])?$", "be the name of a bucket, such as fleet-files")
_ADDRESS = shaped(
    r"^(https?://[A-Za-z0-9.\[\]:-]+(/[A-Za-z0-9._~/-]*)?)?$", "be a URL such as https://minio.example:9000"
)
_WORD = shaped(r"^[A-Za-z0-9._!@+=/-]*$", "be letters, digits and any of . _ ! @ + = / -")


class Provider(StrEnum):
    """What kind of store it is."""

    LOCAL = "local"
    S3 = "s3"
    SHAREPOINT = "sharepoint"
    GOOGLE_DRIVE = "google-drive"

    @property
    def label(self) -> str:
        """What people choose."""
        return _LABELS[self.value]


_LABELS = {
    "local": "Local folder",
    "s3": "S3-compatible bucket",
    "sharepoint": "SharePoint",
    "google-drive": "Google Drive",
}
Word = Annotated[str, Field(max_length=200, pattern=_WORD)]
Address = Annotated[str, Field(max_length=300, pattern=_ADDRESS)]


class CloudStoreWrite(BaseModel):
    """What is entered of a store. Fields that its provider does not use are not kept."""

    model_config = ConfigDict(extra="forbid")

    name: Name
    provider: Provider = Provider.LOCAL
    department_id: UUID | None = Field(
        default=None, description="Files of this department and those below it; null: all"
    )
    is_active: bool = True
    folder: Annotated[str, Field(max_length=300, pattern=_FOLDER)] = Field(
        default="",
        description="Folder below the server's, prefix in the bucket, folder in the document library, or ID of the "
        "Google Drive folder",
    )
    bucket: Annotated[str, Field(max_length=63, pattern=_BUCKET)] = Field(
        default="", description="S3: bucket"
    )
    endpoint: Address = Field(default="", description="S3: URL of the service; empty for Amazon S3")
    region: Annotated[str, Field(max_length=50, pattern=_WORD)] = Field(default="", description="S3: region")
    drive_id: Word = Field(default="", description="SharePoint: ID of the document library (drive)")
    tenant_id: Annotated[str, Field(max_length=100, pattern=_WORD)] = Field(
        default="", description="SharePoint: ID or domain of the Microsoft Entra tenant"
    )
    client_id: Word = Field(default="", description="S3: access key ID; SharePoint: application (client) ID")
    api_url: Address = Field(
        default="", description="SharePoint and Google Drive: URL of the API, for national clouds and proxies"
    )
    login_url: Address = Field(
        default="",
        description="SharePoint and Google Drive: URL of the sign-in, for national clouds and proxies",
    )
    secret: Annotated[SecretStr, Field(min_length=1, max_length=10_000)] | None = Field(
        default=None,
        description="S3: secret access key; SharePoint: client secret; Google Drive: JSON key file of the service "
        "account. Never answered again; null keeps the one that is there",
    )


class CloudStoreRead(BaseModel):
    """A store, without its credential."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    name: str
    provider: Provider
    department_id: UUID | None
    is_active: bool
    folder: str
    bucket: str
    endpoint: str
    region: str
    drive_id: str
    tenant_id: str
    client_id: str
    api_url: str
    login_url: str
    has_secret: bool
    version: int
    created_at: datetime
    updated_at: datetime


class CloudStorePage(PageOf[CloudStoreRead]):
    """One page of stores."""


class StoreCheck(BaseModel):
    """How a check of the connection went."""

    works: bool
    detail: str
