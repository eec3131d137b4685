"""The list of order proposals."""

from decimal import Decimal

from fleetkeeper.console.contexts.lists import BulkAction, Empty
from fleetkeeper.console.contexts.panels import Cell
from fleetkeeper.console.forms.schema_fields import words_of
from fleetkeeper.console.forms.status_forms import status_cell
from fleetkeeper.console.lists.declaring import Choice, Column, ListPage, QuickFilter
from fleetkeeper.replenishment.schemas import ProposalRead
from fleetkeeper.replenishment.service import proposals
from fleetkeeper.replenishment.status import PROPOSALS, ProposalStatus
from fleetkeeper.stock.amounts import money_text, quantity_text

HOME = "/order-proposals"
_BULK = (
    BulkAction("Make draft orders", "bulk-order"),
    BulkAction("Dismiss selected", "bulk-dismiss"),
)
_CLOSED = tuple(Choice(one, words_of(one)) for one in ProposalStatus if one != ProposalStatus.OPEN)


def proposal_list(*, may_write: bool) -> ListPage[ProposalRead]:
    """Proposals, the open ones unless others are asked for."""
    return ListPage(
        path=HOME,
        title="Proposals",
        noun=proposals.noun,
        listing=proposals.listing,
        search="Part, location or supplier",
        quick=(
            QuickFilter(
                "status",
                "Status",
                _CLOSED,
                everything="Open",
                otherwise=(("status", ProposalStatus.OPEN),),
            ),
        ),
        columns=(
            Column("part_code", "Part", _part, sort="part_code"),
            Column(
                "location_name",
                "Location",
                lambda one: Cell(one.location_name, f"/locations/{one.location_id}"),
                sort="location_name",
            ),
            Column(
                "quantity",
                "Quantity",
                lambda one: Cell(quantity_text(one.quantity, one.unit_of_measure)),
                sort="quantity",
            ),
            Column("supplier_name", "Supplier", supplier_cell, sort="supplier_name"),
            Column("total", "Total", lambda one: Cell(total_text(one)), field="unit_price"),
            Column("available", "Available", _available),
            Column("reasons", "Why", _why, css="is-wide"),
            Column("status", "Status", _status, sort="status", css="is-minor"),
            Column(
                "made_at",
                "Proposed",
                lambda one: Cell(kind="time", at=one.made_at),
                sort="made_at",
                falls_first=True,
                css="is-minor",
            ),
        ),
        titles={
            "id": "ID",
            "part_id": "Part ID",
            "variant_id": "Variant ID",
            "location_id": "Location ID",
            "supplier_id": "Supplier ID",
            "order_id": "Order ID",
            "department_id": "Department ID",
        },
        empty=Empty(
            "No open proposals",
            "Each night, parts that have reached their reorder points are proposed here.",
        ),
        export="/api/v1/order-proposals/export",
        bulk=_BULK if may_write else (),
    )


def _part(one: ProposalRead) -> Cell:
    variant = f" · {one.variant_code}" if one.variant_code else ""
    return Cell(f"{one.part_code}{variant}", f"{HOME}/{one.id}", detail=one.part_name)


def supplier_cell(one: ProposalRead) -> Cell:
    """Who would deliver it."""
    if one.supplier_id is None:
        return Cell("No price known", is_soft=True)
    return Cell(one.supplier_name, f"/suppliers/{one.supplier_id}")


def total_text(one: ProposalRead) -> str:
    """What all of it costs."""
    if one.unit_price is None:
        return ""
    total = (one.quantity * one.unit_price).quantize(Decimal("0.01"))
    return money_text(total, one.currency or "")


def _available(one: ProposalRead) -> Cell:
    more = f"and {quantity_text(one.on_order, one.unit_of_measure)} on order" if one.on_order else ""
    return Cell(quantity_text(one.available, one.unit_of_measure), detail=more)


def _why(one: ProposalRead) -> Cell:
    first, *rest = one.reasons or [""]
    return Cell(first, detail="; ".join(rest), is_soft=True)


def _status(one: ProposalRead) -> Cell:
    return status_cell(PROPOSALS, one.status)
