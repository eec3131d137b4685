"""What handlers say and are told."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from fleetkeeper.device_requests.schemas import JsonObject, Metadata, Reason, RequestType

MOST_WAIT_SECONDS = 20
Token = Annotated[UUID, Field(description="The lease token that came with the request")]


class LeaseAsk(BaseModel):
    """What a handler takes on."""

    model_config = ConfigDict(extra="forbid")

    handler: Annotated[str, Field(min_length=1, max_length=100, description="Name or ID of the handler")]
    types: list[RequestType] | None = Field(
        default=None,
        max_length=100,
        description="Only these request types of the handler's; null: all of them",
    )
    limit: Annotated[int, Field(ge=1, le=100)] = 1
    wait_seconds: Annotated[
        float, Field(ge=0, le=MOST_WAIT_SECONDS, description="How long to wait for a request to arrive")
    ] = 0


class LeasedRequest(BaseModel):
    """A request that is the handler's until its lease ends."""

    id: UUID
    type: str
    device_id: UUID
    device_name: str
    payload: dict[str, Any]
    metadata: dict[str, str]
    attempt: int
    lease_token: UUID
    lease_expires_at: datetime
    created_at: datetime


class Leased(BaseModel):
    """What was handed out; nothing where nothing waits."""

    requests: list[LeasedRequest]


class LeaseExtend(BaseModel):
    """A handler needs longer."""

    model_config = ConfigDict(extra="forbid")

    lease_token: Token
    seconds: Annotated[int, Field(ge=5, le=86_400)] | None = Field(
        default=None, description="From now on; null: as long as the handler's leases are"
    )


class LeaseRelease(BaseModel):
    """A handler gives a request back."""

    model_config = ConfigDict(extra="forbid")

    lease_token: Token
    reason: Reason = ""


class LeaseFail(BaseModel):
    """A handler could not answer."""

    model_config = ConfigDict(extra="forbid")

    lease_token: Token
    reason: Annotated[Reason, Field(min_length=1)]
    retry: bool = Field(default=True, description="Whether another attempt may succeed")


class AnswerWrite(BaseModel):
    """The answer."""

    model_config = ConfigDict(extra="forbid")

    lease_token: Token
    content: JsonObject = Field(description="At most 256 KiB")
    ai_processed: bool = Field(default=False, description="Whether an AI agent made it")
    metadata: Metadata = Field(default_factory=dict)
