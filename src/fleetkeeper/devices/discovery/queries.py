"""The SQL of discovery: many devices in few statements."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.annotations.fields.queries import values_of
from fleetkeeper.annotations.tags.queries import slugs_of
from fleetkeeper.devices.components.models import IpAddress
from fleetkeeper.devices.models import Device
from fleetkeeper.devices.queries import among, visible_to
from fleetkeeper.identity.actor import Actor

_COLUMNS = (
    "id", "name", "hostname", "fqdn", "device_type", "status", "lifecycle", "department_id", "location",
    "location_id", "os_name", "os_version", "manufacturer", "model", "serial_number", "asset_tag", "owner",
)  # fmt: skip


async def devices_by_name(session: AsyncSession, actor: Actor, ids: Sequence[UUID]) -> Sequence[Any]:
    """Those of the devices that the actor may see, each with tags and custom fields."""
    key = Device.id.expression
    columns = [getattr(Device, name) for name in _COLUMNS]
    statement = visible_to(actor).with_only_columns(*columns, maintain_column_froms=True)
    told = statement.add_columns(
        slugs_of("devices", key).label("tags"), values_of(actor, "devices", key).label("custom_fields")
    )
    return (await session.execute(told.where(among(ids)).order_by(Device.name, Device.id))).all()


async def addresses_of(session: AsyncSession, ids: Sequence[UUID]) -> dict[UUID, list[tuple[str, bool]]]:
    """The addresses of devices, each with whether it is primary: those first, IPv4 before IPv6."""
    own = select(Device.id).where(among(ids))
    statement = select(IpAddress.device_id, func.host(IpAddress.address), IpAddress.is_primary).where(
        IpAddress.device_id.in_(own)
    )
    ordered = statement.order_by(
        IpAddress.device_id, IpAddress.is_primary.desc(), func.family(IpAddress.address), IpAddress.address
    )
    found: dict[UUID, list[tuple[str, bool]]] = {}
    for row in await session.execute(ordered):
        found.setdefault(row[0], []).append((row[1], row[2]))
    return found
