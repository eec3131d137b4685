"""Devices in the columns that an import takes: what is exported and imported again changes nothing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.annotations.fields.filters import PREFIX
from fleetkeeper.annotations.fields.service import fields_for
from fleetkeeper.database.exports import Columns
from fleetkeeper.devices import service as devices
from fleetkeeper.devices.annotating import TABLE
from fleetkeeper.devices.importing.fields import NAMES
from fleetkeeper.devices.importing.known import read_known
from fleetkeeper.devices.importing.present import present_devices
from fleetkeeper.identity.actor import Actor

EXAMPLE = {
    "name": "core-switch-01",
    "device_type": "network_device",
    "lifecycle": "active",
    "manufacturer": "Cisco",
    "model": "Nexus 9000",
    "serial_number": "FDO123",
    "asset_tag": "A-17",
    "owner": "Network team",
    "warranty_until": "2028-03-01",
    "interface": "mgmt0",
    "mac_address": "52:54:00:12:34:56",
    "ip_address": "192.0.2.10/24",
}


@dataclass(frozen=True)
class RowsPage:
    """One page of rows by field."""

    results: Sequence[Mapping[str, str]]
    next: str | None


async def columns_for(session: AsyncSession, actor: Actor) -> Columns:
    """All columns that an actor's devices have."""
    custom = await fields_for(session, actor, TABLE)
    names = [*NAMES, *(PREFIX + one.name for one in custom if not one.is_sensitive)]
    return Columns(names, dict)


async def list_rows(
    session: AsyncSession,
    actor: Actor,
    parameters: Sequence[tuple[str, str]],
    *,
    stale_before: datetime | None = None,
) -> RowsPage:
    """One page of the devices' list as rows of a file. Raises InvalidInputError."""
    page = await devices.list_devices(session, actor, parameters, stale_before=stale_before, is_counted=False)
    ids: list[UUID] = [one.id for one in page.results]
    present = await present_devices(session, actor, ids, await read_known(session, actor))
    return RowsPage([present[one].texts for one in ids if one in present], page.next)
