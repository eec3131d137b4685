"""`/senders/refused`: samples that were not stored, with an example and a cure of each."""

from fastapi import APIRouter, Request, Response

from fleetkeeper.console.contexts.panels import Cell
from fleetkeeper.console.contexts.refusals import RefusalCard, RefusalsPage
from fleetkeeper.console.navigation import Place, declare, shell_for
from fleetkeeper.console.panels import list_parameters, neighbour, search_of, with_query
from fleetkeeper.console.rendering import render
from fleetkeeper.console.retention_panels import grouped
from fleetkeeper.console.sender_panels import PROTOCOLS, REFUSED
from fleetkeeper.database.request_session import Session
from fleetkeeper.devices.access import DevicesRead
from fleetkeeper.identity.actor import Actor
from fleetkeeper.identity.permissions import Permission
from fleetkeeper.telemetry.reasons import Reason
from fleetkeeper.telemetry.refusals import service
from fleetkeeper.telemetry.refusals.schemas import RefusalRead

router = APIRouter()
declare(
    Place(
        "/senders/refused",
        "Refused samples",
        "alert-circle",
        Permission.DEVICES_READ,
        group="Sources",
        order=30,
        parent="/senders",
        words="rejected dropped lost errors reasons",
    )
)


@router.get(REFUSED)
async def show_refusals(request: Request, actor: DevicesRead, session: Session) -> Response:
    """Reasons, the newest first."""
    found = await service.list_refusals(session, actor, list_parameters(request))
    page = RefusalsPage(
        shell=shell_for(actor, REFUSED),
        search=search_of(request, "Reason, example, device or token"),
        cards=tuple(_card(one, actor) for one in found.results),
        count=found.count,
        next_href=neighbour(REFUSED, found.next),
        previous_href=neighbour(REFUSED, found.previous),
        kept_days=service.KEPT_DAYS,
    )
    return render("senders/refused.html", page)


def _card(one: RefusalRead, actor: Actor) -> RefusalCard:
    origin = []
    if one.token_id is not None:
        name = one.token_name or ""
        href = with_query("/tokens", q=name) if actor.may(Permission.TOKENS_READ) else ""
        origin.append(("Token", Cell(name, href)))
    if one.device_id is not None:
        origin.append(("Device", Cell(one.device_name or "", f"/devices/{one.device_id}")))
    if one.department_name is not None:
        origin.append(("Department", Cell(one.department_name)))
    unit = "request" if one.reason == Reason.REQUEST else "sample"
    return RefusalCard(
        title=one.meaning[:1].upper() + one.meaning[1:],
        protocol=PROTOCOLS.get(one.protocol, one.protocol),
        reason=one.reason,
        amount=f"{grouped(one.samples)} {unit}{'' if one.samples == 1 else 's'}",
        first_seen=one.first_seen,
        last_seen=one.last_seen,
        origin=tuple(origin),
        sentence=one.sentence if one.sentence != one.meaning else "",
        example=one.example,
        cure=one.cure,
    )
