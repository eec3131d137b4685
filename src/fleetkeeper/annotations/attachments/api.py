"""`/api/v1/attachments`."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request
from starlette.responses import StreamingResponse

from fleetkeeper.annotations.attachments import service
from fleetkeeper.annotations.attachments.downloads import download_of
from fleetkeeper.annotations.attachments.names import OCTETS
from fleetkeeper.annotations.attachments.queries import LISTING as ATTACHMENTS_LISTING
from fleetkeeper.annotations.attachments.schemas import AttachmentPage, AttachmentRead, FileName
from fleetkeeper.annotations.schemas import ObjectName
from fleetkeeper.database.request_session import AppSettings, Session
from fleetkeeper.error_handlers import problem_responses
from fleetkeeper.errors import FieldError, InvalidInputError
from fleetkeeper.identity.access import SignedIn
from fleetkeeper.kit.body_front import body_parts
from fleetkeeper.kit.list_query import ListParameters, listed_by
from fleetkeeper.kit.pagination import with_links

router = APIRouter(prefix="/attachments", tags=["attachments"])
AttachmentsQuery = Annotated[ListParameters, listed_by(ATTACHMENTS_LISTING)]
OBJECT = "object"
WantedObject = Annotated[ObjectName, Query(alias=OBJECT)]
_FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")
_BYTES = {
    "requestBody": {"required": True, "content": {OCTETS: {"schema": {"type": "string", "format": "binary"}}}}
}
_FILE: dict[int | str, dict[str, Any]] = {
    200: {"content": {OCTETS: {"schema": {"type": "string", "format": "binary"}}}}
}


async def body_is_no_form(request: Request) -> None:
    """Raise InvalidInputError for a body that would be read as the fields of a form."""
    if request.headers.get("content-type", "").lower().startswith(_FORMS):
        message = f"Send the file's bytes as they are, as {OCTETS}"
        raise InvalidInputError("The file was not attached.", fields=[FieldError("Content-Type", message)])


@router.get("", responses=problem_responses(401, 404, 422))
async def list_attachments(
    request: Request, actor: SignedIn, session: Session, asked: AttachmentsQuery, object_name: WantedObject
) -> AttachmentPage:
    """List the files of an object that you may see, newest first."""
    rest = [item for item in asked if item[0] != OBJECT]
    page = await service.list_attachments(session, actor, object_name, rest)
    return with_links(page, request.url.path, more={OBJECT: object_name})


@router.post(
    "",
    status_code=201,
    dependencies=[Depends(body_is_no_form)],
    openapi_extra=_BYTES,
    responses=problem_responses(401, 403, 404, 409, 413, 422),
)
async def add_attachment(
    request: Request,
    actor: SignedIn,
    session: Session,
    settings: AppSettings,
    object_name: WantedObject,
    name: Annotated[FileName, Query()],
) -> AttachmentRead:
    """Attach a file, whose bytes are the body, to an object that you may change."""
    content = await body_parts(request)
    return await service.add_attachment(session, actor, settings.attachments, object_name, name, content)


@router.get("/{attachment_id}", responses=problem_responses(401, 404, 422))
async def get_attachment(attachment_id: UUID, actor: SignedIn, session: Session) -> AttachmentRead:
    """Get what is known of a file."""
    return await service.get_attachment(session, actor, attachment_id)


@router.get(
    "/{attachment_id}/content",
    response_class=StreamingResponse,
    responses={**_FILE, **problem_responses(401, 404, 422)},
)
async def download_attachment(
    request: Request, attachment_id: UUID, actor: SignedIn, session: Session
) -> StreamingResponse:
    """Download a file."""
    return download_of(request, await service.get_attachment(session, actor, attachment_id))


@router.delete("/{attachment_id}", status_code=204, responses=problem_responses(401, 403, 404, 422))
async def delete_attachment(attachment_id: UUID, actor: SignedIn, session: Session) -> None:
    """Delete a file of an object that you may change."""
    await service.delete_attachment(session, actor, attachment_id)
