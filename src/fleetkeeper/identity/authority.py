"""Nobody hands out, or takes over, more than they have themselves. Pure."""

from collections.abc import Iterable
from uuid import UUID

from fleetkeeper.errors import ForbiddenError
from fleetkeeper.identity.actor import Actor
from fleetkeeper.identity.permissions import SCOPED, Permission

_KNOWN = frozenset(map(str, Permission))


def lacking(actor: Actor, permissions: Iterable[str], department_id: UUID | None) -> list[str]:
    """The permissions that a role would give in a department (None is everywhere) and that the actor lacks there.

    One that this version of the product does not know counts as lacking: nobody can say what it will allow.
    """
    missing = []
    for name in permissions:
        if name not in _KNOWN:
            missing.append(name)
            continue
        permission = Permission(name)
        has_effect = department_id is None or permission in SCOPED
        if has_effect and not actor.may_in(permission, department_id):
            missing.append(name)
    return sorted(missing)


def check_grantable(actor: Actor, role: str, permissions: Iterable[str], department_id: UUID | None) -> None:
    """Raise ForbiddenError unless the actor may give, or take away, a role in a department or everywhere."""
    if not actor.may_in(Permission.MEMBERSHIPS_WRITE, department_id):
        where = "everywhere" if department_id is None else "in that department"
        raise ForbiddenError(f"This needs the permission {Permission.MEMBERSHIPS_WRITE} {where}.")
    missing = lacking(actor, permissions, department_id)
    if missing:
        raise ForbiddenError(f"The role {role} has permissions that you lack there: {', '.join(missing)}.")


def check_move(
    actor: Actor,
    origin: UUID | None,
    target: UUID | None,
    permissions: Iterable[Permission] = SCOPED,
) -> None:
    """Raise ForbiddenError when moving something from one department to another widens what its mover may do with it.

    Who may write in both could have a permission in one of them only, and would take the thing there to use it.
    """
    gained = [
        permission
        for permission in sorted(permissions)
        if actor.may_in(permission, target) and not actor.may_in(permission, origin)
    ]
    if gained:
        raise ForbiddenError(f"There you would get permissions on it that you lack now: {', '.join(gained)}.")


def check_permissions(actor: Actor, permissions: Iterable[str]) -> None:
    """Raise ForbiddenError unless the actor has each of a role's permissions everywhere."""
    missing = lacking(actor, permissions, None)
    if missing:
        raise ForbiddenError(f"You do not have these permissions everywhere yourself: {', '.join(missing)}.")


def covers(actor: Actor, other: Actor) -> bool:
    """Whether the actor may do everything, wherever the other may do it."""
    return all(scope <= actor.scope(permission) for permission, scope in other.grants.items())


def check_covers(actor: Actor, other: Actor) -> None:
    """Raise ForbiddenError when taking over the other's account would give the actor more than they have."""
    if not covers(actor, other):
        raise ForbiddenError(
            f"{other.name} may do more than you: only somebody with all their permissions may change this account."
        )
