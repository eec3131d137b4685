"""`/api/v1/custom-fields`."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Request, Response

from fleetkeeper.annotations.access import FieldsRead, FieldsReveal, FieldsWrite
from fleetkeeper.annotations.fields import service, values
from fleetkeeper.annotations.fields.queries import LISTING as FIELDS_LISTING
from fleetkeeper.annotations.fields.schemas import (
    FieldDeleted,
    FieldPage,
    FieldRead,
    FieldWrite,
    RevealedValue,
    ValuesRead,
    ValuesUpdate,
)
from fleetkeeper.database.request_session import Session
from fleetkeeper.error_handlers import problem_responses
from fleetkeeper.identity.exporting import add_export
from fleetkeeper.identity.oidc.access import InstallationSealer
from fleetkeeper.identity.permissions import Permission
from fleetkeeper.kit.etags import ExpectedVersion, etag_of, tagged
from fleetkeeper.kit.list_query import ListParameters, listed_by
from fleetkeeper.kit.pagination import with_links

router = APIRouter(prefix="/custom-fields", tags=["custom fields"])
FieldsQuery = Annotated[ListParameters, listed_by(FIELDS_LISTING)]
ObjectType = Annotated[str, Path(max_length=63, description="Kind of object, such as `devices`")]


@router.get("", responses=problem_responses(401, 403, 422))
async def list_custom_fields(
    request: Request, actor: FieldsRead, session: Session, asked: FieldsQuery
) -> FieldPage:
    """List custom fields."""
    return with_links(await service.list_fields(session, actor, asked), request.url.path)


add_export(router, "custom fields", Permission.FIELDS_READ, FieldRead, "custom_fields", service.list_fields)


@router.post("", status_code=201, responses=problem_responses(400, 401, 403, 409, 422))
async def create_custom_field(
    wanted: FieldWrite, actor: FieldsWrite, session: Session, response: Response
) -> FieldRead:
    """Create a custom field."""
    return tagged(response, await service.create_field(session, actor, wanted))


@router.get("/{field_id}", responses=problem_responses(401, 403, 404, 422))
async def get_custom_field(
    field_id: UUID, actor: FieldsRead, session: Session, response: Response
) -> FieldRead:
    """Get one custom field, with how many objects have a value."""
    return tagged(response, await service.get_field(session, actor, field_id))


@router.put("/{field_id}", responses=problem_responses(400, 401, 403, 404, 409, 412, 422))
async def change_custom_field(
    field_id: UUID,
    wanted: FieldWrite,
    actor: FieldsWrite,
    session: Session,
    expected_version: ExpectedVersion,
    response: Response,
) -> FieldRead:
    """Change a custom field. Its kind, and choices that are in use, stay while objects have values."""
    return tagged(response, await service.change_field(session, actor, field_id, wanted, expected_version))


@router.delete("/{field_id}", responses=problem_responses(401, 403, 404, 422))
async def delete_custom_field(field_id: UUID, actor: FieldsWrite, session: Session) -> FieldDeleted:
    """Delete a custom field and its values. The answer says how many there were."""
    return await service.delete_field(session, actor, field_id)


@router.get("/objects/{object_type}/{object_id}", responses=problem_responses(401, 403, 404, 422))
async def get_custom_values(
    object_type: ObjectType, object_id: UUID, actor: FieldsRead, session: Session, response: Response
) -> ValuesRead:
    """Get the values of an object that you may see. Sensitive ones are masked."""
    found = (await values.read_values(session, actor, object_type, object_id)).values
    response.headers["ETag"] = etag_of(found.version)
    return found


@router.patch("/objects/{object_type}/{object_id}", responses=problem_responses(400, 401, 403, 404, 412, 422))
async def change_custom_values(
    object_type: ObjectType,
    object_id: UUID,
    wanted: ValuesUpdate,
    actor: FieldsRead,
    session: Session,
    sealer: InstallationSealer,
    expected_version: ExpectedVersion,
    response: Response,
) -> ValuesRead:
    """Set some values of an object that you may change."""
    return tagged(
        response,
        await values.change_values(
            session, actor, sealer, object_type, object_id, wanted.values, expected_version
        ),
    )


@router.post(
    "/objects/{object_type}/{object_id}/{name}/reveal", responses=problem_responses(401, 403, 404, 409, 422)
)
async def reveal_custom_value(
    object_type: ObjectType,
    object_id: UUID,
    name: Annotated[str, Path(max_length=60, description="Name of the field")],
    actor: FieldsReveal,
    session: Session,
    sealer: InstallationSealer,
    response: Response,
) -> RevealedValue:
    """Reveal a sensitive value. The audit log keeps who saw it."""
    response.headers["Cache-Control"] = "no-store"
    return await values.reveal_value(session, actor, sealer, object_type, object_id, name)
