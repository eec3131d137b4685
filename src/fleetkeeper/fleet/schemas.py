"""What the API says of enrollment and agents."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from fleetkeeper.fleet.status import EnrollmentTokenState
from fleetkeeper.kit.networks import Network
from fleetkeeper.kit.pagination import PageOf

ShortText = Annotated[str, Field(max_length=300)]
# The database's driver reads them as networks.
Networks = Annotated[list[str], BeforeValidator(lambda networks: [str(one) for one in networks])]


class EnrollmentTokenCreate(BaseModel):
    """A new enrollment token."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(
        min_length=1,
        max_length=100,
        pattern=r"^[^\x00]*$",
        description="Name of the token, such as what it is used for",
    )
    max_uses: int = Field(default=1, ge=1, le=100_000, description="How many machines may enroll with it")
    ttl_seconds: int = Field(
        default=86_400, ge=60, le=31_536_000, description="Time until it expires (seconds)"
    )
    department_id: UUID | None = Field(default=None, description="Department for new devices")
    allowed_networks: list[Network] | None = Field(
        default=None, max_length=20, description="Networks it may be used from; default: anywhere"
    )


class DeviceEnrollment(BaseModel):
    """How long, and from where, a device may enroll again."""

    model_config = ConfigDict(extra="forbid")

    ttl_seconds: int = Field(default=86_400, ge=60, le=604_800, description="Time until it expires (seconds)")
    allowed_networks: list[Network] | None = Field(
        default=None, max_length=20, description="Networks it may be used from; default: anywhere"
    )


class EnrollmentTokenRead(BaseModel):
    """An enrollment token, without its secret."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    name: str
    state: EnrollmentTokenState
    max_uses: int
    uses: int
    created_at: datetime
    expires_at: datetime
    revoked_at: datetime | None
    department_id: UUID | None
    device_id: UUID | None = Field(description="The device that it enrolls again; null: it makes a new one")
    allowed_networks: Networks | None
    last_used_at: datetime | None


class EnrollmentTokenCreated(EnrollmentTokenRead):
    """The one time that the secret is shown."""

    token: str


class EnrollmentTokenPage(PageOf[EnrollmentTokenRead]):
    """Enrollment tokens, newest first."""


class EnrollBody(BaseModel):
    """What a machine sends to enroll."""

    token: str = Field(min_length=1, max_length=200)
    hostname: str = Field(min_length=1, max_length=255, pattern=r"^[^\x00]*$")
    identities: dict[ShortText, ShortText] = Field(default_factory=dict, max_length=20)


class Enrolled(BaseModel):
    """The device and its key, shown once."""

    device_id: UUID
    device_key: str
    note: str = Field(
        default="", description="What to know, as that another device has this name; else empty"
    )


class DeviceKeyRotated(BaseModel):
    """A device's new key, shown once."""

    device_key: str
    old_key_valid_seconds: int = Field(
        description="How long the old key works once the new one has been used; until then it works on"
    )


class AgentRead(BaseModel):
    """An agent and the device that it runs on."""

    device_id: UUID
    device_name: str
    status: str
    version: str | None
    enrolled_at: datetime
    last_contact: datetime | None
    collectors: list[dict[str, Any]]
    is_revoked: bool = Field(description="No key of the device is valid; the agent must enroll again")


class AgentPage(PageOf[AgentRead]):
    """One page of agents."""
