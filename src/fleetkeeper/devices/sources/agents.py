"""What an agent says of its machine: a source like others, but for what no other source tells."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.devices.identity.proposing import propose_for
from fleetkeeper.devices.identity.records import AGENT, Piece
from fleetkeeper.devices.models import Device, DeviceSource
from fleetkeeper.devices.precedence.applying import settle
from fleetkeeper.devices.precedence.attributes import ATTRIBUTES, claims_in
from fleetkeeper.devices.sources.queries import forget_identities, sources_of, store_source
from fleetkeeper.errors import NotFoundError


async def store_evidence(
    session: AsyncSession, device_id: UUID, evidence: Sequence[Piece], now: datetime
) -> None:
    """Remember what an agent shows of who its machine is."""
    await store_source(session, device_id, (AGENT, str(device_id)), {}, now, evidence=evidence)


async def record_inventory(
    session: AsyncSession,
    device_id: UUID,
    attributes: Mapping[str, Any],
    evidence: Sequence[Piece],
    now: datetime,
) -> Device:
    """Store what an agent says of its machine, and return it, locked.

    A value that it does not know never overwrites one that is known.
    """
    device = await session.get(Device, device_id, with_for_update=True)
    if device is None:
        raise NotFoundError("There is no such device.")
    changed = False
    for name, value in attributes.items():
        if name not in ATTRIBUTES and value not in (None, [], {}) and getattr(device, name) != value:
            setattr(device, name, value)
            changed = True
    before = await _evidence_of(session, device_id)
    claims = claims_in(dict(attributes))
    await store_source(session, device_id, (AGENT, str(device_id)), claims, now, evidence=evidence)
    if await settle(session, device, now) or changed:
        device.version += 1
    await session.flush()
    if before != frozenset(evidence):
        others = {
            piece for one in await sources_of(session, [device_id]) for piece in map(tuple, one.evidence)
        }
        await forget_identities(session, device_id, before - others)
        await propose_for(session, device_id)
    return device


async def _evidence_of(session: AsyncSession, device_id: UUID) -> frozenset[Piece]:
    told = await session.scalar(
        select(DeviceSource.evidence).where(
            DeviceSource.source_system == AGENT,
            DeviceSource.source_instance == "",
            DeviceSource.source_id == str(device_id),
        )
    )
    return frozenset((kind, value) for kind, value in told or ())
