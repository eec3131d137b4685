"""What is ordered for a device's request: on its page, and in one step from there."""

from typing import Any

from pydantic import BaseModel, ConfigDict
from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.console.contexts.panels import Cell, EntryForm, Option, Row, Table
from fleetkeeper.console.forms.form import Form, Widget
from fleetkeeper.console.order_list import HOME as ORDERS_HOME
from fleetkeeper.console.order_list import TYPES
from fleetkeeper.device_requests.schemas import DeviceRequestDetail
from fleetkeeper.identity.actor import Actor
from fleetkeeper.identity.permissions import Permission
from fleetkeeper.identity.texts import Description
from fleetkeeper.orders.schemas import OrderType, OrderWrite
from fleetkeeper.orders.service import orders
from fleetkeeper.stock.amounts import money_text

ACT = "order"


class Drafting(BaseModel):
    """What is said of an order that a request asks for."""

    model_config = ConfigDict(extra="forbid")

    order_type: OrderType = "purchase"
    notes: Description = ""


FORM = Form(
    Drafting,
    ACT,
    "Draft an order",
    "Draft order",
    {"order_type": Widget("Kind", kind="select"), "notes": "Notes"},
    text="For what the device asks for. Lines and supplier are entered in the order.",
)


async def draft_for(session: AsyncSession, actor: Actor, one: DeviceRequestDetail, entry: Drafting) -> Any:
    """Draft an order for a request. Raises ForbiddenError, and ConflictError where it has one."""
    wanted = OrderWrite(**entry.model_dump(), request_id=one.id, department_id=one.department_id)
    return await orders.create(session, actor, wanted)


async def order_panels(
    session: AsyncSession, actor: Actor, one: DeviceRequestDetail
) -> list[Table | EntryForm]:
    """The order for a request, or the form that drafts it; nothing for those who see no orders."""
    if not actor.may_in(Permission.ORDERS_READ, one.department_id):
        return []
    found = (await orders.list(session, actor, [("request_id", str(one.id))], is_counted=False)).results
    if found:
        rows = tuple(
            Row(
                (
                    Cell(order.number, f"{ORDERS_HOME}/{order.id}"),
                    Cell(order.status.capitalize()),
                    Cell(money_text(order.total_price, order.currency)),
                )
            )
            for order in found
        )
        return [Table("orders", "Orders", ("Number", "Status", "Total"), rows, is_stacked=True)]
    if not actor.may_in(Permission.ORDERS_WRITE, one.department_id):
        return []
    kinds = {"order_type": [Option(key, label) for key, label in TYPES.items()]}
    blank = Drafting(notes=f"{one.request_type} from {one.device_name}"[:500])
    return [FORM.shown(f"/device-requests/{one.id}/{ACT}", blank, options=kinds)]
