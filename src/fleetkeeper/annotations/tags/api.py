"""`/api/v1/tags`."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Request, Response

from fleetkeeper.annotations.access import TagsRead, TagsWrite
from fleetkeeper.annotations.tags import service
from fleetkeeper.annotations.tags.queries import LISTING as TAGS_LISTING
from fleetkeeper.annotations.tags.schemas import TagPage, TagRead, TagWrite
from fleetkeeper.database.request_session import Session
from fleetkeeper.error_handlers import problem_responses
from fleetkeeper.identity.exporting import add_export
from fleetkeeper.identity.permissions import Permission
from fleetkeeper.kit.etags import ExpectedVersion, tagged
from fleetkeeper.kit.list_query import ListParameters, listed_by
from fleetkeeper.kit.pagination import with_links

router = APIRouter(prefix="/tags", tags=["tags"])
TagsQuery = Annotated[ListParameters, listed_by(TAGS_LISTING)]
ObjectType = Annotated[str, Path(max_length=63, description="Kind of object, such as `devices`")]


@router.get("", responses=problem_responses(401, 403, 422))
async def list_tags(request: Request, actor: TagsRead, session: Session, asked: TagsQuery) -> TagPage:
    """List tags."""
    return with_links(await service.list_tags(session, actor, asked), request.url.path)


add_export(router, "tags", Permission.TAGS_READ, TagRead, "tags", service.list_tags)


@router.post("", status_code=201, responses=problem_responses(400, 401, 403, 409, 422))
async def create_tag(wanted: TagWrite, actor: TagsWrite, session: Session, response: Response) -> TagRead:
    """Create a tag."""
    return tagged(response, await service.create_tag(session, actor, wanted))


@router.get("/{tag_id}", responses=problem_responses(401, 403, 404, 422))
async def get_tag(tag_id: UUID, actor: TagsRead, session: Session, response: Response) -> TagRead:
    """Get one tag."""
    return tagged(response, await service.get_tag(session, actor, tag_id))


@router.put("/{tag_id}", responses=problem_responses(400, 401, 403, 404, 409, 412, 422))
async def change_tag(
    tag_id: UUID,
    wanted: TagWrite,
    actor: TagsWrite,
    session: Session,
    expected_version: ExpectedVersion,
    response: Response,
) -> TagRead:
    """Change a tag."""
    return tagged(response, await service.change_tag(session, actor, tag_id, wanted, expected_version))


@router.delete("/{tag_id}", status_code=204, responses=problem_responses(401, 403, 404, 422))
async def delete_tag(tag_id: UUID, actor: TagsWrite, session: Session) -> None:
    """Delete a tag. All objects lose it."""
    await service.delete_tag(session, actor, tag_id)


@router.put(
    "/{tag_id}/objects/{object_type}/{object_id}",
    status_code=204,
    responses=problem_responses(401, 403, 404, 422),
)
async def assign_tag(
    tag_id: UUID, object_type: ObjectType, object_id: UUID, actor: TagsRead, session: Session
) -> None:
    """Give an object that you may change a tag."""
    await service.assign_tag(session, actor, tag_id, object_type, object_id)


@router.delete(
    "/{tag_id}/objects/{object_type}/{object_id}",
    status_code=204,
    responses=problem_responses(401, 403, 404, 422),
)
async def unassign_tag(
    tag_id: UUID, object_type: ObjectType, object_id: UUID, actor: TagsRead, session: Session
) -> None:
    """Take a tag from an object that you may change."""
    await service.unassign_tag(session, actor, tag_id, object_type, object_id)
