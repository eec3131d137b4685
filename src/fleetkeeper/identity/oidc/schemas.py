"""What the API says of identity providers."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, SecretStr, model_validator

from fleetkeeper.identity.oidc.presets import Preset
from fleetkeeper.kit.pagination import PageOf
from fleetkeeper.kit.patterns import shaped

_PLAIN = r"^[^\x00-\x1f\x7f]*$"
_SLUG = shaped(r"^[a-z0-9][a-z0-9-]{0,48}$", "be lowercase letters, digits and hyphens, such as my-company")
_SCOPES = shaped(
    r"^[\x21-\x7e]+( [\x21-\x7e]+)*$", "be scopes separated by single spaces, such as openid email"
)
_DOMAIN = shaped(r"^[A-Za-z0-9.-]+$", "be a domain such as example.com")
Slug = Annotated[str, Field(pattern=_SLUG, description="Its part in addresses")]
Name = Annotated[str, Field(min_length=1, max_length=100, pattern=_PLAIN)]
Issuer = Annotated[str, Field(min_length=1, max_length=500, pattern=_PLAIN)]
ClientId = Annotated[str, Field(min_length=1, max_length=300, pattern=_PLAIN)]
ClientSecret = Annotated[SecretStr, Field(min_length=1, max_length=1000, description="Never shown again")]
Scopes = Annotated[str, Field(min_length=1, max_length=300, pattern=_SCOPES)]
Claim = Annotated[str, Field(min_length=1, max_length=100, pattern=_PLAIN)]
Domain = Annotated[str, Field(min_length=1, max_length=255, pattern=_DOMAIN)]
ScimClaim = Annotated[
    str,
    Field(
        min_length=1,
        max_length=100,
        pattern=_PLAIN,
        description="The claim that equals the externalId of accounts made by SCIM, which so belong to this provider",
    ),
]
RecheckSeconds = Annotated[
    int,
    Field(
        ge=0,
        le=86_400,
        description="How long the groups of a session are believed without asking the provider again (seconds)",
    ),
]


class ProviderCreate(BaseModel):
    """A new provider. What is left out is as the preset has it."""

    model_config = ConfigDict(extra="forbid")

    slug: Slug
    name: Name
    preset: Preset = Preset.GENERIC
    issuer: Issuer | None = Field(default=None, description="Needed, save for Google")
    client_id: ClientId
    client_secret: ClientSecret | None = None
    scopes: Scopes | None = None
    groups_claim: Claim | None = None
    hosted_domain: Domain | None = None
    scim_claim: ScimClaim | None = None
    enabled: bool = True
    creates_users: bool = True
    recheck_seconds: RecheckSeconds = 60


class ProviderUpdate(BaseModel):
    """Changes of a provider. A client secret of null removes it; one that is left out stays."""

    model_config = ConfigDict(extra="forbid")

    name: Name | None = None
    issuer: Issuer | None = None
    client_id: ClientId | None = None
    client_secret: ClientSecret | None = None
    scopes: Scopes | None = None
    groups_claim: Claim | None = None
    hosted_domain: Domain | None = None
    scim_claim: ScimClaim | None = None
    enabled: bool | None = None
    creates_users: bool | None = None
    recheck_seconds: RecheckSeconds | None = None

    @model_validator(mode="after")
    def _check_nulls(self) -> "ProviderUpdate":
        emptied = [
            name
            for name in self.model_fields_set - {"client_secret", "hosted_domain", "scim_claim"}
            if getattr(self, name) is None
        ]
        if emptied:
            raise ValueError(f"{', '.join(sorted(emptied))} cannot be null")
        return self


class ProviderRead(BaseModel):
    """A provider, without its secret."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    slug: str
    name: str
    preset: str
    issuer: str
    client_id: str
    has_client_secret: bool
    scopes: str
    groups_claim: str
    hosted_domain: str | None
    scim_claim: str | None
    enabled: bool
    creates_users: bool
    recheck_seconds: int
    created_at: datetime
    updated_at: datetime


class ProviderPage(PageOf[ProviderRead]):
    """Providers."""


class ProviderCheck(BaseModel):
    """Whether a provider can be used, as its own description says."""

    works: bool
    detail: str
    authorization_endpoint: str | None = None
    has_userinfo: bool | None = None
