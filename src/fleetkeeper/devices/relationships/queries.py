"""The SQL of relationships."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, get_args
from uuid import UUID

from sqlalchemy import Select, String, any_, cast, or_, select, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.devices.models import Device
from fleetkeeper.devices.queries import among
from fleetkeeper.devices.relationships.models import DeviceRelationship
from fleetkeeper.devices.relationships.schemas import RelationshipType
from fleetkeeper.devices.revisions.moments import SPECIAL
from fleetkeeper.kit.listing import LAST, Field, Listing

# What passes traffic on: others are cut off when it fails.
NETWORK = "network_device"
LISTING = Listing(
    fields={
        "id": Field(DeviceRelationship.id.expression, UUID, sortable=False),
        # Either end; the service knows.
        "device_id": Field(DeviceRelationship.parent_device_id.expression, UUID, sortable=False),
        "parent_device_id": Field(DeviceRelationship.parent_device_id.expression, UUID, sortable=False),
        "child_device_id": Field(DeviceRelationship.child_device_id.expression, UUID, sortable=False),
        "relationship_type": Field(
            DeviceRelationship.relationship_type.expression, str, choices=get_args(RelationshipType)
        ),
        "source_system": Field(DeviceRelationship.source_system.expression, str),
        "valid_from": Field(DeviceRelationship.valid_from.expression, datetime),
        "valid_to": Field(DeviceRelationship.valid_to.expression, datetime, null_as=LAST),
    },
    search=(DeviceRelationship.relationship_type.expression,),
    key=DeviceRelationship.id.expression,
    default_ordering="valid_from",
    special=SPECIAL,
)


async def lock_devices(session: AsyncSession, ids: Sequence[UUID]) -> None:
    """Hold devices where they are, in an order that cannot lock two transactions up."""
    await session.execute(select(Device.id).where(Device.id.in_(ids)).order_by(Device.id).with_for_update())


async def leads_to(
    session: AsyncSession, kind: str, start: UUID, end: UUID, but: UUID | None, depth: int
) -> bool:
    """Whether one comes from one device to another along current relationships of a kind, but for one of them."""
    found = await session.scalar(
        text(
            """
            WITH RECURSIVE below AS (
                SELECT CAST(:start AS uuid) AS id, 0 AS depth
                UNION
                SELECT r.child_device_id, b.depth + 1
                FROM device_relationships r JOIN below b ON r.parent_device_id = b.id
                WHERE r.relationship_type = :kind AND r.valid_to IS NULL AND b.depth < :depth
                  AND r.id IS DISTINCT FROM CAST(:but AS uuid)
            )
            SELECT EXISTS (SELECT FROM below WHERE id = :end)
            """
        ),
        {"kind": kind, "start": start, "end": end, "but": but, "depth": depth},
    )
    return bool(found)


async def leads_through_others(session: AsyncSession, kind: str, start: UUID, end: UUID, depth: int) -> bool:
    """Whether one comes from one device to another along current relationships of a kind, by way of a third one."""
    found = await session.scalar(
        text(
            """
            WITH RECURSIVE below AS (
                SELECT child_device_id AS id, 1 AS depth FROM device_relationships
                WHERE parent_device_id = :start AND relationship_type = :kind AND valid_to IS NULL
                  AND child_device_id <> :end
                UNION
                SELECT r.child_device_id, b.depth + 1
                FROM device_relationships r JOIN below b ON r.parent_device_id = b.id
                WHERE r.relationship_type = :kind AND r.valid_to IS NULL AND b.depth < :depth AND b.id <> :end
            )
            SELECT EXISTS (SELECT FROM below WHERE id = :end)
            """
        ),
        {"kind": kind, "start": start, "end": end, "depth": depth},
    )
    return bool(found)


async def neighborhood(
    session: AsyncSession, device_id: UUID, kinds: Sequence[str], depth: int, limit: int
) -> Sequence[Any]:
    """The devices around one, nearest first: id, name, device_type, status, distance. Row-level security applies."""
    rows = await session.execute(
        text(
            """
            WITH RECURSIVE around AS (
                SELECT CAST(:device AS uuid) AS id, 0 AS distance
                UNION
                SELECT CASE WHEN r.parent_device_id = a.id THEN r.child_device_id ELSE r.parent_device_id END,
                       a.distance + 1
                FROM around a JOIN device_relationships r
                  ON (r.parent_device_id = a.id OR r.child_device_id = a.id)
                WHERE r.valid_to IS NULL AND r.relationship_type = ANY (:kinds) AND a.distance < :depth
            )
            SELECT d.id, d.name, d.device_type, d.status, min(a.distance) AS distance
            FROM around a JOIN devices d ON d.id = a.id
            GROUP BY d.id ORDER BY min(a.distance), d.name, d.id LIMIT :limit
            """
        ),
        {"device": device_id, "kinds": list(kinds), "depth": depth, "limit": limit},
    )
    return rows.all()


async def between(session: AsyncSession, ids: Sequence[UUID], kinds: Sequence[str]) -> Sequence[Any]:
    """The current relationships among devices."""
    rows = await session.execute(
        text(
            """
            SELECT id, parent_device_id AS parent, child_device_id AS child, relationship_type AS type
            FROM device_relationships
            WHERE valid_to IS NULL AND relationship_type = ANY (:kinds)
              AND parent_device_id = ANY (:ids) AND child_device_id = ANY (:ids)
            ORDER BY id
            """
        ),
        {"ids": list(ids), "kinds": list(kinds)},
    )
    return rows.all()


async def touching(session: AsyncSession, ids: Sequence[UUID]) -> Sequence[Any]:
    """The current relationships of devices by which one fails with another: parent, child, type, and their types."""
    rows = await session.execute(
        text(
            """
            SELECT r.parent_device_id AS parent, r.child_device_id AS child, r.relationship_type AS type,
                   p.device_type AS parent_type, c.device_type AS child_type
            FROM device_relationships r
            JOIN devices p ON p.id = r.parent_device_id JOIN devices c ON c.id = r.child_device_id
            WHERE r.valid_to IS NULL AND r.relationship_type IN ('hosts', 'powers', 'connects_to')
              AND (r.parent_device_id = ANY (:ids) OR r.child_device_id = ANY (:ids))
            """
        ),
        {"ids": list(ids)},
    )
    return rows.all()


async def nodes(session: AsyncSession, ids: Sequence[UUID]) -> Sequence[Any]:
    """Devices by their keys: id, name, device_type, status."""
    asked = select(Device.id, Device.name, Device.device_type, Device.status).where(among(ids))
    return (await session.execute(asked)).all()


async def related(
    session: AsyncSession, visible: Select[Any], kinds: Sequence[str], limit: int
) -> Sequence[Any]:
    """Those of some devices that have a current relationship of a kind, by name: id, name, device_type, status."""
    ends = (DeviceRelationship.parent_device_id, DeviceRelationship.child_device_id)
    current = (
        DeviceRelationship.valid_to.is_(None),
        DeviceRelationship.relationship_type == any_(cast(list(kinds), ARRAY(String))),
    )
    having = or_(*(select(1).where(end == Device.id, *current).exists() for end in ends))
    asked = visible.with_only_columns(
        Device.id, Device.name, Device.device_type, Device.status, maintain_column_froms=True
    )
    return (await session.execute(asked.where(having).order_by(Device.name, Device.id).limit(limit))).all()
