"""What the API says of configurations."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from fleetkeeper.kit.pagination import PageOf
from fleetkeeper.kit.patterns import shaped

# Of the text of one version, in bytes.
MAX_BYTES = 4_000_000
_WORD = shaped(r"^[a-z0-9][a-z0-9._-]*$", "be a word of a-z, 0-9, dots and dashes such as running")
ConfigType = Annotated[str, Field(min_length=1, max_length=50, pattern=_WORD)]
SourceSystem = Annotated[str, Field(min_length=1, max_length=50, pattern=_WORD)]


class ConfigWrite(BaseModel):
    """A configuration as it was retrieved."""

    model_config = ConfigDict(extra="forbid")

    config_text: str = Field(min_length=1, max_length=MAX_BYTES, pattern=r"^[^\x00]*$")
    config_type: ConfigType = Field(default="running", description="Which of the device's, such as startup")
    source_system: Annotated[str, Field(min_length=1, max_length=50, pattern=r"^[a-z0-9][a-z0-9._-]*$")] = (
        "manual"
    )


class ConfigRead(BaseModel):
    """A version of a configuration."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    device_id: UUID
    config_type: str
    version: int
    config_hash: str = Field(description="SHA-256 of the text without its secrets, hexadecimal")
    source_system: str
    retrieved_at: datetime
    confirmed_at: datetime = Field(description="When the same was seen last")


class ConfigPage(PageOf[ConfigRead]):
    """One page of versions."""


class ConfigText(ConfigRead):
    """A version with its text, in which secrets are masked."""

    config_text: str


class ConfigStored(BaseModel):
    """What became of a configuration that was sent."""

    config: ConfigRead
    is_new: bool = Field(description="False where it is the newest version's")


class ConfigDiff(BaseModel):
    """Two versions compared."""

    unified: str = Field(description="A unified diff; empty where both are the same")
    added: int = Field(description="Lines that only the second has")
    removed: int = Field(description="Lines that only the first has")
