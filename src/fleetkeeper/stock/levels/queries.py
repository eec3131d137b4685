"""The SQL of stock and its movements."""

from collections.abc import Collection
from datetime import datetime
from decimal import Decimal
from typing import get_args
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.devices.locations.models import Location
from fleetkeeper.kit.listing import FIRST, Field, Listing
from fleetkeeper.stock.levels.models import Inventory, StockMovement, StockReservation, StockSerial
from fleetkeeper.stock.levels.schemas import MovementKind, SerialStatus
from fleetkeeper.stock.models import Part

MOST_COUNTED = 10_000
LOW = Inventory.quantity_available <= Inventory.reorder_point

LEVELS = Listing(
    fields={
        "id": Field(Inventory.id.expression, UUID, sortable=False),
        "part_id": Field(Inventory.part_id.expression, UUID, sortable=False),
        "variant_id": Field(Inventory.variant_id.expression, UUID, sortable=False),
        "location_id": Field(Inventory.location_id.expression, UUID, sortable=False),
        "part_code": Field(Part.part_code.expression, str, joined=True),
        "part_name": Field(Part.name.expression, str, joined=True),
        "category": Field(Part.category.expression, str, joined=True),
        "location_name": Field(Location.name.expression, str, joined=True),
        "quantity_on_hand": Field(Inventory.quantity_on_hand.expression, Decimal),
        "quantity_reserved": Field(Inventory.quantity_reserved.expression, Decimal),
        "quantity_available": Field(Inventory.quantity_available.expression, Decimal),
        "reorder_point": Field(Inventory.reorder_point.expression, Decimal, null_as="-1"),
        "last_counted_at": Field(Inventory.last_counted_at.expression, datetime, null_as=FIRST),
        "last_updated_at": Field(Inventory.last_updated_at.expression, datetime),
        "department_id": Field(Inventory.department_id.expression, UUID, sortable=False),
    },
    search=(Part.part_code.expression, Part.name.expression, Location.name.expression),
    key=Inventory.id.expression,
    default_ordering="quantity_available",
    special={
        "low": "`true`: only what has reached its reorder point",
        "within": "The ID of a location: what lies there, and in the locations in it",
    },
    count_limit=MOST_COUNTED,
)
MEANT = {("low", "true"): LOW, ("low", "false"): ~LOW}

MOVEMENTS = Listing(
    fields={
        "id": Field(StockMovement.id.expression, UUID, sortable=False),
        "kind": Field(StockMovement.kind.expression, str, choices=get_args(MovementKind)),
        "part_id": Field(StockMovement.part_id.expression, UUID, sortable=False),
        "variant_id": Field(StockMovement.variant_id.expression, UUID, sortable=False),
        "location_id": Field(StockMovement.location_id.expression, UUID, sortable=False),
        "device_id": Field(StockMovement.device_id.expression, UUID, sortable=False),
        "purpose_id": Field(StockMovement.purpose_id.expression, UUID, sortable=False),
        "part_code": Field(Part.part_code.expression, str, joined=True, sortable=False),
        "quantity": Field(StockMovement.quantity.expression, Decimal),
        "moved_by_name": Field(StockMovement.moved_by_name.expression, str, sortable=False),
        "moved_at": Field(StockMovement.moved_at.expression, datetime),
        "department_id": Field(StockMovement.department_id.expression, UUID, sortable=False),
    },
    search=(Part.part_code.expression, Part.name.expression, StockMovement.reason.expression),
    key=StockMovement.id.expression,
    default_ordering="-moved_at",
    count_limit=MOST_COUNTED,
)

RESERVATIONS = Listing(
    fields={
        "id": Field(StockReservation.id.expression, UUID, sortable=False),
        "inventory_id": Field(StockReservation.inventory_id.expression, UUID, sortable=False),
        "purpose_id": Field(StockReservation.purpose_id.expression, UUID, sortable=False),
        "quantity": Field(StockReservation.quantity.expression, Decimal),
        "created_at": Field(StockReservation.created_at.expression, datetime),
        "department_id": Field(StockReservation.department_id.expression, UUID, sortable=False),
    },
    search=(StockReservation.purpose.expression,),
    key=StockReservation.id.expression,
    default_ordering="-created_at",
    count_limit=MOST_COUNTED,
)

SERIALS = Listing(
    fields={
        "id": Field(StockSerial.id.expression, UUID, sortable=False),
        "serial": Field(StockSerial.serial.expression, str),
        "status": Field(StockSerial.status.expression, str, choices=get_args(SerialStatus)),
        "part_id": Field(StockSerial.part_id.expression, UUID, sortable=False),
        "location_id": Field(StockSerial.location_id.expression, UUID, sortable=False),
        "device_id": Field(StockSerial.device_id.expression, UUID, sortable=False),
        "part_code": Field(Part.part_code.expression, str, joined=True, sortable=False),
        "updated_at": Field(StockSerial.updated_at.expression, datetime),
        "department_id": Field(StockSerial.department_id.expression, UUID, sortable=False),
    },
    search=(StockSerial.serial.expression, Part.part_code.expression, Part.name.expression),
    key=StockSerial.id.expression,
    default_ordering="serial",
    count_limit=MOST_COUNTED,
)


async def lock_serials(
    session: AsyncSession, part_id: UUID, serials: Collection[str]
) -> dict[str, StockSerial]:
    """The pieces with these numbers, locked in their order so that nobody waits in a circle."""
    found = (
        select(StockSerial)
        .where(StockSerial.part_id == part_id, StockSerial.serial.in_(list(serials)))
        .order_by(StockSerial.serial)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    return {one.serial: one for one in await session.scalars(found)}


async def place_of(
    session: AsyncSession,
    part_id: UUID,
    variant_id: UUID | None,
    location_id: UUID,
    *,
    is_locked: bool = False,
) -> Inventory | None:
    """The stock of a part at a location, as it is now."""
    found = select(Inventory).where(
        Inventory.part_id == part_id,
        Inventory.variant_id.is_not_distinct_from(variant_id),
        Inventory.location_id == location_id,
    )
    found = found.with_for_update() if is_locked else found
    present: Inventory | None = await session.scalar(found.execution_options(populate_existing=True))
    return present
