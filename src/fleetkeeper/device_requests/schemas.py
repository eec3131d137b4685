"""What the API says of requests and their responses."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from fleetkeeper.device_requests.payloads import PayloadError, canonical
from fleetkeeper.device_requests.status import DeviceRequestStatus, ResponseStatus
from fleetkeeper.identity.texts import Name
from fleetkeeper.kit.pagination import PageOf
from fleetkeeper.kit.patterns import shaped

MOST_METADATA = 50
_TYPE = shaped(
    r"^[A-Za-z0-9][A-Za-z0-9_.:/-]*$", "be letters, digits and any of _ . : / -, such as get_parts"
)
RequestType = Annotated[str, Field(min_length=1, max_length=50, pattern=_TYPE)]
MetadataValue = Annotated[str, Field(max_length=2000, pattern=r"^[^\x00]*$")]
Metadata = Annotated[
    dict[Name, MetadataValue],
    Field(max_length=MOST_METADATA, description=f"At most {MOST_METADATA} pairs of texts"),
]


def _storable(value: Any) -> Any:
    try:
        canonical(value)
    except PayloadError as error:
        raise ValueError(str(error)) from None
    return value


JsonObject = Annotated[dict[str, Any], AfterValidator(_storable)]
JsonList = Annotated[list[Any], AfterValidator(_storable)]
Reason = Annotated[str, Field(max_length=500, pattern=r"^[^\x00]*$")]


class RequestSubmit(BaseModel):
    """What a device asks for."""

    model_config = ConfigDict(extra="forbid")

    type: RequestType
    payload: JsonObject = Field(default_factory=dict, description="At most 256 KiB")
    metadata: Metadata = Field(default_factory=dict)


class RequestSubmitted(BaseModel):
    """A request that was taken on, or the same one of a moment ago."""

    id: UUID
    type: str
    status: DeviceRequestStatus
    payload_hash: str
    duplicate: bool = Field(description="Whether the same request was there already: this is its ID")
    created_at: datetime


class DeviceRequestRead(BaseModel):
    """A request in a list."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    device_id: UUID
    device_name: str = Field(default="", description="Empty for a device that you may not view")
    department_id: UUID | None
    request_type: str
    status: DeviceRequestStatus
    payload_hash: str | None
    attempts: int = Field(description="Leases since it was submitted, or retried by a person")
    needs_person: bool = Field(description="A person disagreed with an agent, so people answer it")
    waits_for_person: bool = Field(default=False, description="An answer waits for a person's verdict")
    handler_id: UUID | None
    handled_by: str
    lease_expires_at: datetime | None
    failure: str
    dead_at: datetime | None = Field(description="When it failed for good")
    answered_at: datetime | None
    version: int
    created_at: datetime
    updated_at: datetime


class ResponseRead(BaseModel):
    """A request's response."""

    id: UUID
    request_id: UUID
    status: ResponseStatus
    content: dict[str, Any]
    ai_processed: bool
    answered_by: str
    metadata: dict[str, str] = Field(default_factory=dict)
    ready_at: datetime | None
    delivered_at: datetime | None
    delivery_attempts: int
    failure: str
    version: int
    created_at: datetime


class DeviceRequestDetail(DeviceRequestRead):
    """A request with its payload, metadata and response."""

    created_by: UUID | None
    payload: dict[str, Any]
    metadata: dict[str, str] = Field(default_factory=dict)
    response: ResponseRead | None = None


class DeviceRequestPage(PageOf[DeviceRequestRead]):
    """One page of requests."""


class Because(BaseModel):
    """Why something is done."""

    model_config = ConfigDict(extra="forbid")

    reason: Reason = ""
