"""What the API says of passwords and second factors."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, SecretStr

Code = Annotated[str, Field(max_length=100)]
Credential = Annotated[dict[str, Any], Field(description="The browser's answer, its bytes in base64url")]
PasskeyName = Annotated[str, Field(min_length=1, max_length=100, pattern=r"^[^\x00]*$")]


class PasswordChange(BaseModel):
    """A new password."""

    model_config = ConfigDict(extra="forbid")

    current_password: SecretStr = Field(max_length=1000)
    new_password: SecretStr = Field(max_length=1000)
    revoke_tokens: bool = Field(default=False, description="Revoke one's API tokens, too")


class PasswordChanged(BaseModel):
    """What a new password ended."""

    ended_sessions: int
    remaining_tokens: list[str] = Field(description="Names of API tokens that still work, at most a hundred")


class Confirmation(BaseModel):
    """A proof that it is still the user: exactly one of the fields."""

    model_config = ConfigDict(extra="forbid")

    password: SecretStr | None = Field(default=None, max_length=1000)
    code: Code | None = None
    recovery_code: Code | None = None
    credential: Credential | None = None


class TotpBegun(BaseModel):
    """What an authenticator app needs. Shown until its first code was entered."""

    secret: str
    uri: str
    qr_code: str = Field(description="A picture as a data: address")


class TotpCode(BaseModel):
    """The first code of an authenticator app."""

    model_config = ConfigDict(extra="forbid")

    code: Code


class RecoveryCodes(BaseModel):
    """Codes that stand in for a lost factor, shown this one time; none when there are some already."""

    recovery_codes: list[str]


class PasskeyOptions(BaseModel):
    """What the browser's `navigator.credentials` is asked, its bytes in base64url."""

    public_key: dict[str, Any]


class PasskeyAnswer(BaseModel):
    """The browser's answer."""

    model_config = ConfigDict(extra="forbid")

    credential: Credential


class PasskeyCreate(PasskeyAnswer):
    """The same for a new passkey, with the name that its owner gives it."""

    name: PasskeyName


class PasskeyRename(BaseModel):
    """Another name for a passkey."""

    model_config = ConfigDict(extra="forbid")

    name: PasskeyName


class PasskeyRead(BaseModel):
    """A passkey of the caller."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    name: str
    created_at: datetime
    last_used_at: datetime | None


class PasskeyList(BaseModel):
    """The caller's passkeys: few enough for one page."""

    count: int
    next: str | None = None
    previous: str | None = None
    results: list[PasskeyRead]


class PasskeyCreated(RecoveryCodes):
    """A new passkey."""

    passkey: PasskeyRead
