"""Revisions in the shapes that the API has for what is there now. Pure."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

from pydantic import BaseModel

Schema = TypeVar("Schema", bound=BaseModel)


def as_past(schema: type[Schema], key: UUID, content: Mapping[str, Any], since: datetime) -> Schema:
    """An object as it was from a moment on; what revisions do not keep is empty, and its version 0.

    Columns named `metadata` are the attribute `extra` of models, by which schemas read them.
    """
    told: dict[str, Any] = dict.fromkeys(
        name for name, one in schema.model_fields.items() if one.is_required()
    )
    told |= {"created_at": since, "updated_at": since, "version": 0, "interfaces": [], "source_system": ""}
    told |= {name: value for name, value in content.items() if value is not None}
    return schema.model_validate(told | {"id": key, "extra": content.get("metadata", {})})
