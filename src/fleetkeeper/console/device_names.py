"""Devices by the names that people type: suggestions, and the one that is meant."""

from collections.abc import Collection
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.console.contexts.panels import Option
from fleetkeeper.devices.schemas import DeviceSummary
from fleetkeeper.devices.service import list_devices
from fleetkeeper.errors import FieldError, InvalidInputError
from fleetkeeper.identity.actor import Actor

_SUGGESTED = 20


async def suggest_devices(session: AsyncSession, actor: Actor, text: str) -> list[Option]:
    """Devices to choose from; where several have one name, each is offered by its ID."""
    asked = [("q", text), ("limit", str(_SUGGESTED))]
    found = (await list_devices(session, actor, asked, is_counted=False)).results
    names = [one.name for one in found]
    return [
        Option(one.name, "") if names.count(one.name) == 1 else Option(str(one.id), one.name) for one in found
    ]


async def device_named(
    session: AsyncSession, actor: Actor, text: str, field: str = "device"
) -> DeviceSummary:
    """The device that a name or an ID means. Raises InvalidInputError at the field."""
    asked = ("id", text) if _is_id(text) else ("name", text)
    found = (await list_devices(session, actor, [asked, ("limit", "2")], is_counted=False)).results
    if len(found) == 1:
        return found[0]
    problem = (
        "Several devices have this name: choose one from the list" if found else f"No device is named {text}"
    )
    raise InvalidInputError("Correct the marked fields.", fields=[FieldError(field, problem)])


async def names_of_devices(
    session: AsyncSession, actor: Actor, device_ids: Collection[UUID | None]
) -> dict[UUID, str]:
    """What those of the devices are called that the actor may see."""
    wanted = sorted({str(one) for one in device_ids if one is not None})
    if not wanted:
        return {}
    asked = [("id__in", ",".join(wanted)), ("limit", str(len(wanted)))]
    found = await list_devices(session, actor, asked, is_counted=False)
    return {one.id: one.name for one in found.results}


def _is_id(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True
