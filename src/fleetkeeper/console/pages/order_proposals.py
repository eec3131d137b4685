"""`/order-proposals`: what to order, and why; chosen ones become draft orders."""

from functools import partial
from uuid import UUID

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel
from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.console.contexts.panels import Cell, EntryForm, Note
from fleetkeeper.console.details import Panels, Refusal
from fleetkeeper.console.forecast_panels import reasons_table
from fleetkeeper.console.forms.form import Form
from fleetkeeper.console.lists.answering import show_list
from fleetkeeper.console.lists.bulk import BulkAct, Words, bulk_act_page
from fleetkeeper.console.navigation import Place, declare
from fleetkeeper.console.objects import Objects, Service, show_object
from fleetkeeper.console.panels import done, submit
from fleetkeeper.console.proposal_list import HOME, proposal_list, supplier_cell, total_text
from fleetkeeper.console.requests import FormLists
from fleetkeeper.database.request_session import Session
from fleetkeeper.errors import ConflictError, FleetkeeperError
from fleetkeeper.identity.access import reason_given
from fleetkeeper.identity.actor import Actor
from fleetkeeper.identity.permissions import Permission
from fleetkeeper.jobs.status import OPEN
from fleetkeeper.kit.bulk import BulkResult, Selection
from fleetkeeper.replenishment.access import ProposalsRead, ProposalsWrite
from fleetkeeper.replenishment.ordering import order_many
from fleetkeeper.replenishment.schemas import ProposalRead
from fleetkeeper.replenishment.service import (
    ask_for_run,
    dismiss,
    dismiss_many,
    name_of,
    newest_look,
    proposals,
)
from fleetkeeper.replenishment.status import PROPOSALS, ProposalStatus
from fleetkeeper.stock.amounts import money_text, quantity_text

declare(
    Place(
        HOME,
        "Proposals",
        "shopping-cart",
        Permission.ORDERS_READ,
        group="Supply",
        order=28,
        words="reorder replenishment forecast suggest demand buy",
    )
)
_ORDER = Words("Make draft orders of", "Will be drafted", "Drafted", "Cannot be ordered", "Not ordered")
_STAYS_AWAY = (
    "It stays away for as long as the settings say, 30 days unless they were changed. If stock falls further, it is "
    "proposed again at once."
)
_DISMISS = Words(
    "Dismiss", "Will be dismissed", "Dismissed", "Cannot be dismissed", "Not dismissed", _STAYS_AWAY
)
router = APIRouter()


class _Nothing(BaseModel):
    """People enter nothing of a proposal."""


def _facts(one: ProposalRead) -> list[tuple[str, Cell]]:
    unit = one.unit_of_measure
    order = Cell(one.order_number, f"/orders/{one.order_id}") if one.order_id else Cell("")
    until = Cell(kind="time", at=one.dismissed_until) if one.dismissed_until else Cell("")
    facts = [
        ("Part", Cell(one.part_code, f"/parts/{one.part_id}", detail=one.part_name)),
        ("Variant", Cell(one.variant_code)),
        ("Location", Cell(one.location_name, f"/locations/{one.location_id}")),
        ("Quantity", Cell(quantity_text(one.quantity, unit))),
        ("Supplier", supplier_cell(one)),
        ("Price per unit", Cell(money_text(one.unit_price, one.currency or ""))),
        ("Total", Cell(total_text(one))),
        ("Available", Cell(quantity_text(one.available, unit))),
        ("On order", Cell(quantity_text(one.on_order, unit))),
        ("Reorder point", Cell(quantity_text(one.reorder_point, unit))),
        ("Proposed", Cell(kind="time", at=one.made_at)),
        ("Draft order", order),
        ("Dismissed until", until),
    ]
    return [(title, cell) for title, cell in facts if cell.text or cell.at]


async def _more(session: AsyncSession, actor: Actor, one: ProposalRead, may_write: bool) -> Panels:
    del session, actor
    may_order = may_write and one.status == ProposalStatus.OPEN
    form = EntryForm(
        "order",
        "Make draft order",
        f"{HOME}/{one.id}/order",
        "Make draft order",
        text="Nothing is ordered yet: look through the draft, then submit it for approval.",
    )
    return [reasons_table("Why", one.reasons), form if may_order else None]


