"""`/audit`: who did what, the entries one by one, and the log's seals."""

from dataclasses import replace
from functools import partial
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Request, Response
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.responses import RedirectResponse

from fleetkeeper.audit.schemas import AuditEntryRead
from fleetkeeper.console.audit_entries import entry_row, with_filters
from fleetkeeper.console.audit_list import HOME, audit_list, references_of, values_of
from fleetkeeper.console.audit_values import Names, references_in, said
from fleetkeeper.console.contexts.audit import AuditEntryPage, Said, SealPanel
from fleetkeeper.console.contexts.panels import Fragment
from fleetkeeper.console.history import read_entries
from fleetkeeper.console.lists.answering import show_list
from fleetkeeper.console.lists.days import zone_of
from fleetkeeper.console.navigation import Place, declare, shell_for
from fleetkeeper.console.rendering import render
from fleetkeeper.console.requests import WantsFragment
from fleetkeeper.database.request_session import AppSettings, Session, context_of
from fleetkeeper.errors import ConflictError
from fleetkeeper.identity.access import require
from fleetkeeper.identity.actor import Actor
from fleetkeeper.identity.permissions import Permission
from fleetkeeper.operations import audit_browser, audit_service
from fleetkeeper.operations.audit_names import find_names

router = APIRouter()
declare(
    Place(
        "/audit",
        "Audit log",
        "history",
        Permission.AUDIT_READ,
        group="System",
        order=80,
        key="l",
        words="changes seals",
    )
)

AuditRead = Annotated[Actor, Depends(require(Permission.AUDIT_READ))]
AuditSealing = Annotated[Actor, Depends(require(Permission.AUDIT_SEAL))]
Number = Annotated[int, Path(ge=1, le=2**63 - 1)]


@router.get("/audit")
async def list_entries(
    request: Request, actor: AuditRead, session: Session, wants_fragment: WantsFragment
) -> Response:
    """Entries with filters and paging, and below them the log's seals."""
    references = references_of(request.query_params.multi_items())
    names = await find_names(session, actor, references.values())
    page = audit_list(
        zone_of(actor.time_zone),
        values_of(references, names),
        may_export=actor.may(Permission.AUDIT_EXPORT),
    )
    seals = () if wants_fragment else (Fragment("audit/_seals.html", await _seals(session, actor)),)
    return await show_list(request, session, actor, page, partial(read_entries, session, actor), after=seals)


@router.get("/audit/state")
async def show_state(actor: AuditRead, session: Session) -> Response:
    """The seals' panel, which comes again while a check runs."""
    return render("audit/_seals.html", await _seals(session, actor))


@router.post("/audit/seal")
async def seal(
    request: Request,
    actor: AuditSealing,
    session: Session,
    settings: AppSettings,
    wants_fragment: WantsFragment,
) -> Response:
    """Seal what is not sealed yet."""
    try:
        made = await audit_service.seal(session, settings, context_of(request))
    except ConflictError as error:
        message = error.detail
    else:
        entries = sum(one.entries for one in made.seals)
        message = f"Sealed {entries} {'entry' if entries == 1 else 'entries'}." if made.seals else ""
        message = message or "There was nothing new to seal."
    if not wants_fragment:
        return RedirectResponse(HOME, 303)
    return render("audit/_seals.html", await _seals(session, actor, message))


@router.post("/audit/verification")
async def verify(actor: AuditSealing, session: Session, wants_fragment: WantsFragment) -> Response:
    """Ask for a check of the whole log."""
    asked = await audit_service.ask_for_verification(session)
    if not wants_fragment:
        return RedirectResponse(HOME, 303)
    message = "" if asked.is_new else "A check is already queued."
    return render("audit/_seals.html", await _seals(session, actor, message))


@router.get("/audit/{entry_id}")
async def show_entry(entry_id: Number, actor: AuditRead, session: Session) -> Response:
    """One entry: who, what, when, from where, under which request and why."""
    entry = await audit_browser.get_entry(session, actor, entry_id)
    sealed = await audit_browser.seal_of(session, actor, entry_id)
    names = await find_names(session, actor, references_in([entry]))
    page = AuditEntryPage(
        shell=shell_for(actor, HOME),
        entry=entry,
        row=entry_row(entry, names, whole=True),
        seal_number=None if sealed is None else sealed.number,
        sealed_at=None if sealed is None else sealed.sealed_at,
        origin=_origin(entry, names),
    )
    return render("audit/entry.html", page)


async def _seals(session: AsyncSession, actor: Actor, message: str = "") -> SealPanel:
    state = await audit_service.read_state(session, actor)
    return SealPanel(state, actor.may(Permission.AUDIT_SEAL), actor.csrf_token or "", message)


def _origin(entry: AuditEntryRead, names: Names) -> tuple[tuple[str, Said], ...]:
    """Who did it from where; each leads to all else that was done so."""
    found = (
        ("User", "user_id", entry.user_id),
        ("Token", "token_id", entry.token_id),
        ("Session of", "session_id", entry.session_id),
        ("Device", "device_id", entry.device_id),
        ("Address", "ip_address", entry.ip_address),
        ("Browser or program", "", entry.user_agent),
        ("Request", "request_id", entry.request_id),
    )
    origin = []
    for label, name, value in found:
        shown = None if value is None else said("", name, str(value), names)
        if shown is not None and value:
            href = with_filters(**{name: str(value)}) if name else ""
            origin.append((label, replace(shown, href=href)))
    return tuple(origin)
