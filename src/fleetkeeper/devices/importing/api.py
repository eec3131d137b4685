"""`/api/v1/device-imports`."""

from collections.abc import AsyncIterator
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request, Response
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.responses import StreamingResponse

from fleetkeeper.annotations.attachments.api import body_is_no_form
from fleetkeeper.annotations.attachments.names import OCTETS
from fleetkeeper.audit.exports import export_list
from fleetkeeper.database.exports import RESPONSES, FileFields, FileFormat
from fleetkeeper.database.request_session import AppSettings, Session
from fleetkeeper.devices.access import DevicesRead, DevicesWrite
from fleetkeeper.devices.importing import exporting, queries, running, service
from fleetkeeper.devices.importing.checking import dry_run
from fleetkeeper.devices.importing.files.reading import Format
from fleetkeeper.devices.importing.schemas import (
    DryRun,
    FieldRead,
    FileName,
    ImportPage,
    ImportRead,
    ImportWrite,
    ItemPage,
)
from fleetkeeper.devices.queries import LISTING as DEVICES_LISTING
from fleetkeeper.devices.service import silence_allowed
from fleetkeeper.error_handlers import problem_responses
from fleetkeeper.identity.access import ReasonGiven
from fleetkeeper.kit.body_front import body_parts
from fleetkeeper.kit.clock import utc_now
from fleetkeeper.kit.etags import ExpectedVersion, tagged
from fleetkeeper.kit.list_query import ListParameters, listed_by
from fleetkeeper.kit.pagination import with_links
from fleetkeeper.kit.table_files import KINDS, table_file

PATH = "/device-imports"
router = APIRouter(prefix=PATH, tags=["device-imports"])
ImportsQuery = Annotated[ListParameters, listed_by(queries.LISTING)]
ItemsQuery = Annotated[ListParameters, listed_by(queries.ITEMS)]
_BYTES = {
    "requestBody": {"required": True, "content": {OCTETS: {"schema": {"type": "string", "format": "binary"}}}}
}


@router.get("", responses=problem_responses(401, 403, 422))
async def list_imports(
    request: Request, actor: DevicesWrite, session: Session, asked: ImportsQuery
) -> ImportPage:
    """List your imports of devices, newest first; with the permission to change all devices, everybody's."""
    return with_links(await service.list_imports(session, actor, asked), request.url.path)


@router.post(
    "",
    status_code=201,
    dependencies=[Depends(body_is_no_form)],
    openapi_extra=_BYTES,
    responses=problem_responses(401, 403, 409, 413, 422),
)
async def upload(
    request: Request,
    actor: DevicesWrite,
    session: Session,
    response: Response,
    name: Annotated[FileName, Query(description="Name of the file; its ending tells the format")],
    file_format: Annotated[Format | None, Query(alias="format")] = None,
) -> ImportRead:
    """Upload a CSV, XLSX, JSON or YAML file of devices, whose bytes are the body. Nothing is imported yet.

    The answer has a field for each column whose name suggests one. At most 10 MiB and 20,000 rows.
    """
    content = b"".join(await body_parts(request))
    return tagged(response, await service.upload(session, actor, name, content, file_format or ""))


@router.get("/fields", responses=problem_responses(401, 403))
async def list_fields(actor: DevicesWrite, session: Session) -> list[FieldRead]:
    """List the fields that a column may be mapped to."""
    return await service.importable_fields(session, actor)


@router.get(
    "/template", response_class=StreamingResponse, responses={**RESPONSES, **problem_responses(401, 403, 422)}
)
async def download_template(
    actor: DevicesWrite, session: Session, file_format: FileFormat = "csv"
) -> StreamingResponse:
    """Download a file with all columns and one example row."""
    columns = await exporting.columns_for(session, actor)

    async def pages() -> AsyncIterator[list[dict[str, Any]]]:
        yield [{name: exporting.EXAMPLE.get(name, "") for name in columns.names}]

    name = f'attachment; filename="devices-template.{file_format}"'
    return StreamingResponse(
        table_file(pages(), columns.names, file_format),
        media_type=KINDS[file_format],
        headers={"Content-Disposition": name, "Cache-Control": "no-store"},
    )


