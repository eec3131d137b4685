"""Proposes to people which devices may be one."""

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.devices.identity.deciding import Decision, decide
from fleetkeeper.devices.identity.matching import Match, match
from fleetkeeper.devices.identity.queries import pair, store_proposal, told_apart, withdraw_others
from fleetkeeper.devices.identity.recalling import alike, recall
from fleetkeeper.devices.identity.records import count_sharing

# Of one device; more than that look like a value that many machines have.
MOST_PROPOSALS = 20


async def propose_for(session: AsyncSession, device_id: UUID) -> None:
    """Compare a device with those of its department that share evidence with it, and propose what looks alike."""
    own = await recall(session, [device_id])
    pieces = {piece for one in own for piece in one.record.evidence}
    if not pieces:
        return
    around = await alike(session, pieces, own[0].device.department_id)
    sharing = count_sharing(one.record for one in around)
    best: dict[tuple[UUID, UUID], Match] = {}
    mine = [one for one in around if one.device.id == device_id]
    for one in mine:
        for other in around:
            if other.device.id == device_id:
                continue
            found = match(one.record, other.record, sharing)
            key = pair(device_id, other.device.id)
            if decide(one.record, other.record, found) is not Decision.NEW and (
                key not in best or found.score > best[key].score
            ):
                best[key] = found
    await keep_proposals(session, {device_id}, best)


async def keep_proposals(
    session: AsyncSession, ids: set[UUID], found: dict[tuple[UUID, UUID], Match]
) -> None:
    """Let these be what is proposed of devices, but for what somebody has decided."""
    ends = ids | {one for key in found for one in key}
    decided = await told_apart(session, ends) if found else set()
    strongest = sorted(found, key=lambda key: (-found[key].score, key))[: MOST_PROPOSALS * len(ids)]
    kept = [key for key in strongest if key not in decided]
    for key in kept:
        await store_proposal(session, *key, found[key])
    await withdraw_others(session, ids, kept)
