"""What the page of a part's stock shows of demand: the chart, the suggested reorder point and why, and taking it."""

from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.console.contexts.panels import Cell, EntryForm, Fragment, Row, Table
from fleetkeeper.console.contexts.stock import DemandChart
from fleetkeeper.console.demand_chart import demand_chart
from fleetkeeper.console.details import Panels
from fleetkeeper.console.stock_lists import STOCK
from fleetkeeper.identity.actor import Actor
from fleetkeeper.kit.clock import utc_now
from fleetkeeper.replenishment.forecasts import plan_for, read_plan
from fleetkeeper.replenishment.schemas import StockForecast
from fleetkeeper.stock.amounts import quantity_text
from fleetkeeper.stock.levels.schemas import LevelRead


async def forecast_panels(session: AsyncSession, actor: Actor, one: LevelRead, *, may_write: bool) -> Panels:
    """Weekly demand with its forecast, and when to reorder."""
    told = read_plan(await plan_for(session, actor, one.id, utc_now()), {})
    return [
        Fragment("stock/_demand.html", DemandChart(demand_chart(told))),
        reasons_table("When to reorder", told.reasons),
        _take_form(one, told) if may_write else None,
    ]


def reasons_table(title: str, reasons: list[str]) -> Table:
    """Why, line by line."""
    return Table("reasons", title, ("Reason",), tuple(Row((Cell(one),)) for one in reasons))


def _take_form(one: LevelRead, told: StockForecast) -> EntryForm | None:
    suggested = told.suggested_reorder_point
    if suggested is None or suggested == one.reorder_point:
        return None
    title = f"Take the suggested reorder point: {quantity_text(suggested, one.unit_of_measure)}"
    present = quantity_text(one.reorder_point, one.unit_of_measure)
    text = (
        f"It takes the place of {present}."
        if present
        else "None is set by hand: the suggested one counts anyway."
    )
    return EntryForm(
        "take-suggestion",
        title,
        f"{STOCK}/{one.id}/take-suggestion",
        "Take it",
        text=f"{text} From then on it changes only by hand, and low stock is told by it.",
    )
