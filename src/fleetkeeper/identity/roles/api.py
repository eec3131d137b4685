"""`/api/v1/roles`."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Request, Response

from fleetkeeper.database.request_session import Session
from fleetkeeper.error_handlers import problem_responses
from fleetkeeper.identity.exporting import add_export
from fleetkeeper.identity.permissions import Permission
from fleetkeeper.identity.roles import service
from fleetkeeper.identity.roles.access import RolesRead, RolesWrite
from fleetkeeper.identity.roles.queries import LISTING as ROLES_LISTING
from fleetkeeper.identity.roles.schemas import RoleCreate, RoleMatrix, RolePage, RoleRead, RoleUpdate
from fleetkeeper.kit.etags import ExpectedVersion, tagged
from fleetkeeper.kit.list_query import ListParameters, listed_by
from fleetkeeper.kit.pagination import with_links

router = APIRouter(prefix="/roles", tags=["roles"])
RolesQuery = Annotated[ListParameters, listed_by(ROLES_LISTING)]


@router.get("", responses=problem_responses(401, 403, 422))
async def list_roles(request: Request, actor: RolesRead, session: Session, asked: RolesQuery) -> RolePage:
    """List roles."""
    del actor
    return with_links(await service.list_roles(session, asked), request.url.path)


@router.post("", status_code=201, responses=problem_responses(400, 401, 403, 409, 422))
async def create_role(
    wanted: RoleCreate, actor: RolesWrite, session: Session, response: Response
) -> RoleRead:
    """Make a role of one's own."""
    return tagged(response, await service.create_role(session, actor, wanted))


add_export(
    router,
    "roles",
    Permission.ROLES_READ,
    RoleRead,
    "roles",
    lambda session, _, parameters: service.list_roles(session, parameters),
)


@router.get("/matrix", responses=problem_responses(401, 403))
async def read_matrix(actor: RolesRead, session: Session) -> RoleMatrix:
    """Say which role allows what."""
    del actor
    return await service.read_matrix(session)


@router.get("/{role_id}", responses=problem_responses(401, 403, 404, 422))
async def get_role(role_id: UUID, actor: RolesRead, session: Session, response: Response) -> RoleRead:
    """Get one role."""
    del actor
    return tagged(response, await service.get_role(session, role_id))


@router.patch("/{role_id}", responses=problem_responses(400, 401, 403, 404, 409, 412, 422))
async def update_role(
    role_id: UUID,
    changes: RoleUpdate,
    actor: RolesWrite,
    session: Session,
    expected_version: ExpectedVersion,
    response: Response,
) -> RoleRead:
    """Change a role."""
    return tagged(response, await service.update_role(session, actor, role_id, changes, expected_version))


@router.delete("/{role_id}", status_code=204, responses=problem_responses(401, 403, 404, 409, 422))
async def delete_role(role_id: UUID, actor: RolesWrite, session: Session) -> None:
    """Delete a role that nobody has."""
    await service.delete_role(session, actor, role_id)