_OBJECTS: Objects[ProposalRead, _Nothing] = Objects(
    page=proposal_list(may_write=False),
    table="order_proposals",
    read=proposals.read,
    write=proposals.write,
    service=Service(proposals.list, proposals.get),
    form=Form(_Nothing, "proposal", "Proposal", "Save", {}),
    name=name_of,
    facts=_facts,
    machine=PROPOSALS,
    consequences={ProposalStatus.DISMISSED: _STAYS_AWAY},
    acts={ProposalStatus.DISMISSED: "Dismiss", ProposalStatus.ORDERED: "", ProposalStatus.OUTDATED: ""},
    more=_more,
)


@router.get(HOME)
async def list_all(request: Request, actor: ProposalsRead, session: Session) -> Response:
    """What to order, and why."""
    may_write = actor.may(Permission.ORDERS_WRITE)
    now = EntryForm(
        "propose",
        "Propose orders now",
        f"{HOME}/runs",
        "Propose orders now",
        text="Looks through all stock at once instead of tonight. What is proposed already stays as it is.",
    )
    run = await newest_look(session)
    notes = []
    if run is not None and run.state in OPEN:
        share = f" {100 * run.done // run.total} % are done." if run.total else ""
        notes.append(Note(f"Stock is being looked through.{share}", HOME, "Reload the page to see more."))
    return await show_list(
        request,
        session,
        actor,
        proposal_list(may_write=may_write),
        partial(proposals.list, session, actor),
        before=[now if may_write else None],
        notes=notes,
    )


@router.post(f"{HOME}/runs")
async def propose_now(request: Request, actor: ProposalsWrite, session: Session) -> Response:
    """Look through stock as soon as a worker can."""
    del actor
    await ask_for_run(session)
    return done(request, HOME)


@router.post(f"{HOME}/bulk-order")
async def order_chosen(sent: FormLists, actor: ProposalsWrite, session: Session) -> Response:
    """Draft orders of many: the preview, and what became of each."""

    async def apply(selection: Selection, expected: int | None) -> BulkResult:
        return await order_many(session, actor, selection, dry_run=expected is None)

    act = BulkAct(HOME, "Make draft orders", proposals.noun, apply, _ORDER, "bulk-order")
    return await bulk_act_page(actor, act, sent)


@router.post(f"{HOME}/bulk-dismiss")
async def dismiss_chosen(
    request: Request, sent: FormLists, actor: ProposalsWrite, session: Session
) -> Response:
    """Dismiss many: the preview, and what became of each."""

    async def apply(selection: Selection, expected: int | None) -> BulkResult:
        is_preview = expected is None
        reason = "" if is_preview else await reason_given(request)
        return await dismiss_many(session, actor, selection, reason, dry_run=is_preview)

    act = BulkAct(HOME, "Dismiss proposals", proposals.noun, apply, _DISMISS, "bulk-dismiss")
    return await bulk_act_page(actor, act, sent)


@router.get(f"{HOME}/{{key}}")
async def show_one(request: Request, key: UUID, actor: ProposalsRead, session: Session) -> Response:
    """One proposal."""
    return await show_object(request, session, actor, _OBJECTS, key)


@router.post(f"{HOME}/{{key}}/order")
async def order_one(request: Request, key: UUID, actor: ProposalsWrite, session: Session) -> Response:
    """Make a draft order of one, and open it."""

    async def apply() -> ProposalRead:
        found = await order_many(session, actor, Selection(ids=[key]), dry_run=False)
        problems = [one.detail for one in found.results if one.outcome == "refused"]
        if problems:
            raise ConflictError(problems[0])
        return await proposals.get(session, actor, key)

    async def again(error: FleetkeeperError) -> Response:
        return await show_object(request, session, actor, _OBJECTS, key, Refusal("order", error, {}))

    return await submit(request, session, apply(), lambda made: f"/orders/{made.order_id}", again)


@router.post(f"{HOME}/{{key}}/status/dismissed")
async def dismiss_one(
    request: Request, key: UUID, sent: FormLists, actor: ProposalsWrite, session: Session
) -> Response:
    """Dismiss one."""

    async def apply() -> ProposalRead:
        return await dismiss(session, actor, key, await reason_given(request))

    async def again(error: FleetkeeperError) -> Response:
        refusal = Refusal(f"status-{ProposalStatus.DISMISSED}", error, sent)
        return await show_object(request, session, actor, _OBJECTS, key, refusal)

    return await submit(request, session, apply(), lambda _: HOME, again)
