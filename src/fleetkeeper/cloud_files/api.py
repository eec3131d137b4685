"""`/api/v1/cloud-files`, and files of a request: for people, and for the device whose request it is."""

from collections.abc import Hashable
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request, Response
from starlette.responses import StreamingResponse

from fleetkeeper.annotations.attachments.api import body_is_no_form
from fleetkeeper.annotations.attachments.names import OCTETS
from fleetkeeper.cloud_files import service
from fleetkeeper.cloud_files.adding import NewFile, add_device_file, add_file
from fleetkeeper.cloud_files.downloads import download_of
from fleetkeeper.cloud_files.queries import LISTING
from fleetkeeper.cloud_files.schemas import (
    CloudFilePage,
    CloudFileRead,
    DeviceFile,
    DeviceFiles,
    FileName,
    FileType,
)
from fleetkeeper.cloud_files.stores import api as stores
from fleetkeeper.database.engine import let_go
from fleetkeeper.database.request_session import Session
from fleetkeeper.device_requests.access import RequestsRead, RequestsWrite
from fleetkeeper.device_requests.schemas import Because
from fleetkeeper.devices.access import CallingDevice
from fleetkeeper.error_handlers import problem_responses
from fleetkeeper.identity.access import ReasonGiven
from fleetkeeper.identity.actor import Actor
from fleetkeeper.identity.exporting import add_export
from fleetkeeper.identity.permissions import Permission
from fleetkeeper.kit.body_spool import SPOOLED_BODY, SpooledBody
from fleetkeeper.kit.etags import tagged
from fleetkeeper.kit.list_query import ListParameters, listed_by
from fleetkeeper.kit.pagination import with_links

router = APIRouter(prefix="/cloud-files", tags=["cloud-files"])
of_requests = APIRouter(prefix="/device-requests", tags=["cloud-files"])
of_devices = APIRouter(prefix="/requests", tags=["cloud-files"])
# Whose bodies go to a file as they come.
UPLOADS = ("/device-requests/{request_id}/files", "/requests/{request_id}/files")
FilesQuery = Annotated[ListParameters, listed_by(LISTING)]
WantedName = Annotated[FileName, Query()]
_BYTES = {
    "requestBody": {"required": True, "content": {OCTETS: {"schema": {"type": "string", "format": "binary"}}}}
}
_FILE: dict[int | str, dict[str, Any]] = {
    200: {"content": {OCTETS: {"schema": {"type": "string", "format": "binary"}}}}
}


async def body_of(request: Request) -> SpooledBody:
    """The body, which the front has written to a file."""
    body: SpooledBody = getattr(request.state, SPOOLED_BODY)
    return body


Body = Annotated[SpooledBody, Depends(body_of)]


@router.get("", responses=problem_responses(401, 403, 422))
async def list_files(
    request: Request, actor: RequestsRead, session: Session, asked: FilesQuery
) -> CloudFilePage:
    """List files of device requests and their responses, newest first."""
    return with_links(await service.list_files(session, actor, asked), request.url.path)


add_export(router, "files", Permission.REQUESTS_READ, CloudFileRead, "cloud_file_refs", service.list_files)


@router.get("/{file_id}", responses=problem_responses(401, 403, 404, 422))
async def get_file(file_id: UUID, actor: RequestsRead, session: Session, response: Response) -> CloudFileRead:
    """Get what is known of a file, and its ETag."""
    return tagged(response, await service.get_file(session, actor, file_id))


@router.get(
    "/{file_id}/content",
    response_class=StreamingResponse,
    responses={**_FILE, **problem_responses(401, 403, 404, 409, 422, 429, 503)},
)
async def download_file(
    request: Request, file_id: UUID, actor: RequestsRead, session: Session
) -> StreamingResponse:
    """Download a file from its store. One that is not what was uploaded is answered 409."""
    await service.get_file(session, actor, file_id)
    await let_go(session)
    return await download_of(request, file_id, _caller(actor))


@router.post("/{file_id}/retry", responses=problem_responses(400, 401, 403, 404, 409, 422))
async def retry_file(file_id: UUID, wanted: Because, actor: RequestsWrite, session: Session) -> CloudFileRead:
    """Copy a file to its store now, from the first attempt on."""
    return await service.retry(session, actor, file_id, wanted.reason)


@router.delete("/{file_id}", status_code=204, responses=problem_responses(401, 403, 404, 422))
async def delete_file(file_id: UUID, actor: RequestsWrite, reason: ReasonGiven, session: Session) -> None:
    """Delete a file, for a reason; its store loses it within minutes."""
    del reason
    await service.delete_file(session, actor, file_id)


@of_requests.get("/{request_id}/files", responses=problem_responses(401, 403, 404, 422))
async def list_files_of(
    request: Request, request_id: UUID, actor: RequestsRead, session: Session, asked: FilesQuery
) -> CloudFilePage:
    """List the files of a request, newest first."""
    page = await service.list_files_of(session, actor, request_id, asked)
    return with_links(page, request.url.path)


@of_requests.post(
    "/{request_id}/files",
    status_code=201,
    dependencies=[Depends(body_is_no_form)],
    openapi_extra=_BYTES,
    responses=problem_responses(401, 403, 404, 409, 413, 422, 429),
)
async def add_file_to(
    request_id: UUID,
    actor: RequestsWrite,
    session: Session,
    body: Body,
    name: WantedName,
    file_type: FileType = FileType.RESPONSE,
) -> CloudFileRead:
    """Add a file, whose bytes are the body, to a request or its response."""
    made = await add_file(session, actor, request_id, NewFile(name, file_type, body, actor.name))
    return await service.get_file(session, actor, made.id)


@of_devices.get("/{request_id}/files", responses=problem_responses(401, 404, 422))
async def list_device_files(request_id: UUID, device: CallingDevice, session: Session) -> DeviceFiles:
    """List the files of the calling device's request, and of the response once it is ready."""
    return DeviceFiles(results=await service.files_of_device(session, device.device_id, request_id))


@of_devices.post(
    "/{request_id}/files",
    status_code=201,
    dependencies=[Depends(body_is_no_form)],
    openapi_extra=_BYTES,
    responses=problem_responses(401, 404, 409, 413, 422, 429),
)
async def add_device_file_to(
    request_id: UUID, device: CallingDevice, session: Session, body: Body, name: WantedName
) -> DeviceFile:
    """Add a file, whose bytes are the body, to a request of the calling device."""
    new = NewFile(name, FileType.REQUEST, body, device.name)
    return DeviceFile.model_validate(await add_device_file(session, device.device_id, request_id, new))


@of_devices.get(
    "/{request_id}/files/{file_id}/content",
    response_class=StreamingResponse,
    responses={**_FILE, **problem_responses(401, 404, 409, 422, 429, 503)},
)
async def download_device_file(
    request: Request, request_id: UUID, file_id: UUID, device: CallingDevice, session: Session
) -> StreamingResponse:
    """Download a file of the calling device's request."""
    await service.get_device_file(session, device.device_id, request_id, file_id)
    await let_go(session)
    return await download_of(request, file_id, device.device_id)


def _caller(actor: Actor) -> Hashable:
    return actor.token_id or actor.session_id


routers = (stores.router, router, of_requests, of_devices)
