"""What people add to devices: who may, and the filters that it gives their list."""

from typing import Any

from sqlalchemy import Select

from fleetkeeper.annotations.objects import Annotated, declare_annotated
from fleetkeeper.annotations.tags.queries import tagged_with
from fleetkeeper.devices.models import Device
from fleetkeeper.devices.queries import visible_to
from fleetkeeper.errors import FieldError, InvalidInputError
from fleetkeeper.identity.permissions import Permission
from fleetkeeper.kit.text import is_storable

TABLE = "devices"
FILTERS = frozenset({"tag", "tag__in"})

declare_annotated(
    Annotated(
        table=TABLE,
        title="device",
        href="/devices/{}",
        key=Device.id.expression,
        label=Device.name.expression,
        visible=visible_to,
        writable=lambda actor: visible_to(actor, Permission.DEVICES_WRITE),
        department=Device.department_id.expression,
    )
)


def with_tag(statement: Select[Any], name: str, text: str) -> Select[Any]:
    """Those of the devices that have that tag, by its slug, or one of several. Raises InvalidInputError."""
    if not is_storable(text):
        wrong = FieldError(name, "Must be the slug of a tag")
        raise InvalidInputError("The filter is wrong.", fields=[wrong])
    slugs = [text] if name == "tag" else [one for one in text.split(",") if one]
    return statement.where(Device.id.in_(tagged_with(TABLE, slugs)))
