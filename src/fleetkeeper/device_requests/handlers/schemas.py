"""What the API says of handlers."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, model_validator

from fleetkeeper.identity.texts import Name
from fleetkeeper.kit.pagination import PageOf
from fleetkeeper.kit.patterns import shaped

_TYPE = shaped(
    r"^(\*|[A-Za-z0-9][A-Za-z0-9_.:/-]*)$",
    "be a request type such as get_parts, or * for all",
)


class HandlerKind(StrEnum):
    """Who or what a handler is."""

    PEOPLE = "people"
    WEBHOOK = "webhook"
    AGENT = "agent"
    AUTOMATION = "automation"


class RequestHandlerWrite(BaseModel):
    """What is entered of a handler."""

    model_config = ConfigDict(extra="forbid")

    name: Name
    kind: HandlerKind = HandlerKind.PEOPLE
    request_types: list[Annotated[str, Field(min_length=1, max_length=50, pattern=_TYPE)]] = Field(
        default=["*"], min_length=1, max_length=100, description="Request types; * is every type"
    )
    department_id: UUID | None = Field(
        default=None, description="Requests of this department and those below it; null: all"
    )
    lease_seconds: Annotated[
        int, Field(ge=5, le=86_400, description="How long a request is its own before others get it")
    ] = 300
    max_attempts: Annotated[
        int, Field(ge=1, le=20, description="Leases after which a request has failed")
    ] = 3
    channel_id: UUID | None = Field(
        default=None, description="The notification channel that a webhook's requests are sent to"
    )
    response_channel_id: UUID | None = Field(
        default=None, description="The notification channel that responses are sent to"
    )
    enabled: bool = True

    @model_validator(mode="after")
    def _check(self) -> "RequestHandlerWrite":
        if (self.kind == HandlerKind.WEBHOOK) != (self.channel_id is not None):
            raise ValueError("channel_id: a handler of kind webhook has a channel, and no other has")
        return self


class RequestHandlerRead(RequestHandlerWrite):
    """A handler."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    version: int
    created_at: datetime
    updated_at: datetime


class RequestHandlerPage(PageOf[RequestHandlerRead]):
    """One page of handlers."""
