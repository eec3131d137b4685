"""What people add to orders and work orders: tags, notes, files such as delivery notes."""

from fleetkeeper.annotations.objects import Annotated, declare_annotated
from fleetkeeper.orders.models import Order
from fleetkeeper.orders.service import orders
from fleetkeeper.orders.work.models import WorkOrder
from fleetkeeper.orders.work.service import work_orders

declare_annotated(
    Annotated(
        table="orders",
        title="order",
        href="/orders/{}",
        key=Order.id.expression,
        label=Order.number.expression,
        visible=orders.visible_to,
        writable=orders.writable_to,
        department=Order.department_id.expression,
    )
)
declare_annotated(
    Annotated(
        table="work_orders",
        title="work order",
        href="/work-orders/{}",
        key=WorkOrder.id.expression,
        label=WorkOrder.number.expression,
        visible=work_orders.visible_to,
        writable=work_orders.writable_to,
        department=WorkOrder.department_id.expression,
    )
)
