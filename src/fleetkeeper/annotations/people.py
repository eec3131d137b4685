"""What can be annotated of the room below: users and groups."""

from typing import Any

from sqlalchemy import Select, false, select

from fleetkeeper.annotations.objects import Annotated, Visible, declare_annotated
from fleetkeeper.identity.actor import Actor
from fleetkeeper.identity.models import Group, User
from fleetkeeper.identity.permissions import Permission


def _all_for(model: Any, permission: Permission) -> Visible:
    """Everyone's for those who hold the permission everywhere; nobody reads what is noted on themselves otherwise."""

    def visible(actor: Actor) -> Select[Any]:
        return select(model) if actor.may_everywhere(permission) else select(model).where(false())

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
