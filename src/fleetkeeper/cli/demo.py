"""`fleetkeeper demo …`: made-up data to try the product with."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Annotated
from uuid import UUID

import typer
from rich.console import Console
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.cli.running import command_actor, with_session
from fleetkeeper.device_requests.schemas import RequestSubmit
from fleetkeeper.device_requests.submitting import submit_for_device
from fleetkeeper.devices.creating import create_device
from fleetkeeper.devices.locations.schemas import LocationWrite
from fleetkeeper.devices.locations.service import locations
from fleetkeeper.devices.schemas import DeviceCreate
from fleetkeeper.errors import ConflictError
from fleetkeeper.identity.actor import Actor
from fleetkeeper.kit.clock import utc_now
from fleetkeeper.orders.items import add_item, list_items
from fleetkeeper.orders.receiving import receive
from fleetkeeper.orders.schemas import ItemWrite, OrderWrite, ReceiptLine, ReceiptWrite
from fleetkeeper.orders.service import orders
from fleetkeeper.orders.status import OrderStatus
from fleetkeeper.orders.work.schemas import WorkWrite
from fleetkeeper.orders.work.service import work_orders
from fleetkeeper.simulation.supply import (
    PARTS,
    SUPPLIERS,
    TRUCKS,
    WEEKS,
    DemoPart,
    deliveries_of,
    demand_of,
)
from fleetkeeper.stock.levels.models import StockMovement
from fleetkeeper.stock.levels.moving import move_stock
from fleetkeeper.stock.levels.schemas import LevelWrite, MoveWrite
from fleetkeeper.stock.levels.service import levels
from fleetkeeper.stock.models import Part
from fleetkeeper.stock.parts.schemas import PartWrite
from fleetkeeper.stock.parts.service import parts
from fleetkeeper.stock.suppliers.schemas import OfferWrite, PriceBreak, SupplierWrite
from fleetkeeper.stock.suppliers.service import offers, suppliers

app = typer.Typer(help="Made-up data to try Fleetkeeper with.", no_args_is_help=True)
WHY = "Demo data"


@dataclass
class Depot:
    """What has been made so far, by name."""

    session: AsyncSession
    actor: Actor
    now: datetime
    places: dict[str, UUID]
    devices: dict[str, UUID]
    parts: dict[str, UUID]
    suppliers: dict[str, UUID]


@app.command()
def supply(
    *, anyway: Annotated[bool, typer.Option("--anyway", help="Although there are parts already")] = False
) -> None:
    """Fill a depot: parts, suppliers, a year of stock movements, orders, work orders, requests of devices."""

    async def fill(session: AsyncSession) -> Depot:
        if not anyway and await session.scalar(select(Part.id).limit(1)) is not None:
            raise ConflictError("There are parts already. Use --anyway to add the demo depot to them.")
        depot = Depot(session, command_actor(), utc_now(), {}, {}, {}, {})
        await _make_places(depot)
        await _make_catalogue(depot)
        for part in PARTS:
            await _make_stock(depot, part)
        await _make_orders(depot)
        await _make_work(depot)
        return depot

    console = Console()
    with console.status("Filling the depot"):
        made = with_session(fill, WHY)
    console.print(
        f"Made {len(made.parts)} parts, {len(made.suppliers)} suppliers, {len(made.places)} locations, "
        f"{len(made.devices)} vehicles, a year of stock movements, and some orders and requests. "
        "Open Supply in the console."
    )


async def _make_places(depot: Depot) -> None:
    for name, kind in (("Demo depot", "depot"), ("Demo store", "store"), ("Demo van", "vehicle")):
        wanted = LocationWrite(name=name, location_type=kind)  # type: ignore[arg-type]
        depot.places[name] = (await locations.create(depot.session, depot.actor, wanted)).id
    for name in TRUCKS:
        truck = DeviceCreate(name=name, device_type="vehicle", description="Demo data")
        depot.devices[name] = (await create_device(depot.session, depot.actor, truck, depot.now)).id


async def _make_catalogue(depot: Depot) -> None:
    session, actor = depot.session, depot.actor
    for one in SUPPLIERS:
        company = SupplierWrite(
            name=one.name, lead_time_days=one.lead_time_days, is_preferred=one.is_preferred
        )
        depot.suppliers[one.name] = (await suppliers.create(session, actor, company)).id
    for part in PARTS:
        wanted = PartWrite(
            part_code=part.code,
            name=part.name,
            category=part.category,
            unit_of_measure=part.unit,
            is_serialized=part.is_serialized,
            component_kind=part.component_kind,  # type: ignore[arg-type]
        )
        depot.parts[part.code] = (await parts.create(session, actor, wanted)).id
        for one in SUPPLIERS:
            price = round(part.price * one.factor, 2)
            offer = OfferWrite(
                part_id=depot.parts[part.code],
                supplier_id=depot.suppliers[one.name],
                supplier_cost=price,
                price_breaks=[PriceBreak(quantity=Decimal(10), price=round(price * Decimal("0.92"), 2))],
            )
            await offers.create(session, actor, offer)


async def _make_stock(depot: Depot, part: DemoPart) -> None:
    key, place = depot.parts[part.code], depot.places["Demo depot"]
    level = LevelWrite(part_id=key, location_id=place, reorder_point=Decimal(part.reorder_point))
    await levels.create(depot.session, depot.actor, level)
    if part.is_serialized:
        wanted = MoveWrite(
            kind="receipt",
            part_id=key,
            location_id=place,
            quantity=Decimal(4),
            serials=[f"{part.code}-{number:04}" for number in range(1, 5)],
        )
        await move_stock(depot.session, depot.actor, wanted)
        return
    trucks = list(depot.devices.items())
    moves = [("receipt", week, number) for week, number in deliveries_of(part)]
    moves += [("consumption", week, -number) for week, number in enumerate(demand_of(part)) if number]
    for kind, week, number in sorted(moves, key=lambda move: (move[1], move[0] != "receipt")):
        name, truck = trucks[week % len(trucks)] if kind == "consumption" else ("", None)
        movement = StockMovement(
            kind=kind,
            part_id=key,
            location_id=place,
            quantity=Decimal(number),
            unit_cost=part.price,
            currency="EUR",
            device_id=truck,
            device_name=name,
            reason=WHY,
            moved_by_name=depot.actor.name[:255],
            moved_at=depot.now - timedelta(weeks=WEEKS - week) + timedelta(hours=len(kind)),
        )
        depot.session.add(movement)
        # One by one: what is taken must have come before.
        await depot.session.flush()


async def _make_orders(depot: Depot) -> None:
    """One that came in part, one that is on its way, and a draft for what a truck asks for."""
    session, actor = depot.session, depot.actor
    partly = await _order(depot, "Nordic Parts", {"RAM-DDR4-16": 10, "FAN-80": 6})
    if await _move(depot, partly, OrderStatus.PENDING, OrderStatus.ORDERED):
        first = (await list_items(session, actor, partly)).results[0].id
        came = ReceiptWrite(lines=[ReceiptLine(item_id=first, quantity=Decimal(6))])
        await receive(session, actor, partly, came)
    under_way = await _order(depot, "Rhine Components", {"HDD-SAS-8T": 2, "NIC-10G": 1})
    await _move(depot, under_way, OrderStatus.PENDING, OrderStatus.ORDERED)
    asked = None
    for number, device in enumerate(depot.devices.values()):
        wanted = RequestSubmit(
            type="get_parts",
            payload={"part": "TAB-BATTERY", "quantity": 1 + number % 2},
            metadata={"app": "2.1"},
        )
        asked = (await submit_for_device(session, actor, device, wanted)).id
    await _order(depot, "Nordic Parts", {"TAB-BATTERY": 8}, asked)


async def _order(depot: Depot, supplier: str, lines: dict[str, int], request_id: UUID | None = None) -> UUID:
    wanted = OrderWrite(
        supplier_id=depot.suppliers[supplier],
        deliver_to_id=depot.places["Demo depot"],
        expected_delivery_date=(depot.now + timedelta(days=4)).date(),
        request_id=request_id,
        notes=WHY,
    )
    made = await orders.create(depot.session, depot.actor, wanted)
    for code, quantity in lines.items():
        line = ItemWrite(
            part_id=depot.parts[code], quantity_ordered=Decimal(quantity), tax_percent=Decimal(19)
        )
        await add_item(depot.session, depot.actor, made.id, line)
    return made.id


async def _move(depot: Depot, order_id: UUID, *states: OrderStatus) -> bool:
    """Move an order on; returns whether it went all the way. Where a rule asks for approval it waits."""
    for state in states:
        present = await orders.get(depot.session, depot.actor, order_id)
        if state == OrderStatus.ORDERED and present.status != OrderStatus.APPROVED:
            return False
        await orders.move(depot.session, depot.actor, order_id, state, WHY)
    return True


async def _make_work(depot: Depot) -> None:
    for name, code in (("truck-001", "TAB-BATTERY"), ("truck-002", "TAB-MOUNT")):
        wanted = WorkWrite(
            title=f"Fit {code}",
            device_id=depot.devices[name],
            part_id=depot.parts[code],
            location_id=depot.places["Demo depot"],
            starts_at=depot.now + timedelta(days=1),
            ends_at=depot.now + timedelta(days=1, hours=2),
            instructions="Scan the label at the vehicle.",
        )
        await work_orders.create(depot.session, depot.actor, wanted)
