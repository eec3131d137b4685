"""Which devices fail if one fails, found step by step."""

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.devices import service as devices
from fleetkeeper.devices.relationships import queries
from fleetkeeper.devices.relationships.failing import Link, Reason, may_fail_with, reason_to_fail
from fleetkeeper.devices.relationships.schemas import Dependent, Dependents
from fleetkeeper.identity.actor import Actor

# Steps from a device to the last one that fails with it.
DEEPEST = 50


async def dependents_of(session: AsyncSession, actor: Actor, device_id: UUID, limit: int) -> Dependents:
    """What fails if a device fails, nearest first, as far as the actor sees it. Raises NotFoundError."""
    device = await devices.get_device(session, actor, device_id)
    failed: dict[UUID, tuple[int, Reason | None]] = {device_id: (0, None)}
    networks = {device_id} if device.device_type == queries.NETWORK else set()
    step, latest = 0, {device_id}
    while latest and len(failed) <= limit and step < DEEPEST:
        step += 1
        links, known = await _around(session, latest)
        networks |= known
        asked = may_fail_with(failed, links, networks)
        links, known = await _around(session, asked)
        networks |= known
        reasons = {one: reason_to_fail(one, links, failed, networks) for one in asked}
        latest = {one for one, reason in reasons.items() if reason is not None}
        failed |= {one: (step, reasons[one]) for one in latest}
    del failed[device_id]
    nodes = {row.id: row for row in await queries.nodes(session, list(failed))}
    results = [
        Dependent(
            id=key,
            name=nodes[key].name,
            device_type=nodes[key].device_type,
            status=nodes[key].status,
            distance=step,
            because=reason.type,
            via=reason.via,
        )
        for key, (step, reason) in failed.items()
        if reason is not None and key in nodes
    ]
    results.sort(key=lambda one: (one.distance, one.name, str(one.id)))
    is_cut = len(results) > limit or bool(latest)
    return Dependents(results=results[:limit], is_cut=is_cut)


async def _around(session: AsyncSession, ids: set[UUID]) -> tuple[list[Link], set[UUID]]:
    """The links of devices that failures go along, and the network devices among all their ends."""
    rows = await queries.touching(session, sorted(ids)) if ids else ()
    links = [Link(row.parent, row.child, row.type) for row in rows]
    networks = {row.parent for row in rows if row.parent_type == queries.NETWORK}
    return links, networks | {row.child for row in rows if row.child_type == queries.NETWORK}
