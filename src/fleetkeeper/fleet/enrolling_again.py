"""A machine that was installed again and becomes the device that it was, because somebody said so beforehand."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.devices.keys import issue_key, revoke_keys
from fleetkeeper.devices.models import Device
from fleetkeeper.devices.sources.agents import store_evidence
from fleetkeeper.errors import UnauthenticatedError
from fleetkeeper.fleet import queries


async def enroll_again(
    session: AsyncSession,
    device_id: UUID,
    department_id: UUID | None,
    token_id: UUID,
    evidence: Sequence[tuple[str, str]],
    now: datetime,
) -> str:
    """Give a device a new key in place of those that it had.

    Raises UnauthenticatedError where it has been moved to another department, or merged, since the token was made.
    """
    found = select(Device.id).where(
        Device.id == device_id,
        Device.department_id.is_not_distinct_from(department_id),
        Device.merged_into.is_(None),
    )
    if await session.scalar(found.with_for_update()) is None:
        raise UnauthenticatedError(
            "The device was moved to another department, or merged. Create a new enrollment token for it."
        )
    await store_evidence(session, device_id, evidence, now)
    await revoke_keys(session, device_id)
    await queries.join_again(session, device_id, token_id, now)
    return await issue_key(session, device_id)
