"""`/device-imports`: devices from files, from the upload to the result."""

from functools import partial
from uuid import UUID

from fastapi import APIRouter, Request, Response
from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.console.contexts.lists import Empty
from fleetkeeper.console.contexts.panels import Cell, EntryForm, Upload
from fleetkeeper.console.device_import_panels import (
    HOME,
    MAPPING,
    PROGRESS,
    MappingForm,
    acts_of,
    counts_text,
    deleting,
    is_under_way,
    notes_of,
    progress_of,
    rows_page,
    status_tag,
)
from fleetkeeper.console.lists.answering import show_list
from fleetkeeper.console.lists.declaring import Column, ListPage, status_filter
from fleetkeeper.console.navigation import Place, declare
from fleetkeeper.console.panels import at_entries, done, refused, show_page, submit
from fleetkeeper.console.requests import FormLists
from fleetkeeper.database.request_session import Session
from fleetkeeper.devices.access import DevicesWrite
from fleetkeeper.devices.importing import running, service
from fleetkeeper.devices.importing.checking import dry_run
from fleetkeeper.devices.importing.files.table import MOST_BYTES
from fleetkeeper.devices.importing.queries import LISTING
from fleetkeeper.devices.importing.schemas import ImportRead
from fleetkeeper.devices.importing.status import OPEN, ImportStatus
from fleetkeeper.errors import FleetkeeperError
from fleetkeeper.identity.access import ReasonGiven
from fleetkeeper.identity.actor import Actor
from fleetkeeper.identity.permissions import Permission

declare(
    Place(
        HOME,
        "Import devices",
        "upload",
        Permission.DEVICES_WRITE,
        parent="/devices",
        order=28,
        words="import csv xlsx excel json yaml file upload template",
    )
)
router = APIRouter(prefix=HOME)
_API = "/api/v1/device-imports"
_UPLOAD = Upload(
    "upload",
    "Files to import",
    f"{_API}?",
    MOST_BYTES,
    "CSV, XLSX, JSON or YAML, up to 10 MiB and 20,000 rows. Nothing is imported until you have seen the dry run.",
    pages=HOME,
)
PAGE: ListPage[ImportRead] = ListPage(
    path=HOME,
    title="Import devices",
    noun=("import", "imports"),
    listing=LISTING,
    search="File or person",
    quick=(status_filter(ImportStatus),),
    columns=(
        Column("file_name", "File", lambda one: Cell(one.file_name, f"{HOME}/{one.id}"), sort="file_name"),
        Column("status", "Status", lambda one: Cell(tags=(status_tag(one),)), sort="status"),
        Column("row_count", "Rows", lambda one: Cell(f"{one.row_count:,}"), sort="row_count"),
        Column("counts", "Outcome", lambda one: Cell(counts_text(one), is_soft=True), field=None),
        Column("owner", "Uploaded by", lambda one: Cell(one.owner, is_soft=True), sort="owner"),
        Column("created_at", "Uploaded", lambda one: Cell(at=one.created_at, kind="time"), sort="created_at"),
    ),
    titles={"id": "ID"},
    empty=Empty(
        "No imports yet",
        "Upload a file of devices above, then choose a field for each of its columns. The template has all columns.",
    ),
)


@router.get("")
async def list_imports(request: Request, actor: DevicesWrite, session: Session) -> Response:
    """Imports, and the form that uploads files."""
    links = (
        (f"{_API}/template?format=xlsx", "Template (XLSX)"),
        (f"{_API}/export?format=xlsx", "Export devices (XLSX)"),
    )
    fetch = partial(service.list_imports, session, actor)
    return await show_list(request, session, actor, PAGE, fetch, before=[_UPLOAD], links=links)


@router.get("/{key}")
@router.get("/{key}/rows")
async def show_import(request: Request, key: UUID, actor: DevicesWrite, session: Session) -> Response:
    """An import: its mapping, its rows, and what can be done with it."""
    made = await service.get_import(session, actor, key)
    form = await _form(session, actor, made)
    fetch = partial(service.list_items, session, actor, key)
    before = [*progress_of(made), *([form.panel()] if made.status in OPEN else []), *acts_of(made)]
    return await show_list(
        request,
        session,
        actor,
        rows_page(key, made),
        fetch,
        before=before,
        after=deleting(made),
        crumbs=((HOME, "Import devices"),),
        notes=notes_of(made),
        current=HOME,
    )


@router.get(f"/{{key}}/{PROGRESS}")
async def show_progress(request: Request, key: UUID, actor: DevicesWrite, session: Session) -> Response:
    """How far the job is; once it has ended, on to the page of the import."""
    made = await service.get_import(session, actor, key)
    if not is_under_way(made):
        return done(request, f"{HOME}/{key}")
    crumbs = ((HOME, "Import devices"),)
    return show_page(actor, HOME, made.file_name, progress_of(made), crumbs=crumbs)


@router.post("/{key}")
async def change_import(
    request: Request, key: UUID, sent: FormLists, actor: DevicesWrite, session: Session
) -> Response:
    """Save the mapping and run the dry run."""
    made = await service.get_import(session, actor, key)
    form = await _form(session, actor, made)

    async def save() -> str:
        await service.change_import(session, actor, key, form.read(sent))
        await dry_run(session, actor, key)
        return f"{HOME}/{key}"

    async def again(error: FleetkeeperError) -> Response:
        panel = form.panel()
        told = at_entries(error, form.names())
        shown = refused(panel, told, sent) if isinstance(panel, EntryForm) and panel.id == MAPPING else panel
        crumbs = ((HOME, "Import devices"),)
        return show_page(actor, HOME, made.file_name, [shown], crumbs=crumbs, status=error.status)

    return await submit(request, session, save(), str, again)


@router.post("/{key}/apply")
async def apply_import(
    request: Request, key: UUID, actor: DevicesWrite, reason: ReasonGiven, session: Session
) -> Response:
    """Let a job import what the dry run has shown."""
    await running.ask_to_apply(session, actor, key, reason)
    return done(request, f"{HOME}/{key}")


@router.post("/{key}/undo")
async def undo_import(
    request: Request, key: UUID, actor: DevicesWrite, reason: ReasonGiven, session: Session
) -> Response:
    """Let a job undo the import."""
    await running.ask_to_undo(session, actor, key, reason)
    return done(request, f"{HOME}/{key}")


@router.post("/{key}/delete")
async def delete_import(request: Request, key: UUID, actor: DevicesWrite, session: Session) -> Response:
    """Delete a file."""
    await service.delete_import(session, actor, key)
    return done(request, HOME)


async def _form(session: AsyncSession, actor: Actor, made: ImportRead) -> MappingForm:
    fields = await service.importable_fields(session, actor)
    return MappingForm(made, fields, await service.samples(session, actor, made.id))
