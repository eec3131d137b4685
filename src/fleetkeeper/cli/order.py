"""`fleetkeeper order …`: orders of parts."""

from decimal import Decimal
from typing import Annotated
from uuid import UUID

import typer
from sqlalchemy.ext.asyncio import AsyncSession

import fleetkeeper.orders.approving  # noqa: F401 - declares what may need approval
from fleetkeeper.cli.inputs import checked
from fleetkeeper.cli.running import command_actor, with_session
from fleetkeeper.cli.tables import AsJson, show, show_one
from fleetkeeper.errors import FieldError, InvalidInputError
from fleetkeeper.orders.items import list_items
from fleetkeeper.orders.receiving import receive as receive_order
from fleetkeeper.orders.schemas import ItemRead, OrderRead, ReceiptLine, ReceiptWrite
from fleetkeeper.orders.service import orders

app = typer.Typer(help="Orders: list, show and receive them.", no_args_is_help=True)

COLUMNS = (
    "number",
    "status",
    "order_type",
    "supplier_name",
    "total_price",
    "currency",
    "expected_delivery_date",
)
LINES = ("part_code", "part_name", "quantity_ordered", "quantity_received", "unit_price", "total_price")
Number = Annotated[str, typer.Argument(help="Number of the order, such as PO-2026-0001, or its ID")]


@app.command(name="list")
def list_orders(
    status: Annotated[str, typer.Option(help="draft, pending-approval, approved, ordered, …")] = "",
    q: Annotated[str, typer.Option("--q", help="Part of a number, a supplier or the notes")] = "",
    limit: Annotated[int, typer.Option(min=1, max=1000, help="Maximum number of rows")] = 100,
    *,
    as_json: AsJson = False,
) -> None:
    """List orders, the newest first."""

    async def read(session: AsyncSession) -> list[OrderRead]:
        asked = [(name, text) for name, text in (("status", status), ("q", q), ("limit", str(limit))) if text]
        return (await orders.list(session, command_actor(), asked)).results

    show(with_session(read), COLUMNS, as_json=as_json)


@app.command(name="show")
def show_order(number: Number, *, as_json: AsJson = False) -> None:
    """Show an order."""

    async def read(session: AsyncSession) -> OrderRead:
        return await _find(session, number)

    show_one(with_session(read), as_json=as_json)


@app.command()
def lines(number: Number, *, as_json: AsJson = False) -> None:
    """Show an order's lines."""

    async def read(session: AsyncSession) -> list[ItemRead]:
        order = await _find(session, number)
        return (await list_items(session, command_actor(), order.id)).results

    show(with_session(read), LINES, as_json=as_json)


@app.command()
def receive(
    number: Number,
    code: Annotated[str, typer.Argument(help="The part's code")],
    quantity: Annotated[str, typer.Argument(help="All pieces that came")],
    damaged: Annotated[str, typer.Option(help="How many of these are damaged")] = "0",
    serials: Annotated[list[str] | None, typer.Option("--serial", help="One for each piece")] = None,
    lot: Annotated[str | None, typer.Option(help="Of parts that come in lots")] = None,
    note: Annotated[str, typer.Option(help="A note for the order's history")] = "",
    *,
    more_than_ordered: Annotated[bool, typer.Option(help="Take more than was ordered")] = False,
    as_json: AsJson = False,
) -> None:
    """Receive what came of a line."""

    async def run(session: AsyncSession) -> OrderRead:
        order = await _find(session, number)
        known = (await list_items(session, command_actor(), order.id)).results
        item = next((one for one in known if one.part_code == code), None)
        if item is None:
            wrong = FieldError("code", f"{order.number} has no line for {code}")
            raise InvalidInputError("Nothing was received.", fields=[wrong])
        line = checked(
            ReceiptLine,
            item_id=item.id,
            quantity=quantity,
            damaged=Decimal(0) if damaged == "0" else damaged,
            serials=serials or [],
            lot=lot,
        )
        receipt = checked(ReceiptWrite, lines=[line], more_than_ordered=more_than_ordered, note=note)
        return await receive_order(session, command_actor(), order.id, receipt)

    show_one(with_session(run, note), as_json=as_json)


async def _find(session: AsyncSession, number: str) -> OrderRead:
    try:
        asked = [("id", str(UUID(number)))]
    except ValueError:
        asked = [("number", number)]
    found = (await orders.list(session, command_actor(), [*asked, ("limit", "1")])).results
    if not found:
        wrong = FieldError("number", f"There is no order {number}")
        raise InvalidInputError("Nothing was done.", fields=[wrong])
    return found[0]
