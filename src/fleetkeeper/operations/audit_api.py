"""`/api/v1/audit`: the log, its export, its seals and the last check of it."""

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Path, Query, Request
from starlette.responses import StreamingResponse

from fleetkeeper.audit.schemas import (
    AuditEntryRead,
    AuditPage,
    AuditState,
    SealPage,
    SealsMade,
)
from fleetkeeper.database.request_session import AppDatabase, AppSettings, Session, context_of
from fleetkeeper.error_handlers import problem_responses
from fleetkeeper.identity.access import require
from fleetkeeper.identity.actor import Actor
from fleetkeeper.identity.permissions import Permission
from fleetkeeper.jobs.schemas import RunAsked
from fleetkeeper.kit.list_query import ListParameters, listed_by
from fleetkeeper.kit.pagination import with_links
from fleetkeeper.operations import audit_browser, audit_service
from fleetkeeper.operations.audit_browser import ENTRIES as ENTRIES_LISTING
from fleetkeeper.operations.audit_browser import SEALS as SEALS_LISTING
from fleetkeeper.operations.audit_export import FORMATS, export_entries

router = APIRouter(prefix="/audit", tags=["audit"])
SealsQuery = Annotated[ListParameters, listed_by(SEALS_LISTING)]
EntriesQuery = Annotated[ListParameters, listed_by(ENTRIES_LISTING)]

AuditRead = Annotated[Actor, Depends(require(Permission.AUDIT_READ))]
AuditExport = Annotated[Actor, Depends(require(Permission.AUDIT_EXPORT))]
AuditSealing = Annotated[Actor, Depends(require(Permission.AUDIT_SEAL))]
Number = Annotated[int, Path(ge=1, le=2**63 - 1)]


@router.get("", responses=problem_responses(400, 401, 403, 422))
async def list_entries(
    request: Request, actor: AuditRead, session: Session, asked: EntriesQuery
) -> AuditPage:
    """List entries, newest first. Filters: any field, with `__in`, `__gte`, `__lt`, …; counted up to 10,000."""
    page = await audit_browser.list_entries(session, actor, asked)
    return with_links(page, request.url.path)


@router.get(
    "/export",
    response_class=StreamingResponse,
    responses={
        200: {"content": {kind: {} for kind in FORMATS.values()}},
        **problem_responses(400, 401, 403, 422),
    },
)
async def export(
    request: Request,
    actor: AuditExport,
    session: Session,
    database: AppDatabase,
    file_format: Annotated[Literal["csv", "parquet"], Query(alias="format")] = "csv",
) -> StreamingResponse:
    """Download the entries that fit the filters of the list. The log keeps who took them."""
    parameters = [item for item in request.query_params.multi_items() if item[0] != "format"]
    statement = await audit_service.begin_export(session, actor, parameters, file_format)
    return StreamingResponse(
        export_entries(database, context_of(request), statement, file_format),
        media_type=FORMATS[file_format],
        headers={
            "Content-Disposition": f'attachment; filename="audit.{file_format}"',
            "Cache-Control": "no-store",
        },
    )


@router.get("/seals", responses=problem_responses(400, 401, 403, 422))
async def list_seals(request: Request, actor: AuditRead, session: Session, asked: SealsQuery) -> SealPage:
    """List seals, newest first."""
    del actor
    page = await audit_browser.list_seals(session, asked)
    return with_links(page, request.url.path)


@router.post("/seal", responses=problem_responses(400, 401, 403, 409))
async def seal(request: Request, actor: AuditSealing, session: Session, settings: AppSettings) -> SealsMade:
    """Seal what is not sealed yet, at most half a million entries at a time; the worker does it each minute."""
    del actor
    return await audit_service.seal(session, settings, context_of(request))


@router.get("/verification", responses=problem_responses(400, 401, 403))
async def read_verification(actor: AuditRead, session: Session) -> AuditState:
    """Read whether sealing keeps up, the newest genuine seal, what the last check found, and whether one runs."""
    return await audit_service.read_state(session, actor)


@router.post("/verification", status_code=202, responses=problem_responses(400, 401, 403))
async def ask_for_verification(actor: AuditSealing, session: Session) -> RunAsked:
    """Ask for a check of the whole log; the worker does it each night by itself."""
    del actor
    return await audit_service.ask_for_verification(session)


@router.get("/{entry_id}", responses=problem_responses(400, 401, 403, 404, 422))
async def get_entry(entry_id: Number, actor: AuditRead, session: Session) -> AuditEntryRead:
    """Get one entry."""
    return await audit_browser.get_entry(session, actor, entry_id)
