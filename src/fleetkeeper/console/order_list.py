"""The list of orders."""

from fleetkeeper.console.contexts.lists import Empty
from fleetkeeper.console.contexts.panels import Cell
from fleetkeeper.console.forms.status_forms import status_cell
from fleetkeeper.console.lists.declaring import Choice, Column, ListPage, QuickFilter, status_filter
from fleetkeeper.orders.schemas import OrderRead
from fleetkeeper.orders.service import orders
from fleetkeeper.orders.status import ORDERS, OrderStatus
from fleetkeeper.stock.amounts import money_text

HOME = "/orders"
TYPES = {"purchase": "Purchase", "internal_transfer": "Transfer", "return": "Return to supplier"}

PAGE: ListPage[OrderRead] = ListPage(
    path=HOME,
    title="Orders",
    noun=orders.noun,
    listing=orders.listing,
    search="Number, supplier or notes",
    quick=(
        status_filter(OrderStatus),
        QuickFilter("order_type", "Kind", tuple(Choice(one, label) for one, label in TYPES.items())),
    ),
    columns=(
        Column("number", "Number", lambda one: Cell(one.number, f"{HOME}/{one.id}"), sort="number"),
        Column("status", "Status", lambda one: status_cell(ORDERS, one.status), sort="status"),
        Column(
            "order_type", "Kind", lambda one: Cell(TYPES[one.order_type]), sort="order_type", css="is-minor"
        ),
        Column(
            "supplier_name",
            "Supplier",
            lambda one: (
                Cell(one.supplier_name, f"/suppliers/{one.supplier_id}") if one.supplier_id else Cell("")
            ),
            sort="supplier_name",
        ),
        Column(
            "total_price",
            "Total",
            lambda one: Cell(money_text(one.total_price, one.currency)),
            sort="total_price",
        ),
        Column(
            "expected_delivery_date",
            "Expected",
            lambda one: Cell(str(one.expected_delivery_date or "")),
            sort="expected_delivery_date",
        ),
        Column("created_by_name", "By", lambda one: Cell(one.created_by_name), css="is-minor"),
        Column(
            "created_at",
            "Created",
            lambda one: Cell(kind="time", at=one.created_at),
            sort="created_at",
            css="is-minor",
        ),
    ),
    titles={
        "id": "ID",
        "department_id": "Department ID",
        "supplier_id": "Supplier ID",
        "deliver_to_id": "Delivered to (ID)",
        "request_id": "Request ID",
        "created_by": "Created by (ID)",
        "currency": "Currency",
    },
    empty=Empty("No orders yet", "Draft an order, add its lines, and submit it for approval."),
    export="/api/v1/orders/export",
)
