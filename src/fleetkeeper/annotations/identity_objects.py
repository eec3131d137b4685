"""What can be annotated of the room below: users, groups, departments and roles."""

from typing import Any

from sqlalchemy import Select, false, select

from fleetkeeper.annotations.objects import Annotated, Visible, declare_annotated
from fleetkeeper.identity.actor import Actor
from fleetkeeper.identity.models import Department, Group, Role, User
from fleetkeeper.identity.permissions import Permission


def _all_for(model: Any, permission: Permission) -> Visible:
    """Everyone's for those who hold the permission everywhere; nobody reads what is noted on themselves otherwise."""

    def visible(actor: Actor) -> Select[Any]:
        return select(model) if actor.may_everywhere(permission) else select(model).where(false())

    return visible


def _departments_for(permission: Permission) -> Visible:
    """Those in which the permission is held."""

    def visible(actor: Actor) -> Select[Any]:
        scope = actor.scope(permission)
        departments = select(Department)
        return departments if scope.everywhere else departments.where(Department.id.in_(scope.departments))

    return visible


declare_annotated(
    Annotated(
        table="users",
        title="user",
        href="/users/{}",
        key=User.id.expression,
        label=User.username.expression,
        visible=_all_for(User, Permission.USERS_READ),
        writable=_all_for(User, Permission.USERS_WRITE),
    )
)
declare_annotated(
    Annotated(
        table="groups",
        title="group",
        href="/groups/{}",
        key=Group.id.expression,
        label=Group.name.expression,
        visible=_all_for(Group, Permission.GROUPS_READ),
        writable=_all_for(Group, Permission.GROUPS_WRITE),
    )
)
declare_annotated(
    Annotated(
        table="departments",
        title="department",
        href="/departments/{}",
        key=Department.id.expression,
        label=Department.name.expression,
        visible=_departments_for(Permission.DEPARTMENTS_READ),
        writable=_departments_for(Permission.DEPARTMENTS_WRITE),
        department=Department.id.expression,
    )
)
declare_annotated(
    Annotated(
        table="roles",
        title="role",
        href="/roles/{}",
        key=Role.id.expression,
        label=Role.name.expression,
        visible=_all_for(Role, Permission.ROLES_READ),
        writable=_all_for(Role, Permission.ROLES_WRITE),
    )
)
