"""`fleetkeeper part …`: the catalogue."""

from typing import Annotated

import typer
from pydantic import BaseModel
from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.cli.inputs import checked
from fleetkeeper.cli.running import command_actor, with_session
from fleetkeeper.cli.tables import AsJson, show, show_one
from fleetkeeper.identity.departments.service import find_department
from fleetkeeper.stock.amounts import Quantity
from fleetkeeper.stock.parts.schemas import PartRead, PartWrite
from fleetkeeper.stock.parts.service import parts, scan
from fleetkeeper.stock.suppliers.schemas import Choice
from fleetkeeper.stock.suppliers.service import choose_supplier

app = typer.Typer(help="Parts: list, show, create and find the best supplier.", no_args_is_help=True)

COLUMNS = ("part_code", "name", "category", "unit_of_measure", "is_active")
CHOICES = ("supplier_name", "quantity", "unit_price", "total_price", "currency", "lead_time_days", "reasons")
Code = Annotated[str, typer.Argument(help="A part's code, a serial number, or a supplier's number of it")]


class _Quantity(BaseModel):
    """How many are needed."""

    quantity: Quantity


@app.command(name="list")
def list_parts(
    q: Annotated[str, typer.Option("--q", help="Part of a code, a name or a category")] = "",
    category: Annotated[str, typer.Option(help="Such as Memory/DDR4")] = "",
    limit: Annotated[int, typer.Option(min=1, max=1000, help="Maximum number of rows")] = 100,
    *,
    as_json: AsJson = False,
) -> None:
    """List parts by code."""

    async def read(session: AsyncSession) -> list[PartRead]:
        asked = [
            (name, text) for name, text in (("q", q), ("category", category), ("limit", str(limit))) if text
        ]
        return (await parts.list(session, command_actor(), asked)).results

    show(with_session(read), COLUMNS, as_json=as_json)


@app.command(name="show")
def show_part(code: Code, *, as_json: AsJson = False) -> None:
    """Show what a code means."""

    async def read(session: AsyncSession) -> PartRead:
        return (await scan(session, command_actor(), code)).part

    show_one(with_session(read), as_json=as_json)


@app.command()
def create(
    code: Annotated[str, typer.Argument(help="Your own number of it, such as RAM-DDR4-16")],
    name: Annotated[str, typer.Argument(help="Name")],
    category: Annotated[str, typer.Option(help="Such as Memory/DDR4")] = "",
    unit: Annotated[str, typer.Option(help="What quantities count: unit, m, kg, l")] = "unit",
    component: Annotated[str | None, typer.Option(help="What it is in a device: memory, disk, …")] = None,
    department: Annotated[
        str | None, typer.Option(help="Name or path of the department that sees it")
    ] = None,
    *,
    serials: Annotated[bool, typer.Option("--serials", help="Each piece has a serial number")] = False,
    lots: Annotated[bool, typer.Option("--lots", help="It comes in lots")] = False,
    as_json: AsJson = False,
) -> None:
    """Create a part."""

    async def make(session: AsyncSession) -> PartRead:
        place = await find_department(session, command_actor(), department) if department else None
        wanted = checked(
            PartWrite,
            part_code=code,
            name=name,
            category=category,
            unit_of_measure=unit,
            component_kind=component,
            is_serialized=serials,
            has_lots=lots,
            department_id=place,
        )
        return await parts.create(session, command_actor(), wanted)

    show_one(with_session(make), as_json=as_json)


@app.command()
def supplier(
    code: Code,
    quantity: Annotated[str, typer.Argument(help="How many are needed")] = "1",
    *,
    as_json: AsJson = False,
) -> None:
    """Compare suppliers for a quantity, the best first."""

    async def read(session: AsyncSession) -> list[Choice]:
        found = await scan(session, command_actor(), code)
        amount = checked(_Quantity, quantity=quantity).quantity
        chosen = await choose_supplier(session, command_actor(), found.part.id, found.variant_id, amount)
        return chosen.choices

    show(with_session(read), CHOICES, as_json=as_json)
