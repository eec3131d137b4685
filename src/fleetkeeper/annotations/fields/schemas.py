"""What the API says of custom fields and their values."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from fleetkeeper.identity.texts import Description, Name
from fleetkeeper.kit.pagination import PageOf
from fleetkeeper.kit.patterns import shaped

Kind = Literal["text", "number", "boolean", "date", "choice", "url"]
LONGEST = 500
MOST_CHOICES = 100
# What stands for a sensitive value; who sends it back keeps the value.
MASK = "********"
_NAME = shaped(
    r"^[a-z][a-z0-9]*(_[a-z0-9]+)*$",
    "be lowercase letters, digits and single underscores, such as asset_tag",
)
FieldName = Annotated[str, Field(min_length=1, max_length=60, pattern=_NAME)]
ObjectType = Annotated[
    str, Field(max_length=63, pattern=shaped(r"^[a-z_]+$", "be a kind of object, such as devices"))
]
Value = str | int | float | bool


class FieldWrite(BaseModel):
    """A custom field as it shall be."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)

    label: Name
    name: FieldName | None = Field(
        default=None,
        description="Used in filters; default: made from the label, or kept, where it is left out",
    )
    object_type: ObjectType = Field(default="devices", description="Kind of object that has the field")
    kind: Kind = "text"
    description: Description = Field(default="", description="Shown below the field")
    choices: list[Name] = Field(default=[], max_length=MOST_CHOICES, description="For the kind `choice`")
    pattern: str = Field(
        default="",
        max_length=200,
        pattern=r"^[^\x00]*$",
        description="Regular expression in RE2's syntax that a whole text or URL must match",
    )
    default: str = Field(
        default="",
        max_length=LONGEST,
        pattern=r"^[^\x00]*$",
        description="Value of new objects, as it would be entered",
    )
    is_required: bool = False
    is_sensitive: bool = Field(
        default=False, description="Encrypted, and shown to those who may reveal it; for texts"
    )
    position: int = Field(default=100, ge=0, le=10_000, description="Fields stand in this order")
    department_id: UUID | None = Field(
        default=None, description="Only its objects, and those of departments below, have the field"
    )


class FieldRead(BaseModel):
    """A custom field."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    label: str
    name: str
    object_type: str
    kind: Kind
    description: str
    choices: list[str]
    pattern: str
    default: str
    is_required: bool
    is_sensitive: bool
    position: int
    department_id: UUID | None
    version: int
    created_at: datetime
    updated_at: datetime
    value_count: int | None = Field(
        default=None, description="How many objects have a value; told where one field is asked for"
    )


class FieldPage(PageOf[FieldRead]):
    """One page of custom fields."""


class FieldDeleted(BaseModel):
    """What went with a deleted field."""

    values_deleted: int


class ValuesUpdate(BaseModel):
    """New values of some fields of an object, by their names."""

    model_config = ConfigDict(extra="forbid")

    values: dict[str, Any] = Field(
        max_length=200,
        description=f"Null removes a value; `{MASK}` keeps a sensitive one",
        examples=[{"asset_tag": "A-1042", "warranty_until": "2028-03-31"}],
    )


class ValuesRead(BaseModel):
    """The values of an object's custom fields, by their names; sensitive ones are masked."""

    values: dict[str, Value]
    version: int


class RevealedValue(BaseModel):
    """A sensitive value."""

    name: str
    label: str
    object: str = Field(description="Name of the object")
    value: str
