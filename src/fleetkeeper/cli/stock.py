"""`fleetkeeper stock …`: what lies where, and moving it."""

from typing import Annotated, Any
from uuid import UUID

import typer
from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.cli.inputs import checked
from fleetkeeper.cli.running import command_actor, with_session
from fleetkeeper.cli.stock_proposals import forecast, propose
from fleetkeeper.cli.tables import AsJson, show
from fleetkeeper.devices.finding import find_device
from fleetkeeper.devices.locations.service import locations
from fleetkeeper.errors import FieldError, InvalidInputError
from fleetkeeper.kit.list_query import ListParameters
from fleetkeeper.stock.levels.schemas import LevelRead, Moved, MovementRead, MoveWrite
from fleetkeeper.stock.levels.service import book, levels, list_movements
from fleetkeeper.stock.parts.service import scan

app = typer.Typer(
    help="Stock: list it, receive, issue, transfer, count and fit parts; forecast demand and propose orders.",
    no_args_is_help=True,
)
app.command()(propose)
app.command()(forecast)

COLUMNS = (
    "part_code",
    "location_name",
    "quantity_available",
    "quantity_on_hand",
    "quantity_reserved",
    "reorder_point",
)
MOVED = ("moved_at", "kind", "part_code", "quantity", "location_name", "device_name", "reason")
Code = Annotated[str, typer.Argument(help="A part's code, a serial number, or a supplier's number of it")]
Quantity = Annotated[str, typer.Argument(help="How many, such as 3 or 12.5")]
At = Annotated[str, typer.Option("--at", help="Name or ID of the location")]
Serials = Annotated[
    list[str] | None, typer.Option("--serial", help="Of parts with serial numbers: one for each piece")
]
Reason = Annotated[str, typer.Option(help="Why")]
Limit = Annotated[int, typer.Option(min=1, max=1000, help="Maximum number of rows")]


@app.command(name="list")
def list_stock(
    q: Annotated[str, typer.Option("--q", help="Part of a part's code or name, or of a location")] = "",
    at: Annotated[str, typer.Option("--at", help="Name or ID of a location; what lies in it, too")] = "",
    limit: Limit = 100,
    *,
    low: Annotated[bool, typer.Option("--low", help="Only what has reached its reorder point")] = False,
    as_json: AsJson = False,
) -> None:
    """List what lies where, the least first."""

    async def read(session: AsyncSession) -> list[LevelRead]:
        asked: ListParameters = [("limit", str(limit))]
        asked += [("q", q)] if q else []
        asked += [("low", "true")] if low else []
        asked += [("within", str(await find_location(session, at)))] if at else []
        return (await levels.list(session, command_actor(), asked)).results

    show(with_session(read), COLUMNS, as_json=as_json)


@app.command()
def movements(
    q: Annotated[str, typer.Option("--q", help="Part of a part's code or name, or of a reason")] = "",
    kind: Annotated[str, typer.Option(help="receipt, issue, transfer, consumption, …")] = "",
    limit: Limit = 100,
    *,
    as_json: AsJson = False,
) -> None:
    """List movements, the newest first."""

    async def read(session: AsyncSession) -> list[MovementRead]:
        asked = [(name, text) for name, text in (("q", q), ("kind", kind), ("limit", str(limit))) if text]
        return (await list_movements(session, command_actor(), asked)).results

    show(with_session(read), MOVED, as_json=as_json)


@app.command()
def receive(
    code: Code,
    quantity: Quantity,
    at: At,
    serials: Serials = None,
    lot: Annotated[str | None, typer.Option(help="Of parts that come in lots")] = None,
    cost: Annotated[str | None, typer.Option(help="Cost of one, such as 12.50")] = None,
    currency: Annotated[str, typer.Option(help="Of the cost")] = "EUR",
    reason: Reason = "",
    *,
    as_json: AsJson = False,
) -> None:
    """Receive parts."""
    more: dict[str, Any] = {"lot": lot, "unit_cost": cost, "currency": currency if cost else None}
    _move("receipt", code, quantity, at, serials, reason, as_json=as_json, **more)


@app.command()
def issue(
    code: Code,
    quantity: Quantity,
    at: At,
    reason: Reason,
    serials: Serials = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Give parts out, other than to a device."""
    _move("issue", code, quantity, at, serials, reason, as_json=as_json)


@app.command()
def scrap(
    code: Code,
    quantity: Quantity,
    at: At,
    reason: Reason,
    serials: Serials = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Throw parts away."""
    _move("scrap", code, quantity, at, serials, reason, as_json=as_json)


@app.command()
def adjust(
    code: Code,
    difference: Annotated[str, typer.Option("--by", help="The difference, such as 2 or -1")],
    at: At,
    reason: Reason,
    serials: Serials = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Correct what is on hand by a difference."""
    _move("adjustment", code, difference, at, serials, reason, as_json=as_json)


@app.command()
def count(code: Code, quantity: Quantity, at: At, *, as_json: AsJson = False) -> None:
    """Say how many there are; the difference is booked."""
    _move("count", code, quantity, at, None, "", as_json=as_json)


@app.command()
def transfer(
    code: Code,
    quantity: Quantity,
    at: At,
    to: Annotated[str, typer.Option(help="Name or ID of the location that it goes to")],
    serials: Serials = None,
    reason: Reason = "",
    *,
    as_json: AsJson = False,
) -> None:
    """Bring parts to another location."""
    _move("transfer", code, quantity, at, serials, reason, to=to, as_json=as_json)


@app.command()
def fit(
    code: Code,
    quantity: Quantity,
    at: At,
    device: Annotated[str, typer.Option(help="Name or ID of the device that it is fitted to")],
    serials: Serials = None,
    reason: Reason = "",
    *,
    anyway: Annotated[bool, typer.Option(help="Although the part is not meant for this device")] = False,
    as_json: AsJson = False,
) -> None:
    """Fit parts to a device: they are consumed there."""
    _move(
        "consumption", code, quantity, at, serials, reason, device=device, as_json=as_json, fits_anyway=anyway
    )


async def find_location(session: AsyncSession, wanted: str, field: str = "at") -> UUID:
    """A location by its name or ID. Raises InvalidInputError at the option."""
    try:
        asked = [("id", str(UUID(wanted)))]
    except ValueError:
        asked = [("name", wanted)]
    found = (await locations.list(session, command_actor(), [*asked, ("limit", "2")])).results
    if len(found) != 1:
        problem = (
            f"Several locations are named {wanted}: give the ID"
            if found
            else f"No location is named {wanted}"
        )
        raise InvalidInputError("Nothing was done.", fields=[FieldError(field, problem)])
    return found[0].id


def _move(
    kind: str,
    code: str,
    quantity: str,
    at: str,
    serials: list[str] | None,
    reason: str,
    *,
    as_json: bool,
    to: str = "",
    device: str = "",
    **more: Any,
) -> None:
    async def run(session: AsyncSession) -> Moved:
        found = await scan(session, command_actor(), code)
        wanted = checked(
            MoveWrite,
            kind=kind,
            part_id=found.part.id,
            variant_id=found.variant_id,
            location_id=await find_location(session, at),
            to_location_id=await find_location(session, to, "to") if to else None,
            device_id=await find_device(session, command_actor(), device) if device else None,
            quantity=quantity,
            serials=serials or ([found.serial] if found.serial else []),
            reason=reason,
            **more,
        )
        return await book(session, command_actor(), wanted)

    show(with_session(run, reason).movements, MOVED, as_json=as_json)
