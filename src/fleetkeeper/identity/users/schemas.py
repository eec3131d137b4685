"""What the API says of users."""

from datetime import datetime
from functools import cache
from typing import Annotated, Literal
from uuid import UUID
from zoneinfo import available_timezones

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from fleetkeeper.identity.texts import FullName, MailAddress, Name
from fleetkeeper.kit.pagination import PageOf


@cache
def time_zones() -> frozenset[str]:
    """The names of all time zones."""
    # These two are in the files of some machines, and name no place.
    return frozenset(available_timezones() - {"Factory", "localtime"})


def _check_time_zone(name: str) -> str:
    if name not in time_zones():
        raise ValueError("is the name of a time zone, such as Europe/Berlin")
    return name


TimeZone = Annotated[str, Field(max_length=64), AfterValidator(_check_time_zone)]
Theme = Literal["auto", "light", "dark"]
# Which passwords are good enough is checked by the service, which names the field.
Password = Annotated[str, Field(max_length=1000)]


class UserCreate(BaseModel):
    """A new local account."""

    model_config = ConfigDict(extra="forbid")

    username: Name
    name: FullName = Field(default="", description="Full name; default: the username")
    email: MailAddress | None = None
    password: Password | None = Field(
        default=None, description="Without one they cannot sign in with a password"
    )
    role: Name | None = Field(default=None, description="A role to give them")
    department_id: UUID | None = Field(default=None, description="Where the role holds; null is everywhere")


class UserUpdate(BaseModel):
    """What may be changed of an account."""

    model_config = ConfigDict(extra="forbid")

    username: Name | None = None
    name: FullName | None = None
    email: MailAddress | None = None


class PasswordSet(BaseModel):
    """A new password."""

    model_config = ConfigDict(extra="forbid")

    password: Password
    revoke_tokens: bool = Field(default=False, description="Revoke the account's API tokens, too")


class UserRead(BaseModel):
    """An account."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    username: str
    name: str
    email: str | None = Field(description="null for those who see people of some departments only")
    enabled: bool
    source: str = Field(description="local, oidc or scim: who made the account")
    last_login: datetime | None = Field(
        description="null before the first, and for those who see people of some departments only"
    )
    version: int
    created_at: datetime
    updated_at: datetime


class UserPage(PageOf[UserRead]):
    """One page of users."""


class AccountRead(UserRead):
    """One's own account."""

    time_zone: str | None = Field(description="IANA name; null is the browser's")
    theme: str
    password_changed_at: datetime | None
    roles: list[str]


class AccountUpdate(BaseModel):
    """What one may change of one's own account."""

    model_config = ConfigDict(extra="forbid")

    name: FullName | None = None
    email: MailAddress | None = None
    time_zone: TimeZone | None = None
    theme: Theme | None = None


class SessionsEnded(BaseModel):
    """How many sessions ended."""

    ended: int
