"""What the API says of rules and hosts."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from fleetkeeper.kit.pagination import PageOf
from fleetkeeper.kit.patterns import shaped

Protocol = Literal["any", "prometheus", "influx", "otlp", "collectd"]
_ONE_WORD = shaped(r"^[^\x00\s,]+$", "not contain spaces or commas")
LabelName = Annotated[str, Field(min_length=1, max_length=200, pattern=_ONE_WORD)]
LabelNames = Annotated[list[LabelName], Field(min_length=1, max_length=20)]
Pattern = Annotated[str, Field(max_length=500, pattern=r"^[^\x00]*$")]
Words = Annotated[str, Field(max_length=500, pattern=r"^[^\x00]*$")]
Standing = Literal["only", "first", "later", "overruled"]
Host = Annotated[str, Field(min_length=1, max_length=255, pattern=r"^[^\x00-\x1f\x7f]+$")]


class SenderRuleCreate(BaseModel):
    """A new rule; it is tried last unless it has a position."""

    model_config = ConfigDict(extra="forbid")

    protocol: Protocol = "any"
    labels: LabelNames = Field(
        description="Names of labels or attributes, in the order in which they are looked at"
    )
    pattern: Pattern = Field(
        default="",
        description="Regular expression (RE2) that finds the host in the value: its group, or all that it matches. "
        "Empty takes the whole value.",
    )
    description: Words = ""
    enabled: bool = True
    position: int | None = Field(
        default=None, ge=1, le=1000, description="Which place it gets; 1 is tried first"
    )


class SenderRuleUpdate(BaseModel):
    """What may be changed of a rule."""

    model_config = ConfigDict(extra="forbid")

    protocol: Protocol | None = None
    labels: LabelNames | None = None
    pattern: Pattern | None = None
    description: Words | None = None
    enabled: bool | None = None
    position: int | None = Field(default=None, ge=1, le=1000)


class SenderRuleRead(BaseModel):
    """A rule by which samples find their device."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    position: int
    protocol: Protocol
    labels: list[str]
    pattern: str
    description: str
    enabled: bool
    created_at: datetime
    updated_at: datetime


class SenderRulePage(PageOf[SenderRuleRead]):
    """One page of rules, in the order in which they are tried."""


class Trial(BaseModel):
    """Labels to try the rules with."""

    model_config = ConfigDict(extra="forbid")

    protocol: Literal["prometheus", "influx", "otlp", "collectd"] = "prometheus"
    labels: dict[LabelName, Annotated[str, Field(max_length=300, pattern=r"^[^\x00]*$")]] = Field(
        max_length=100, examples=[{"instance": "web1:9100"}]
    )


class TrialRead(BaseModel):
    """Which device a sample with these labels would belong to."""

    outcome: Literal["known", "new", "no_host", "bad_host"]
    text: str
    host: str | None = None
    label: str | None = None
    rule: SenderRuleRead | None = None
    device_id: UUID | None = None
    device_name: str | None = None


class HostCreate(BaseModel):
    """A name by which senders shall know a device."""

    model_config = ConfigDict(extra="forbid")

    host: Host
    device_id: UUID


class HostUpdate(BaseModel):
    """The device that a host is from now on."""

    model_config = ConfigDict(extra="forbid")

    device_id: UUID


class HostRead(BaseModel):
    """A name by which senders know a device, within its department."""

    id: int = Field(description="Grows with each claim on a name: the lower one is older")
    host: str
    device_id: UUID
    device_name: str
    department_id: UUID | None
    is_primary: bool = Field(
        description="The name that is put back into labels when the device's series are read"
    )
    standing: Standing = Field(
        description="Among the devices that you may see: `only` this one has the name; `first`: it has the oldest "
        "claim of several; `later`: a device of another department has an older claim, which goes first for senders "
        "that write for both; `overruled`: a device of the same department has an older claim, which always goes first"
    )
    protocol: str = Field(
        description="By which protocol it first came; `enrollment`, or empty for one that a person entered"
    )
    first_seen: datetime


class HostPage(PageOf[HostRead]):
    """One page of hosts."""
