"""`/attachments`: deleting files, which stand on the pages of their objects; they come and go by the API."""

from uuid import UUID

from fastapi import APIRouter, Request, Response

from fleetkeeper.annotations.attachments import service
from fleetkeeper.annotations.objects import KINDS
from fleetkeeper.annotations.schemas import parts_of
from fleetkeeper.console.details import tab_of
from fleetkeeper.console.panels import done
from fleetkeeper.database.request_session import Session
from fleetkeeper.identity.access import SignedIn

router = APIRouter(prefix="/attachments")


@router.post("/{attachment_id}/delete")
async def delete_attachment(
    request: Request, attachment_id: UUID, actor: SignedIn, session: Session
) -> Response:
    """Delete a file."""
    gone = await service.delete_attachment(session, actor, attachment_id)
    object_type, object_id = parts_of(gone.object)
    return done(request, tab_of(KINDS[object_type].href.format(object_id), "files"))
