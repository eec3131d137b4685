"""`/senders/refused`: samples that were not stored, with an example and a cure of each."""

from functools import partial

from fastapi import APIRouter, Request, Response

from fleetkeeper.console.lists.answering import show_list
from fleetkeeper.console.navigation import Place, declare
from fleetkeeper.console.refusal_list import refusal_list
from fleetkeeper.console.sender_forms import REFUSED
from fleetkeeper.database.request_session import Session
from fleetkeeper.devices.access import DevicesRead
from fleetkeeper.identity.permissions import Permission
from fleetkeeper.telemetry.refusals import service

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
    page = refusal_list(with_tokens=actor.may(Permission.TOKENS_READ))
    return await show_list(request, session, actor, page, partial(service.list_refusals, session, actor))
