"""Reading and changing settings at run time."""

from typing import Any

from pydantic import BaseModel, ValidationError
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.config.models import ConfigEntry
from fleetkeeper.config.schemas import ConfigValues
from fleetkeeper.errors import InvalidInputError, NotFoundError
from fleetkeeper.kit.error_words import field_errors


async def read_config(session: AsyncSession) -> ConfigValues:
    """All keys; a key that was never set has its default."""
    rows = await session.execute(select(ConfigEntry.key, ConfigEntry.value))
    stored = {key: value for key, value in rows if key in ConfigValues.model_fields}
    return ConfigValues.model_validate(stored)


async def change_config(session: AsyncSession, key: str, changes: dict[str, Any]) -> BaseModel:
    """Set some fields of one key and return the whole value.

    Raises NotFoundError for an unknown key and InvalidInputError, with the fields, for a wrong value.
    """
    if key not in ConfigValues.model_fields:
        raise NotFoundError(f"There is no setting {key!r}; there are {', '.join(ConfigValues.model_fields)}.")
    current: BaseModel = getattr(await read_config(session), key)
    try:
        changed = type(current).model_validate(current.model_dump() | changes)
    except ValidationError as error:
        fields = field_errors(error.errors(), (key,))
        raise InvalidInputError("The setting was not changed.", fields=fields) from None
    statement = insert(ConfigEntry).values(key=key, value=changed.model_dump())
    await session.execute(
        statement.on_conflict_do_update(
            index_elements=[ConfigEntry.key],
            set_={"value": statement.excluded.value, "updated_at": statement.excluded.updated_at},
        )
    )
    return changed
