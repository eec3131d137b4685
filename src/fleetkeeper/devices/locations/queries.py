"""The SQL of locations."""

from datetime import datetime
from typing import get_args
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.devices.locations.models import Location
from fleetkeeper.devices.locations.schemas import LocationType
from fleetkeeper.kit.listing import Field, Listing

LISTING = Listing(
    fields={
        "id": Field(Location.id.expression, UUID, sortable=False),
        "name": Field(Location.name.expression, str),
        "location_type": Field(Location.location_type.expression, str, choices=get_args(LocationType)),
        "parent_id": Field(Location.parent_id.expression, UUID, sortable=False),
        "department_id": Field(Location.department_id.expression, UUID, sortable=False),
        "is_active": Field(Location.is_active.expression, bool),
        "created_at": Field(Location.created_at.expression, datetime),
    },
    search=(Location.name.expression, Location.address.expression),
    key=Location.id.expression,
    default_ordering="name",
)
DEEPEST = 20


async def ids_below(session: AsyncSession, location_id: UUID) -> set[UUID]:
    """A location and all that lie in it."""
    rows = await session.execute(
        text(
            """
            WITH RECURSIVE below AS (
                SELECT id FROM locations WHERE id = :top
                UNION
                SELECT l.id FROM locations l JOIN below b ON l.parent_id = b.id
            )
            SELECT id FROM below
            """
        ),
        {"top": location_id},
    )
    return {row.id for row in rows}
