"""One device by what people call it: its name, its ID or the beginning of that."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement
from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.devices.models import Device
from fleetkeeper.devices.queries import visible_to
from fleetkeeper.errors import FieldError, InvalidInputError
from fleetkeeper.identity.actor import Actor
from fleetkeeper.kit.id_prefix import begins_with
from fleetkeeper.kit.ids import is_id
from fleetkeeper.kit.text import is_storable

# So many candidates are named.
_NAMED = 5


async def find_device(session: AsyncSession, actor: Actor, wanted: str, *, field: str = "device") -> UUID:
    """A device that the actor may see. Raises InvalidInputError, which names the candidates where several fit."""
    conditions = []
    if is_storable(wanted):
        conditions = [
            Device.name == wanted,
            begins_with(Device.id.expression, str(UUID(wanted)) if is_id(wanted) else wanted),
        ]
    found: Sequence[Any] = ()
    for condition in conditions:
        if not found and condition is not None:
            found = await _some(session, actor, condition)
    if len(found) == 1:
        only: UUID = found[0].id
        return only
    problem = _candidates(wanted, found) if found else f"There is no device {wanted!r}; give its name or ID"
    raise InvalidInputError("The device is unknown.", fields=[FieldError(field, problem)])


async def _some(session: AsyncSession, actor: Actor, condition: ColumnElement[bool]) -> Sequence[Any]:
    statement = visible_to(actor).with_only_columns(
        Device.id, Device.name, Device.last_seen, maintain_column_froms=True
    )
    rows = await session.execute(statement.where(condition).order_by(Device.id).limit(_NAMED + 1))
    return rows.all()


def _candidates(wanted: str, found: Sequence[Any]) -> str:
    named = [f"{one.id} ({one.name}, {_seen(one.last_seen)})" for one in found[:_NAMED]]
    more = ", …" if len(found) > _NAMED else ""
    return f"Several devices fit {wanted!r}; give the ID of one: {', '.join(named)}{more}"


def _seen(last_seen: Any) -> str:
    return "never seen" if last_seen is None else f"last seen {last_seen:%Y-%m-%d %H:%M} UTC"
