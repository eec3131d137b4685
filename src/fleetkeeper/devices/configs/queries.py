"""The SQL of configurations."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.devices.configs.models import DeviceConfig
from fleetkeeper.kit.listing import Field, Listing

# Versions that are kept of each.
KEPT = 10
LISTING = Listing(
    fields={
        "id": Field(DeviceConfig.id.expression, UUID, sortable=False),
        "device_id": Field(DeviceConfig.device_id.expression, UUID, sortable=False),
        "config_type": Field(DeviceConfig.config_type.expression, str),
        "version": Field(DeviceConfig.version.expression, int),
        "config_hash": Field(DeviceConfig.config_hash.expression, str, sortable=False),
        "source_system": Field(DeviceConfig.source_system.expression, str),
        "retrieved_at": Field(DeviceConfig.retrieved_at.expression, datetime),
    },
    search=(DeviceConfig.config_text.expression,),
    key=DeviceConfig.id.expression,
    default_ordering="-retrieved_at",
)


async def newest(session: AsyncSession, device_id: UUID, config_type: str) -> DeviceConfig | None:
    """The newest version, without its text."""
    statement = (
        select(DeviceConfig)
        .where(DeviceConfig.device_id == device_id, DeviceConfig.config_type == config_type)
        .order_by(DeviceConfig.version.desc())
        .limit(1)
    )
    found: DeviceConfig | None = await session.scalar(statement)
    return found


async def drop_old(session: AsyncSession, device_id: UUID, config_type: str, newest_version: int) -> None:
    """Keep the newest versions only."""
    await session.execute(
        delete(DeviceConfig).where(
            DeviceConfig.device_id == device_id,
            DeviceConfig.config_type == config_type,
            DeviceConfig.version <= newest_version - KEPT,
        )
    )
