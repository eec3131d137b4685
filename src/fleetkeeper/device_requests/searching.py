"""What the search finds of device requests: their IDs, digests, and what devices said beside them."""

from collections.abc import Sequence

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.device_requests.archiving.models import ArchivedRequest
from fleetkeeper.device_requests.archiving.queries import visible_to as archived_visible_to
from fleetkeeper.device_requests.models import DeviceRequest, RequestMetadata
from fleetkeeper.device_requests.queries import visible_to
from fleetkeeper.identity.actor import Actor
from fleetkeeper.identity.permissions import Permission
from fleetkeeper.kit.ids import is_id
from fleetkeeper.search.asked import EXACT, Asked
from fleetkeeper.search.sources import Found, Source, declare_source

# Of a longer value the index has only the beginning.
_INDEXED_LENGTH = 200


async def _find_requests(session: AsyncSession, actor: Actor, asked: Asked, most: int) -> Sequence[Found]:
    value = RequestMetadata.value
    said = select(RequestMetadata.request_id).where(
        func.left(value, _INDEXED_LENGTH).in_({asked.text, asked.text.upper()})
    )
    ways: list[ColumnElement[bool]] = [DeviceRequest.id.in_(said.limit(most))]
    if is_id(asked.text):
        ways.append(DeviceRequest.id == asked.text)
    else:
        ways.append(DeviceRequest.payload_hash == asked.text)
    statement = visible_to(actor).where(or_(*ways)).order_by(DeviceRequest.created_at.desc()).limit(most)
    return [
        Found(
            id=row[0].id,
            title=row[0].request_type,
            detail=row.device_name,
            href=f"/device-requests/{row[0].id}",
            texts={"ID": str(row[0].id), "Metadata": asked.text},
            rank=EXACT,
            status=row[0].status,
        )
        for row in await session.execute(statement)
    ]


async def _find_archived(session: AsyncSession, actor: Actor, asked: Asked, most: int) -> Sequence[Found]:
    name = ArchivedRequest.id if is_id(asked.text) else ArchivedRequest.payload_hash
    way = name.expression == asked.text
    found = await session.scalars(archived_visible_to(actor).where(way).limit(most))
    return [
        Found(
            id=one.id,
            title=one.request_type,
            detail=one.device_name,
            href=f"/archived-requests/{one.id}",
            texts={"ID": str(one.id)},
            rank=EXACT,
            status=one.status,
        )
        for one in found
    ]


declare_source(Source("archived request", Permission.REQUESTS_READ, _find_archived, 7))
declare_source(Source("request", Permission.REQUESTS_READ, _find_requests, 6))
