"""Configurations of devices: a version for each change, secrets masked, the last ten kept."""

import hashlib
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from anyio import to_thread
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import undefer

from fleetkeeper.devices import queries as devices
from fleetkeeper.devices.configs import queries
from fleetkeeper.devices.configs.comparing import unified
from fleetkeeper.devices.configs.masking import masked
from fleetkeeper.devices.configs.models import DeviceConfig
from fleetkeeper.devices.configs.schemas import (
    ConfigDiff,
    ConfigPage,
    ConfigRead,
    ConfigStored,
    ConfigText,
    ConfigWrite,
)
from fleetkeeper.devices.models import Device
from fleetkeeper.devices.service import check_permission
from fleetkeeper.errors import NotFoundError
from fleetkeeper.identity.actor import Actor
from fleetkeeper.identity.permissions import Permission


async def store_config(
    session: AsyncSession, actor: Actor, device_id: UUID, wanted: ConfigWrite, now: datetime
) -> ConfigStored:
    """Store a configuration as a new version, unless it is the newest one's. Raises NotFoundError, ForbiddenError."""
    await check_permission(session, actor, Permission.DEVICES_WRITE, device_id)
    text = await to_thread.run_sync(masked, wanted.config_text.replace("\r\n", "\n"))
    return await record_config(session, device_id, wanted.config_type, text, wanted.source_system, now)


async def record_config(
    session: AsyncSession, device_id: UUID, config_type: str, text: str, source: str, now: datetime
) -> ConfigStored:
    """The same for a source, with a text that is masked already."""
    # Two that come at once take turns.
    await session.execute(select(Device.id).where(Device.id == device_id).with_for_update())
    present = await queries.newest(session, device_id, config_type)
    digest = hashlib.sha256(text.encode()).hexdigest()
    if present is not None and present.config_hash == digest:
        present.confirmed_at = now
        await session.flush()
        return ConfigStored(config=ConfigRead.model_validate(present), is_new=False)
    made = DeviceConfig(
        device_id=device_id,
        source_system=source,
        config_type=config_type,
        config_text=text,
        config_hash=digest,
        version=1 if present is None else present.version + 1,
        retrieved_at=now,
        confirmed_at=now,
    )
    session.add(made)
    await session.flush()
    await queries.drop_old(session, device_id, config_type, made.version)
    return ConfigStored(config=ConfigRead.model_validate(made), is_new=True)


async def list_configs(
    session: AsyncSession, actor: Actor, parameters: Sequence[tuple[str, str]]
) -> ConfigPage:
    """One page of versions, newest first; `q` searches their texts."""
    return await queries.LISTING.read(
        session, _visible_to(actor), parameters, ConfigPage, lambda row: ConfigRead.model_validate(row[0])
    )


async def get_config(session: AsyncSession, actor: Actor, config_id: UUID) -> ConfigText:
    """A version with its text. Raises NotFoundError."""
    found = _visible_to(actor).where(DeviceConfig.id == config_id)
    row = await session.scalar(found.options(undefer(DeviceConfig.config_text)))
    if row is None:
        raise NotFoundError("There is no such configuration.")
    return ConfigText.model_validate(row)


async def compare_configs(session: AsyncSession, actor: Actor, first: UUID, second: UUID) -> ConfigDiff:
    """Two versions, of one device or of two, compared. Raises NotFoundError."""
    old, new = await get_config(session, actor, first), await get_config(session, actor, second)
    return await to_thread.run_sync(_compared, old, new)


def _compared(old: ConfigText, new: ConfigText) -> ConfigDiff:
    names = (f"{old.config_type} {old.version}", f"{new.config_type} {new.version}")
    lines = unified(old.config_text.split("\n"), new.config_text.split("\n"), names)
    return ConfigDiff(
        unified="\n".join(lines),
        added=sum(one.startswith("+") for one in lines[2:]),
        removed=sum(one.startswith("-") for one in lines[2:]),
    )


def _visible_to(actor: Actor) -> Any:
    statement = select(DeviceConfig)
    if actor.scope(Permission.DEVICES_READ).everywhere:
        return statement
    seen = devices.visible_to(actor).with_only_columns(Device.id)
    return statement.where(DeviceConfig.device_id.in_(seen))
