"""The SQL of senders."""

from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.devices.models import Device, HostClaim
from fleetkeeper.kit.listing import Field, Listing
from fleetkeeper.telemetry.senders.batches import Meaning
from fleetkeeper.telemetry.senders.models import SenderMapping, SenderRule

RULES = Listing(
    fields={
        "id": Field(SenderRule.id.expression, UUID, sortable=False),
        "position": Field(SenderRule.position.expression, int),
        "protocol": Field(SenderRule.protocol.expression, str),
        "description": Field(SenderRule.description.expression, str),
        "enabled": Field(SenderRule.enabled.expression, bool, sortable=False),
        "created_at": Field(SenderRule.created_at.expression, datetime),
        "updated_at": Field(SenderRule.updated_at.expression, datetime),
    },
    search=(SenderRule.description.expression,),
    key=SenderRule.id.expression,
    default_ordering="position",
)
HOSTS = Listing(
    fields={
        "host": Field(HostClaim.host.expression, str),
        "device_id": Field(HostClaim.device_id.expression, UUID, sortable=False),
        "device_name": Field(Device.name.expression, str),
        "department_id": Field(Device.department_id.expression, UUID, sortable=False),
        "is_primary": Field(HostClaim.is_primary.expression, bool, sortable=False),
        "protocol": Field(HostClaim.protocol.expression, str),
        "first_seen": Field(HostClaim.first_seen.expression, datetime),
    },
    search=(HostClaim.host.expression, Device.name.expression),
    key=HostClaim.id.expression,
    key_kind=int,
    default_ordering="host",
)


async def mapping_version(session: AsyncSession) -> int:
    """Grows with each change of rules, and of which claim of a host name counts."""
    return await session.scalar(select(SenderMapping.version)) or 0


async def all_rules(session: AsyncSession) -> Sequence[SenderRule]:
    """Rules in the order in which they are tried."""
    return (await session.scalars(select(SenderRule).order_by(SenderRule.position, SenderRule.id))).all()


async def devices_within(
    session: AsyncSession, devices: Collection[UUID], departments: Collection[UUID]
) -> set[UUID]:
    """Those of the devices that belong to one of the departments."""
    statement = select(Device.id).where(
        Device.id.in_(sorted(devices)), Device.department_id.in_(sorted(departments))
    )
    return set((await session.scalars(statement)).all())


async def topmost_departments(session: AsyncSession, departments: Collection[UUID]) -> list[UUID]:
    """Those of the departments that lie below none of the others."""
    rows = await session.execute(
        text(
            "SELECT id FROM departments WHERE id = ANY(:ids) AND (parent_id IS NULL OR parent_id <> ALL(:ids))"
        ),
        {"ids": sorted(departments)},
    )
    return [row.id for row in rows]


async def describe_metrics(session: AsyncSession, meanings: dict[str, Meaning]) -> set[str]:
    """Fill in what nobody has said of metrics yet; returns the names that exist."""
    names = sorted(meanings)
    await session.execute(
        text(
            """
            UPDATE metrics m SET
                description = s.description,
                unit = CASE WHEN m.unit = '' THEN s.unit ELSE m.unit END,
                kind = CASE WHEN s.kind = '' THEN m.kind ELSE s.kind END
            FROM (
              SELECT unnest(CAST(:names AS text[])) AS name, unnest(CAST(:units AS text[])) AS unit,
                     unnest(CAST(:kinds AS text[])) AS kind, unnest(CAST(:descriptions AS text[])) AS description
            ) s
            WHERE m.name = s.name AND m.description = '' AND (m.unit, m.kind, m.description) IS DISTINCT FROM (
                CASE WHEN m.unit = '' THEN s.unit ELSE m.unit END,
                CASE WHEN s.kind = '' THEN m.kind ELSE s.kind END, s.description)
            """
        ),
        {
            "names": names,
            "units": [meanings[name].unit for name in names],
            "kinds": [meanings[name].kind for name in names],
            "descriptions": [meanings[name].description for name in names],
        },
    )
    rows = await session.execute(text("SELECT name FROM metrics WHERE name = ANY(:names)"), {"names": names})
    return {row.name for row in rows}
