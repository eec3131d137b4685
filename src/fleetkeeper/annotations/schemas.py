"""How the API names objects of any kind."""

from typing import Annotated
from uuid import UUID

from pydantic import Field

from fleetkeeper.kit.patterns import shaped

_OBJECT = shaped(
    r"^[a-z_]{1,63}:[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$",
    "be a kind of object and an ID, such as devices:0198c0de-7c00-7a00-8000-000000000000",
)
ObjectName = Annotated[
    str, Field(max_length=100, pattern=_OBJECT, description="The object: `devices:` and the ID of a device")
]


def object_name(object_type: str, object_id: object) -> str:
    """An object as the API names it."""
    return f"{object_type}:{object_id}"


def parts_of(name: str) -> tuple[str, UUID]:
    """Type and ID of an object's name."""
    object_type, _, object_id = name.partition(":")
    return object_type, UUID(object_id)
