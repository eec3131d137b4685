"""Custom fields as columns of files. Pure."""

from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel

from fleetkeeper.annotations.fields.filters import PREFIX
from fleetkeeper.annotations.fields.schemas import FieldRead
from fleetkeeper.database.exports import Columns

_TOGETHER = "custom_fields"


def with_fields(schema: type[BaseModel], fields: Sequence[FieldRead]) -> Columns:
    """The columns of a schema, whose `custom_fields` are columns of their own, named as in filters."""

    def values(row: BaseModel) -> dict[str, Any]:
        told = row.model_dump()
        return told | {PREFIX + name: value for name, value in told.pop(_TOGETHER).items()}

    own = [name for name in schema.model_fields if name != _TOGETHER]
    return Columns([*own, *(PREFIX + one.name for one in fields)], values)