@router.get(
    "/export", response_class=StreamingResponse, responses={**RESPONSES, **problem_responses(401, 403, 422)}
)
async def export_devices(
    request: Request,
    actor: DevicesRead,
    session: Session,
    settings: AppSettings,
    asked: Annotated[ListParameters, listed_by(DEVICES_LISTING)],
    file_format: FileFormat = "csv",
    fields: FileFields = "",
) -> StreamingResponse:
    """Download devices in the columns that an import takes. Filters are those of the devices' list."""
    del asked
    stale_before = utc_now() - await silence_allowed(session, settings)

    async def fetch(own: AsyncSession, parameters: list[tuple[str, str]]) -> exporting.RowsPage:
        return await exporting.list_rows(own, actor, parameters, stale_before=stale_before)

    columns = await exporting.columns_for(session, actor)
    return await export_list(
        request, session, fetch, columns, "devices", file_format=file_format, fields=fields
    )


@router.get("/{key}", responses=problem_responses(401, 403, 404, 422))
async def get_import(key: UUID, actor: DevicesWrite, session: Session, response: Response) -> ImportRead:
    """Get an import: its mapping, its options, and how far it is."""
    return tagged(response, await service.get_import(session, actor, key))


@router.put("/{key}", responses=problem_responses(400, 401, 403, 404, 409, 412, 422))
async def change_import(
    key: UUID,
    wanted: ImportWrite,
    actor: DevicesWrite,
    session: Session,
    response: Response,
    version: ExpectedVersion,
) -> ImportRead:
    """Say which column is which field, and how rows are matched with devices. A dry run is due again."""
    return tagged(response, await service.change_import(session, actor, key, wanted, version))


@router.delete("/{key}", status_code=204, responses=problem_responses(401, 403, 404, 409, 422))
async def delete_import(key: UUID, actor: DevicesWrite, session: Session) -> None:
    """Remove a file and its rows. Devices stay as they are, and the import cannot be undone any more."""
    await service.delete_import(session, actor, key)


@router.post("/{key}/dry-run", responses=problem_responses(401, 403, 404, 409, 422))
async def run_dry(key: UUID, request: Request, actor: DevicesWrite, session: Session) -> DryRun:
    """Say of each row whether it would create, update or leave a device, or what is wrong with it; change nothing."""
    counts = await dry_run(session, actor, key)
    page = await service.list_items(session, actor, key, [])
    linked = with_links(page, f"{request.url.path.removesuffix('/dry-run')}/items")
    return DryRun(**linked.model_dump(), counts=counts)


@router.get("/{key}/items", responses=problem_responses(401, 403, 404, 422))
async def list_items(
    key: UUID, request: Request, actor: DevicesWrite, session: Session, asked: ItemsQuery
) -> ItemPage:
    """List the rows of an import, each with what becomes or became of it."""
    return with_links(await service.list_items(session, actor, key, asked), request.url.path)


@router.post("/{key}/apply", status_code=202, responses=problem_responses(401, 403, 404, 409, 422))
async def apply(key: UUID, actor: DevicesWrite, reason: ReasonGiven, session: Session) -> ImportRead:
    """Apply what the dry run told, as a job, for a reason. Follow `status` and `counts` of the import."""
    return await running.ask_to_apply(session, actor, key, reason)


@router.post("/{key}/undo", status_code=202, responses=problem_responses(401, 403, 404, 409, 422))
async def undo(key: UUID, actor: DevicesWrite, reason: ReasonGiven, session: Session) -> ImportRead:
    """Undo an import within 30 days, as a job, for a reason: delete what it created, restore what it changed.

    Devices that changed since are `kept` as they are.
    """
    return await running.ask_to_undo(session, actor, key, reason)
