"""The SQL of users."""

from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, exists, false, or_, select

from fleetkeeper.identity.actor import Actor
from fleetkeeper.identity.departments.queries import departments_above
from fleetkeeper.identity.models import Department, GroupMember, Membership, Role, RolePermission, User
from fleetkeeper.identity.permissions import Permission
from fleetkeeper.kit.listing import Field, Listing

LISTING = Listing(
    fields={
        "id": Field(User.id.expression, UUID, sortable=False),
        "username": Field(User.username.expression, str),
        "name": Field(User.name.expression, str),
        "email": Field(User.email.expression, str, null_as="''"),
        "enabled": Field(User.enabled.expression, bool, sortable=False),
        "source": Field(User.source.expression, str),
        "last_login": Field(User.last_login.expression, datetime, null_as="to_timestamp(0)"),
        "created_at": Field(User.created_at.expression, datetime),
        "updated_at": Field(User.updated_at.expression, datetime),
    },
    search=(User.username.expression, User.name.expression, User.email.expression),
    key=User.id.expression,
    default_ordering="username",
)


# For those who see people of some departments only: what a listing filters and sorts by, it tells.
LISTING_OF_DEPARTMENTS = replace(
    LISTING,
    fields={name: field for name, field in LISTING.fields.items() if name not in {"email", "last_login"}},
    search=(User.username.expression, User.name.expression),
)


def visible_to(actor: Actor) -> Select[Any]:
    """The users that an actor may see: all, or oneself and those who have a role in the actor's departments."""
    scope = actor.scope(Permission.USERS_READ)
    if scope.everywhere:
        return select(User)
    places = sorted(scope.departments)
    own = select(Membership.user_id).where(
        Membership.department_id.in_(places), Membership.user_id.is_not(None)
    )
    by_group = (
        select(GroupMember.user_id)
        .join(Membership, Membership.group_id == GroupMember.group_id)
        .where(Membership.department_id.in_(places))
    )
    managing = select(Department.manager_id).where(
        Department.id.in_(places), Department.manager_id.is_not(None)
    )
    return select(User).where(
        or_(User.id == actor.user_id, User.id.in_(own), User.id.in_(by_group), User.id.in_(managing))
    )


def holders(
    permission: Permission, department_id: UUID | None, *, is_anywhere: bool = False
) -> Select[tuple[UUID]]:
    """The users who have a permission in a department, or in any; for no department, those who have it everywhere."""
    roles = select(RolePermission.role_id).where(RolePermission.permission == permission)
    manager = exists().where(Role.name == "manager", Role.is_builtin, Role.id.in_(roles))
    held = select(Membership).where(Membership.role_id.in_(roles))
    managing = select(Department.manager_id).where(manager)
    if not is_anywhere:
        above = departments_above(department_id) if department_id else select(Department.id).where(false())
        held = held.where(or_(Membership.department_id.is_(None), Membership.department_id.in_(above)))
        managing = managing.where(Department.id.in_(above))
    direct = held.with_only_columns(Membership.user_id)
    members = held.join(GroupMember, GroupMember.group_id == Membership.group_id)
    by_group = members.with_only_columns(GroupMember.user_id)
    found: Select[Any] = select(User.id).where(
        User.enabled, or_(User.id.in_(direct), User.id.in_(by_group), User.id.in_(managing))
    )
    return found
