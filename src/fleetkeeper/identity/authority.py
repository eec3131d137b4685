"""Nobody hands out, or takes over, more than they have themselves. Pure.

It is asked by all that make or change something by which somebody gets in or may do something: API tokens, enrollment
tokens, passwords, names and factors of accounts, roles, memberships, members of groups, managers, providers.
"""

from collections.abc import Iterable
from dataclasses import replace
from uuid import UUID

from fleetkeeper.errors import FieldError, ForbiddenError, InvalidInputError
from fleetkeeper.identity.actor import Actor
from fleetkeeper.identity.limits import UNLIMITED, Limits, lies_in
from fleetkeeper.identity.permissions import SCOPED, Permission

_KNOWN = frozenset(map(str, Permission))


def within(actor: Actor, wanted: Limits) -> Limits:
    """Limits for a credential that the actor makes: those of the actor's own credential where none are wanted.

    Raises InvalidInputError for wider ones.
    """
    outer = actor.limits
    problems = []
    if outer.permissions is not None and not set(wanted.permissions or ()) <= set(outer.permissions):
        problems.append(FieldError("permissions", "Must be among those of the token that you use"))
    if outer.departments is not None and not set(wanted.departments or ()) <= actor.reach:
        problems.append(FieldError("departments", "Must be among those of the token that you use"))
    if outer.allowed_networks is not None and not all(
        lies_in(one, outer.allowed_networks) for one in wanted.allowed_networks or ()
    ):
        problems.append(FieldError("allowed_networks", "Must be within those of the token that you use"))
    if (
        outer.expires_at is not None
        and wanted.expires_at is not None
        and wanted.expires_at > outer.expires_at
    ):
        problems.append(FieldError("expires_at", "Must not be later than that of the token that you use"))
    if problems:
        raise InvalidInputError(
            "A token cannot create a token with more permissions than its own.", fields=problems
        )
    inherited = {
        name: getattr(outer, name)
        for name in ("permissions", "departments", "allowed_networks", "expires_at")
        if getattr(wanted, name) is None
    }
    return replace(wanted, **inherited)


def check_lasting(actor: Actor) -> None:
    """Raise ForbiddenError for a token that ends, or that holds in some networks only.

    What a role, a membership or a password gives is there for good and from everywhere, and would outlive the token.
    """
    if actor.limits.expires_at is not None or actor.limits.allowed_networks is not None:
        raise ForbiddenError(
            "A token that expires, or is limited to networks, cannot give access without these limits. "
            "Use a session or a token without limits."
        )


def check_acts_for_account(actor: Actor) -> None:
    """Raise ForbiddenError for a token with limits: they would mean nothing if it could change its user's account."""
    if actor.limits != UNLIMITED:
        raise ForbiddenError("A limited token cannot change its user's account or other tokens.")


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
    """Raise ForbiddenError unless the actor may give a role in a department or everywhere."""
    check_lasting(actor)
    check_removable(actor, role, permissions, department_id)


def check_removable(actor: Actor, role: str, permissions: Iterable[str], department_id: UUID | None) -> None:
    """Raise ForbiddenError unless the actor may take away a role in a department or everywhere."""
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
    """Raise ForbiddenError unless the actor may let a role have these permissions: has each everywhere, for good."""
    check_lasting(actor)
    missing = lacking(actor, permissions, None)
    if missing:
        raise ForbiddenError(f"You do not have these permissions everywhere yourself: {', '.join(missing)}.")


def covers(actor: Actor, other: Actor) -> bool:
    """Whether the actor may do everything, wherever the other may do it."""
    return all(scope <= actor.scope(permission) for permission, scope in other.grants.items())


def check_covers(actor: Actor, other: Actor) -> None:
    """Raise ForbiddenError for an account that may do more than the actor, who could take it over."""
    if not covers(actor, other):
        raise ForbiddenError(
            f"{other.name} may do more than you: only somebody with all their permissions may change this account."
        )
