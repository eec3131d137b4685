"""Changes that concern two rooms: document 004 keeps the retention both in `config` and in `archive_policy`."""

from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.config import service as config
from fleetkeeper.config.schemas import ConfigValues, Retention
from fleetkeeper.telemetry import service as telemetry
from fleetkeeper.telemetry.schemas import ArchivePolicyRead, ArchivePolicyUpdate


async def read_config(session: AsyncSession) -> ConfigValues:
    """All settings."""
    return await config.read_config(session)


async def change_config(session: AsyncSession, key: str, changes: dict[str, Any]) -> dict[str, Any]:
    """Change one key; `retention` changes the archive policy too. Raises NotFoundError, InvalidInputError."""
    changed = await config.change_config(session, key, changes)
    if isinstance(changed, Retention):
        update = ArchivePolicyUpdate(retention_days=changed.days, archive_enabled=changed.archive_enabled)
        await telemetry.change_archive_policy(session, update)
    return changed.model_dump()


async def change_archive_policy(session: AsyncSession, changes: ArchivePolicyUpdate) -> ArchivePolicyRead:
    """Change the archive policy, and `retention` with it."""
    policy = await telemetry.change_archive_policy(session, changes)
    retention = {"days": policy.retention_days, "archive_enabled": policy.archive_enabled}
    await config.change_config(session, "retention", retention)
    return policy
