"""What the API says of channels. Secrets go in and never come out."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, SecretStr, model_validator

from fleetkeeper.identity.texts import MAIL_ADDRESS, Name
from fleetkeeper.kit.pagination import PageOf
from fleetkeeper.kit.patterns import shaped

_PLAIN = r"^[^\x00-\x1f\x7f]*$"
_HOST = shaped(r"^[A-Za-z0-9.:_-]+$", "be a host name or an IP address, such as mail.example.com")
_SENDER = shaped(
    r"^[^@\s\x00-\x1f\x7f<>,;:\"]+@[A-Za-z0-9.-]+$", "be an email address such as fleet@example.com"
)


class ChannelKind(StrEnum):
    """By what a channel tells."""

    EMAIL = "email"
    WEBHOOK = "webhook"
    CHAT = "chat"


class MailSecurity(StrEnum):
    """How the way to a mail server is protected."""

    STARTTLS = "starttls"
    TLS = "tls"
    NONE = "none"

    @property
    def label(self) -> str:
        """What people choose."""
        return self.capitalize() if self is MailSecurity.NONE else self.upper()


class WebhookFormat(StrEnum):
    """What a webhook's body looks like: the product's own, or Alertmanager's (version 4) for alerts."""

    STANDARD = "standard"
    ALERTMANAGER = "alertmanager"


Url = Annotated[str, Field(max_length=2000, pattern=_PLAIN, description="Where a webhook goes")]
Host = Annotated[str, Field(max_length=255, pattern=_HOST, description="The mail server")]
Port = Annotated[int, Field(ge=1, le=65_535)]
Username = Annotated[str, Field(max_length=255, pattern=_PLAIN, description="Username at the mail server")]
Sender = Annotated[
    str,
    Field(
        max_length=255,
        pattern=_SENDER,
        description="The From address of mails",
    ),
]
Secret = Annotated[
    SecretStr,
    Field(
        min_length=1,
        max_length=2000,
        description="The password of a mail server, the signing secret of a webhook (`whsec_…`; one is created "
        "if you give none), or the Apprise URL of a chat service. Never answered again",
    ),
]
PerMinute = Annotated[int, Field(ge=1, le=6000, description="Maximum deliveries per minute; the rest wait")]


class ChannelCreate(BaseModel):
    """A new channel. Which of the fields are needed depends on its kind."""

    model_config = ConfigDict(extra="forbid")

    name: Name
    kind: ChannelKind
    department_id: UUID | None = Field(
        default=None, description="Department that owns the channel; null for the whole installation"
    )
    enabled: bool = True
    per_minute: PerMinute = 60
    url: Url | None = None
    format: WebhookFormat = Field(
        default=WebhookFormat.STANDARD,
        description="Body of a webhook: `alertmanager` is that of Prometheus' Alertmanager, for alerts",
    )
    host: Host | None = None
    port: Port | None = None
    security: MailSecurity | None = None
    username: Username | None = None
    sender: Sender | None = None
    secret: Secret | None = None


class ChannelUpdate(BaseModel):
    """Changes of a channel. Its kind and department stay. A secret of null removes a mail server's password."""

    model_config = ConfigDict(extra="forbid")

    name: Name | None = None
    enabled: bool | None = None
    per_minute: PerMinute | None = None
    url: Url | None = None
    format: WebhookFormat | None = None
    host: Host | None = None
    port: Port | None = None
    security: MailSecurity | None = None
    username: Username | None = None
    sender: Sender | None = None
    secret: Secret | None = None

    @model_validator(mode="after")
    def _check_nulls(self) -> "ChannelUpdate":
        emptied = [
            name
            for name in ("enabled", "format", "name", "per_minute")
            if name in self.model_fields_set and getattr(self, name) is None
        ]
        if emptied:
            raise ValueError(f"{', '.join(emptied)} cannot be null")
        return self


class ChannelRead(BaseModel):
    """A channel, without its secret."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    name: str
    kind: ChannelKind
    department_id: UUID | None
    enabled: bool
    per_minute: int
    url: str | None
    format: WebhookFormat
    host: str | None
    port: int | None
    security: MailSecurity | None
    username: str | None
    sender: str | None
    service: str | None = Field(description="The service of a chat channel")
    has_secret: bool
    previous_secret_until: datetime | None = Field(
        description="Until then webhooks carry the signatures of both secrets"
    )
    version: int
    created_at: datetime
    updated_at: datetime


class ChannelWithSecret(ChannelRead):
    """A channel, with the signing secret that was made for it: the one time that it is shown."""

    signing_secret: str | None


class ChannelPage(PageOf[ChannelRead]):
    """One page of channels."""


class ChannelTest(BaseModel):
    """Where a test goes."""

    model_config = ConfigDict(extra="forbid")

    recipient: Annotated[str, Field(max_length=255, pattern=MAIL_ADDRESS)] | None = Field(
        default=None, description="Recipient of a test email; your own address by default"
    )


class ChannelTestOutcome(BaseModel):
    """How a test went."""

    works: bool
    detail: str
