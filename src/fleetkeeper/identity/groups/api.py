"""`/api/v1/groups`."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Request, Response

from fleetkeeper.database.request_session import Session
from fleetkeeper.error_handlers import problem_responses
from fleetkeeper.identity.exporting import add_export
from fleetkeeper.identity.groups import service
from fleetkeeper.identity.groups.access import GroupsRead, GroupsWrite
from fleetkeeper.identity.groups.queries import LISTING as GROUPS_LISTING
from fleetkeeper.identity.groups.schemas import GroupCreate, GroupPage, GroupRead, GroupUpdate
from fleetkeeper.identity.memberships import service as memberships
from fleetkeeper.identity.memberships.queries import LISTING as MEMBERSHIPS_LISTING
from fleetkeeper.identity.memberships.schemas import MembershipCreate, MembershipPage, MembershipRead
from fleetkeeper.identity.permissions import Permission
from fleetkeeper.identity.users.access import MembershipsWrite
from fleetkeeper.identity.users.queries import LISTING as MEMBERS_LISTING
from fleetkeeper.identity.users.schemas import UserPage
from fleetkeeper.kit.etags import ExpectedVersion, tagged
from fleetkeeper.kit.list_query import ListParameters, listed_by
from fleetkeeper.kit.pagination import with_links

router = APIRouter(prefix="/groups", tags=["groups"])
MembershipsQuery = Annotated[ListParameters, listed_by(MEMBERSHIPS_LISTING)]
MembersQuery = Annotated[ListParameters, listed_by(MEMBERS_LISTING)]
GroupsQuery = Annotated[ListParameters, listed_by(GROUPS_LISTING)]


@router.get("", responses=problem_responses(401, 403, 422))
async def list_groups(request: Request, actor: GroupsRead, session: Session, asked: GroupsQuery) -> GroupPage:
    """List groups."""
    del actor
    return with_links(await service.list_groups(session, asked), request.url.path)


add_export(
    router,
    "groups",
    Permission.GROUPS_READ,
    GroupRead,
    "groups",
    lambda session, _, parameters: service.list_groups(session, parameters),
)


@router.post("", status_code=201, responses=problem_responses(400, 401, 403, 409, 422))
async def create_group(
    wanted: GroupCreate, actor: GroupsWrite, session: Session, response: Response
) -> GroupRead:
    """Make a group."""
    del actor
    return tagged(response, await service.create_group(session, wanted))


@router.get("/{group_id}", responses=problem_responses(401, 403, 404, 422))
async def get_group(group_id: UUID, actor: GroupsRead, session: Session, response: Response) -> GroupRead:
    """Get one group."""
    del actor
    return tagged(response, await service.get_group(session, group_id))


@router.patch("/{group_id}", responses=problem_responses(400, 401, 403, 404, 409, 412, 422))
async def update_group(
    group_id: UUID,
    changes: GroupUpdate,
    actor: GroupsWrite,
    session: Session,
    expected_version: ExpectedVersion,
    response: Response,
) -> GroupRead:
    """Change a group's name and description."""
    return tagged(response, await service.update_group(session, actor, group_id, changes, expected_version))


@router.delete("/{group_id}", status_code=204, responses=problem_responses(401, 403, 404, 409, 422))
async def delete_group(group_id: UUID, actor: GroupsWrite, session: Session) -> None:
    """Delete a group: its members lose the roles they had by it."""
    await service.delete_group(session, actor, group_id)


@router.get("/{group_id}/members", responses=problem_responses(401, 403, 404, 422))
async def list_members(
    request: Request, group_id: UUID, actor: GroupsRead, session: Session, asked: MembersQuery
) -> UserPage:
    """List those in a group whom the caller may see."""
    page = await service.list_members(session, actor, group_id, asked)
    return with_links(page, request.url.path)


@router.put(
    "/{group_id}/members/{user_id}", status_code=204, responses=problem_responses(401, 403, 404, 409, 422)
)
async def add_member(group_id: UUID, user_id: UUID, actor: GroupsWrite, session: Session) -> None:
    """Put a user into a group."""
    await service.add_member(session, actor, group_id, user_id)


@router.delete(
    "/{group_id}/members/{user_id}", status_code=204, responses=problem_responses(401, 403, 404, 409, 422)
)
async def remove_member(group_id: UUID, user_id: UUID, actor: GroupsWrite, session: Session) -> None:
    """Take a user out of a group."""
    await service.remove_member(session, actor, group_id, user_id)


@router.get("/{group_id}/memberships", responses=problem_responses(401, 403, 404, 422))
async def list_memberships(
    request: Request, group_id: UUID, actor: GroupsRead, session: Session, asked: MembershipsQuery
) -> MembershipPage:
    """List a group's roles."""
    parameters = asked
    page = await service.list_group_memberships(session, actor, group_id, parameters)
    return with_links(page, request.url.path)


@router.post(
    "/{group_id}/memberships", status_code=201, responses=problem_responses(400, 401, 403, 404, 409, 422)
)
async def add_membership(
    group_id: UUID, wanted: MembershipCreate, actor: MembershipsWrite, session: Session
) -> MembershipRead:
    """Give a group a role, in a department or everywhere."""
    await service.get_group(session, group_id)
    return await memberships.add_membership(
        session, actor, wanted.role, wanted.department_id, group_id=group_id
    )


@router.delete(
    "/{group_id}/memberships/{membership_id}",
    status_code=204,
    responses=problem_responses(401, 403, 404, 409, 422),
)
async def remove_membership(
    group_id: UUID, membership_id: UUID, actor: MembershipsWrite, session: Session
) -> None:
    """Take a role away from a group."""
    await memberships.remove_membership(session, actor, membership_id, group_id=group_id)
