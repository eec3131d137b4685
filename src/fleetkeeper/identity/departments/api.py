"""`/api/v1/departments`."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Request, Response

from fleetkeeper.database.request_session import Session
from fleetkeeper.error_handlers import problem_responses
from fleetkeeper.identity.departments import service
from fleetkeeper.identity.departments.access import DepartmentsRead, DepartmentsWrite
from fleetkeeper.identity.departments.schemas import (
    DepartmentCreate,
    DepartmentPage,
    DepartmentRead,
    DepartmentUpdate,
)
from fleetkeeper.identity.exporting import add_export
from fleetkeeper.identity.memberships import service as memberships
from fleetkeeper.identity.memberships.queries import LISTING as MEMBERS_LISTING
from fleetkeeper.identity.memberships.schemas import MemberCreate, MembershipPage, MembershipRead
from fleetkeeper.identity.permissions import Permission
from fleetkeeper.identity.users.access import MembershipsWrite, UsersRead
from fleetkeeper.kit.etags import ExpectedVersion, tagged
from fleetkeeper.kit.list_query import ListParameters, listed_by
from fleetkeeper.kit.pagination import with_links

router = APIRouter(prefix="/departments", tags=["departments"])
MembersQuery = Annotated[ListParameters, listed_by(MEMBERS_LISTING)]


@router.get("", responses=problem_responses(401, 403, 422))
async def list_departments(
    request: Request,
    actor: DepartmentsRead,
    session: Session,
    q: str = "",
    ordering: str = "path",
    limit: int = 50,
    cursor: str = "",
) -> DepartmentPage:
    """List departments, in the order of their paths."""
    del q, ordering, limit, cursor
    page = await service.list_departments(session, actor, request.query_params.multi_items())
    return with_links(page, request.url.path)


@router.post("", status_code=201, responses=problem_responses(400, 401, 403, 409, 422))
async def create_department(
    wanted: DepartmentCreate, actor: DepartmentsWrite, session: Session, response: Response
) -> DepartmentRead:
    """Make a department."""
    return tagged(response, await service.create_department(session, actor, wanted))


add_export(
    router,
    "departments",
    Permission.DEPARTMENTS_READ,
    DepartmentRead,
    "departments",
    service.list_departments,
)


@router.get("/{department_id}", responses=problem_responses(401, 403, 404, 422))
async def get_department(
    department_id: UUID, actor: DepartmentsRead, session: Session, response: Response
) -> DepartmentRead:
    """Get one department."""
    return tagged(response, await service.get_department(session, actor, department_id))


@router.patch("/{department_id}", responses=problem_responses(400, 401, 403, 404, 409, 412, 422))
async def update_department(
    department_id: UUID,
    changes: DepartmentUpdate,
    actor: DepartmentsWrite,
    session: Session,
    expected_version: ExpectedVersion,
    response: Response,
) -> DepartmentRead:
    """Rename, describe or move a department, or name its manager."""
    return tagged(
        response, await service.update_department(session, actor, department_id, changes, expected_version)
    )


@router.delete("/{department_id}", status_code=204, responses=problem_responses(401, 403, 404, 409, 422))
async def delete_department(department_id: UUID, actor: DepartmentsWrite, session: Session) -> None:
    """Delete a department that nothing belongs to."""
    await service.delete_department(session, actor, department_id)


@router.get("/{department_id}/members", responses=problem_responses(401, 403, 404, 422))
async def list_members(
    request: Request, department_id: UUID, actor: UsersRead, session: Session, asked: MembersQuery
) -> MembershipPage:
    """List who has which role in the department itself."""
    parameters = asked
    page = await memberships.list_members(session, actor, department_id, parameters)
    return with_links(page, request.url.path)


@router.post(
    "/{department_id}/members", status_code=201, responses=problem_responses(400, 401, 403, 409, 422)
)
async def add_member(
    department_id: UUID, wanted: MemberCreate, actor: MembershipsWrite, session: Session
) -> MembershipRead:
    """Give a role in the department to a user by their exact name."""
    return await memberships.add_member(session, actor, department_id, wanted.username, wanted.role)


@router.delete(
    "/{department_id}/members/{membership_id}",
    status_code=204,
    responses=problem_responses(401, 403, 404, 409, 422),
)
async def remove_member(
    department_id: UUID, membership_id: UUID, actor: MembershipsWrite, session: Session
) -> None:
    """Take a role in the department away."""
    await memberships.remove_membership(session, actor, membership_id, department_id=department_id)
