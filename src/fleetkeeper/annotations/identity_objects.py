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


def _declare(model: Any, title: str, label: Any, read: Permission, write: Permission) -> None:
    """Let those who manage all of a kind annotate it."""
    table = model.__table__.name
    declare_annotated(
        Annotated(
            table=table,
            title=title,
            href=f"/{table}/{{}}",
            key=model.id.expression,
            label=label.expression,
            visible=_all_for(model, read),
            writable=_all_for(model, write),
        )
    )


_declare(User, "user", User.username, Permission.USERS_READ, Permission.USERS_WRITE)
_declare(Group, "group", Group.name, Permission.GROUPS_READ, Permission.GROUPS_WRITE)
_declare(Role, "role", Role.name, Permission.ROLES_READ, Permission.ROLES_WRITE)
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
