"""Lets the devices of a department be what the evidence of their sources makes of them.

Agents' devices and what people decided stay as they are. All records that share evidence are looked at together, so
that it does not matter which of them came first.
"""

from collections.abc import Collection, Sequence
from datetime import datetime
from itertools import combinations
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.devices.identity.deciding import group
from fleetkeeper.devices.identity.matching import Match
from fleetkeeper.devices.identity.proposing import keep_proposals
from fleetkeeper.devices.identity.queries import pair, told_apart
from fleetkeeper.devices.identity.recalling import MOST_STEPS, Recalled, alike
from fleetkeeper.devices.identity.records import Key, Piece
from fleetkeeper.devices.merging.joining import merge
from fleetkeeper.devices.models import Device
from fleetkeeper.devices.sources.splitting import split_off

WHY = "Evidence says that they are one machine"


async def regroup(
    session: AsyncSession, pieces: Collection[Piece], department_id: UUID | None, now: datetime
) -> None:
    """Merge and split devices that share evidence with the pieces, and propose what is not certain."""
    recalled = await alike(session, pieces, department_id, steps=MOST_STEPS)
    by_key = {one.record.key: one for one in recalled}
    apart = await _apart(session, recalled)
    grouping = group([one.record for one in recalled], _together(recalled), apart)
    for records in grouping.devices:
        await _be_one(session, [by_key[one.key] for one in records], now)
    proposed: dict[tuple[UUID, UUID], Match] = {}
    for one in grouping.proposals:
        first, second = (by_key[end.key].source.device_id for end in (one.one, one.other))
        key = pair(first, second)
        if first != second and (key not in proposed or one.found.score > proposed[key].score):
            proposed[key] = one.found
    await keep_proposals(session, {one.source.device_id for one in recalled}, proposed)


def _together(recalled: Sequence[Recalled]) -> set[frozenset[Key]]:
    """Pairs of which a person said that they are one."""
    return {
        frozenset((one.record.key, other.record.key))
        for one, other in combinations(recalled, 2)
        if one.device.id == other.device.id and one.source.is_confirmed and other.source.is_confirmed
    }


async def _apart(session: AsyncSession, recalled: Sequence[Recalled]) -> set[frozenset[Key]]:
    """Pairs of which a person said that they are not."""
    decided = await told_apart(session, {one.device.id for one in recalled})
    return {
        frozenset((one.record.key, other.record.key))
        for one, other in combinations(recalled, 2)
        if one.device.id != other.device.id and pair(one.device.id, other.device.id) in decided
    }


async def _be_one(session: AsyncSession, members: Sequence[Recalled], now: datetime) -> None:
    """Let the sources of a group have one device, and no other source that one."""
    holders = {one.source.device_id: one.device for one in members}
    mine = {one.source.id for one in members}
    for device_id in sorted(holders):
        device = holders[device_id]
        if not any(one.source.is_confirmed for one in members if one.source.device_id == device_id):
            await split_off(session, device, mine, now)
    holders = {}
    for one in members:
        await session.refresh(one.source)
        holders[one.source.device_id] = await session.get_one(Device, one.source.device_id)
    kept, *others = sorted(holders.values(), key=lambda device: (device.created_at, device.id))
    for other in others:
        await merge(session, kept, other, (), by="", reason=WHY, now=now, is_automatic=True)
