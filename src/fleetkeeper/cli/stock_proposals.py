"""`fleetkeeper stock propose` and `fleetkeeper stock forecast`: when to reorder what."""

from typing import Annotated
from uuid import UUID

import typer
from pydantic import BaseModel
from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.cli.job_progress import follow
from fleetkeeper.cli.running import command_actor, with_session
from fleetkeeper.cli.tables import AsJson, show
from fleetkeeper.jobs.status import RunState
from fleetkeeper.kit.clock import utc_now
from fleetkeeper.replenishment import queries
from fleetkeeper.replenishment.forecasts import list_forecasts
from fleetkeeper.replenishment.proposing import BATCH, plans_of
from fleetkeeper.replenishment.schemas import ProposalRead, StockForecast
from fleetkeeper.replenishment.service import ask_for_run, proposals
from fleetkeeper.stock.levels.service import levels
from fleetkeeper.stock.parts.service import scan

_PROPOSALS = (
    "part_code",
    "location_name",
    "quantity",
    "supplier_name",
    "unit_price",
    "currency",
    "available",
    "on_order",
    "reorder_point",
)
_PLANNED = ("part_code", "location_name", "quantity", "reasons")
_FORECASTS = (
    "location_name",
    "available",
    "on_order",
    "reorder_point",
    "suggested_reorder_point",
    "quantity_to_order",
    "reasons",
)


class Planned(BaseModel):
    """What would be proposed."""

    part_code: str
    location_name: str
    quantity: str
    reasons: list[str]


def propose(
    *,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what would be proposed now")] = False,
    as_json: AsJson = False,
) -> None:
    """Propose orders for what has reached its reorder point, and list the open proposals."""
    if dry_run:
        show(with_session(_planned), _PLANNED, as_json=as_json)
        return
    run_id = with_session(_ask)
    found = follow(run_id, quiet=as_json)
    if found.state != RunState.DONE:
        typer.echo(f"The run is {found.state}: {found.error}", err=True)
        raise typer.Exit(1)
    show(with_session(_open), _PROPOSALS, as_json=as_json)


def forecast(
    code: Annotated[str, typer.Argument(help="A part's code, a serial number, or a supplier's number of it")],
    *,
    as_json: AsJson = False,
) -> None:
    """Show the demand for a part at each location: the forecast, when to reorder, and why."""

    async def read(session: AsyncSession) -> list[StockForecast]:
        found = await scan(session, command_actor(), code)
        return (await list_forecasts(session, command_actor(), found.part.id)).results

    show(with_session(read), _FORECASTS, as_json=as_json)


async def _ask(session: AsyncSession) -> UUID:
    return (await ask_for_run(session)).id


async def _open(session: AsyncSession) -> list[ProposalRead]:
    asked = [("status", "open"), ("limit", "1000")]
    return (await proposals.list(session, command_actor(), asked, is_counted=False)).results


async def _planned(session: AsyncSession) -> list[Planned]:
    found: list[Planned] = []
    after: UUID | None = None
    while ids := await queries.next_places(session, after, BATCH):
        after = ids[-1]
        for made in await plans_of(session, ids, utc_now()):
            if made.draft is None:
                continue
            level = await levels.get(session, command_actor(), made.place.id)
            found.append(
                Planned(
                    part_code=level.part_code,
                    location_name=level.location_name,
                    quantity=str(made.draft.quantity),
                    reasons=list(made.reasons),
                )
            )
    return found
