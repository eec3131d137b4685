"""`/audit`: who did what, the entries one by one, and the log's seals."""

from dataclasses import replace
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Path, Request, Response
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.responses import RedirectResponse

from fleetkeeper.audit.coverage import UNAUDITED
from fleetkeeper.audit.schemas import AuditEntryRead
from fleetkeeper.audit.words import kind_of
from fleetkeeper.console.audit_entries import entry_row, with_filters
from fleetkeeper.console.audit_filter import (
    ALL,
    LIMIT,
    address_of,
    listing_parameters,
    read_filter,
    references_of,
    shown_others,
    zone_of,
)
from fleetkeeper.console.audit_values import Names, references_in, said
from fleetkeeper.console.contexts.audit import (
    AuditEntryPage,
    AuditListPage,
    AuditResults,
    DeviceHistory,
    EntryRow,
    Said,
    SealPanel,
)
from fleetkeeper.console.navigation import Place, declare, shell_for
from fleetkeeper.console.rendering import format_words, names_of, render
from fleetkeeper.console.requests import WantsFragment
from fleetkeeper.database.base import Base
from fleetkeeper.database.request_session import AppSettings, Session, context_of
from fleetkeeper.devices import service as devices
from fleetkeeper.errors import ConflictError, InvalidInputError
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
HOME = "/audit"
EVENT_KINDS = ("audit", "permission", "session")
HISTORY_LIMIT = "20"


@router.get("/audit")
async def list_entries(
    request: Request, actor: AuditRead, session: Session, wants_fragment: WantsFragment
) -> Response:
    """Entries with filters and paging; htmx gets the table alone."""
    results = await _results(request, session, actor)
    status = 422 if results.error else 200
    if wants_fragment:
        return render("audit/_results.html", results, status=status)
    wanted, others = read_filter(request.query_params)
    page = AuditListPage(
        **names_of(results),
        shell=shell_for(actor, HOME),
        filter=wanted,
        others=shown_others(wanted, others, await find_names(session, actor, references_of(others).values())),
        kinds=_kinds(),
        time_zone=zone_of(actor.time_zone).key,
        seals=await _seals(session, actor),
    )
    return render("audit/list.html", page, status=status)


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
    message = "" if asked.is_new else "A check waits already."
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


@router.get("/devices/{device_id}/history")
async def show_device_history(device_id: UUID, actor: AuditRead, session: Session) -> Response:
    """What was done to a device and all that hangs off it, newest first."""
    await devices.get_device(session, actor, device_id)
    parameters = [("device_id", str(device_id)), ("limit", HISTORY_LIMIT)]
    page = await audit_browser.list_entries(session, actor, parameters)
    names = await find_names(session, actor, references_in(page.results))
    history = DeviceHistory(
        tuple(entry_row(one, names) for one in page.results),
        with_filters(device_id=str(device_id)) if page.next else "",
    )
    return render("audit/_history.html", history)


async def _results(request: Request, session: AsyncSession, actor: Actor) -> AuditResults:
    wanted, others = read_filter(request.query_params)
    rows: tuple[EntryRow, ...] = ()
    count, is_exact, error = 0, True, ""
    next_href = previous_href = None
    exports: tuple[tuple[str, str], ...] = ()
    try:
        parameters = listing_parameters(wanted, others, zone_of(actor.time_zone))
        cursor = request.query_params.get("cursor", "")
        page = await audit_browser.list_entries(
            session, actor, [*parameters, ("limit", LIMIT), ("cursor", cursor)]
        )
    except InvalidInputError as wrong:
        error = " ".join(f"{field.field.partition('__')[0]}: {field.message}." for field in wrong.fields)
    else:
        names = await find_names(session, actor, references_in(page.results))
        rows = tuple(entry_row(one, names) for one in page.results)
        count, is_exact = page.count, page.count_is_exact
        next_href, previous_href = (_neighbour(request, link) for link in (page.next, page.previous))
        if actor.may(Permission.AUDIT_EXPORT):
            exports = audit_browser.export_addresses(parameters)
    return AuditResults(
        rows=rows,
        count=count,
        count_is_exact=is_exact,
        next_href=next_href,
        previous_href=previous_href,
        is_filtered=address_of(replace(wanted, by=""), others) != HOME,
        all_href="" if wanted.by == ALL else address_of(replace(wanted, by=ALL), others),
        error=error,
        exports=exports,
    )


def _neighbour(request: Request, link: str | None) -> str | None:
    """The page's own address with another cursor; the listing's link has the listing's words."""
    if link is None:
        return None
    cursor = audit_browser.cursor_of(link)
    return str(request.url.include_query_params(cursor=cursor).replace(scheme="", netloc=""))


async def _seals(session: AsyncSession, actor: Actor, message: str = "") -> SealPanel:
    state = await audit_service.read_state(session, actor)
    return SealPanel(state, actor.may(Permission.AUDIT_SEAL), actor.csrf_token or "", message)


def _kinds() -> tuple[tuple[str, str], ...]:
    """What the log can be about: its tables and kinds of events, with their names for people."""
    names = [*EVENT_KINDS, *(name for name in Base.metadata.tables if name not in UNAUDITED)]
    return tuple(
        sorted(
            ((name, format_words(kind_of(name).removeprefix("the "))) for name in names),
            key=lambda one: one[1],
        )
    )


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
