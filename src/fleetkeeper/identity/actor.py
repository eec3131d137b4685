"""Who acts, and where each of their permissions holds: the one type that services get to see. Knows nothing of HTTP."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import reduce
from operator import or_
from uuid import UUID

from fleetkeeper.identity.limits import UNLIMITED, Limits
from fleetkeeper.identity.permissions import SCOPED, Permission


@dataclass(frozen=True)
class Scope:
    """Where a permission holds: everywhere, or in some departments (those below them included)."""

    everywhere: bool = False
    departments: frozenset[UUID] = frozenset()

    def __contains__(self, department_id: UUID | None) -> bool:
        """Whether it holds in a department. What belongs to none is seen only with a permission for everywhere."""
        return self.everywhere or department_id in self.departments

    def __bool__(self) -> bool:
        return self.everywhere or bool(self.departments)

    def __or__(self, other: "Scope") -> "Scope":
        return Scope(self.everywhere or other.everywhere, self.departments | other.departments)

    def __and__(self, other: "Scope") -> "Scope":
        if self.everywhere:
            return other
        return self if other.everywhere else Scope(departments=self.departments & other.departments)

    def __le__(self, other: "Scope") -> bool:
        """Whether it holds nowhere that the other does not."""
        return other.everywhere or (not self.everywhere and self.departments <= other.departments)


NOWHERE = Scope()
EVERYWHERE = Scope(everywhere=True)


@dataclass(frozen=True)
class Actor:
    """A user by a browser session or an API token, or a part of the product itself.

    `kind` is `user`, `token`, `job` or `command`; only the first two have a `user_id`.
    """

    kind: str
    name: str
    grants: Mapping[Permission, Scope]
    user_id: UUID | None = None
    roles: tuple[str, ...] = ()
    session_id: UUID | None = None
    token_id: UUID | None = None
    # Of the token itself; what they leave of its user's permissions stands in `grants`.
    limits: Limits = UNLIMITED
    # The departments of the limits with all below them.
    reach: frozenset[UUID] = frozenset()
    csrf_token: str | None = None
    time_zone: str | None = None
    theme: str = "auto"
    # Why a session may do nothing yet but set up a second factor.
    must_enrol_second_factor: bool = field(default=False)

    @property
    def permissions(self) -> frozenset[Permission]:
        """What the actor may do somewhere."""
        return frozenset(permission for permission, scope in self.grants.items() if scope)

    @property
    def rights(self) -> str:
        """All permissions with their departments in one text."""
        told = sorted(
            (str(permission), scope.everywhere, sorted(map(str, scope.departments)))
            for permission, scope in self.grants.items()
            if scope
        )
        return repr(told)

    @property
    def anywhere(self) -> Scope:
        """Where the actor may do anything at all."""
        return reduce(or_, frozenset(self.grants.values()), NOWHERE)

    def scope(self, permission: Permission) -> Scope:
        """Where the actor has a permission."""
        return self.grants.get(permission, NOWHERE)

    def may(self, permission: Permission) -> bool:
        """Whether the actor has the permission anywhere."""
        return bool(self.scope(permission))

    def may_in(self, permission: Permission, department_id: UUID | None) -> bool:
        """Whether the actor has the permission in a department; None is what belongs to no department."""
        return department_id in self.scope(permission)

    def may_everywhere(self, permission: Permission) -> bool:
        """Whether no department limits the permission."""
        return self.scope(permission).everywhere


def merge_grants(parts: Iterable[tuple[Iterable[Permission], Scope]]) -> dict[Permission, Scope]:
    """Grants from roles and where they hold. A permission of the whole installation needs a role everywhere."""
    grants: dict[Permission, Scope] = {}
    for permissions, scope in parts:
        for permission in permissions:
            if scope.everywhere or permission in SCOPED:
                grants[permission] = grants.get(permission, NOWHERE) | scope
    return grants


def product_actor(kind: str, name: str) -> Actor:
    """The product itself, by a job or a command on its machine: may do everything."""
    return Actor(kind=kind, name=name, grants=dict.fromkeys(Permission, EVERYWHERE))
