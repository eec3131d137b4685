"""Users, departments, memberships and tokens, as tests need them."""

from itertools import count
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.identity.actor import Actor
from fleetkeeper.identity.limits import Limits
from fleetkeeper.identity.models import Department, Group, GroupMember, Membership, Role, RolePermission, User
from fleetkeeper.identity.permissions import Permission
from fleetkeeper.identity.permissions import Role as BuiltIn
from fleetkeeper.identity.service import actor_of_user
from fleetkeeper.identity.tokens.service import create_token
from fleetkeeper.kit.clock import utc_now

_numbers = count(1)


async def make_user(session: AsyncSession, name: str = "", **columns: object) -> User:
    """A user without a password."""
    username = name or f"user-{next(_numbers)}"
    user = User(username=username, name=username.title(), **columns)
    session.add(user)
    await session.flush()
    await session.refresh(user)
    return user


async def make_department(
    session: AsyncSession, name: str = "", parent: Department | None = None, **columns: object
) -> Department:
    department = Department(
        name=name or f"department-{next(_numbers)}", parent_id=parent and parent.id, **columns
    )
    session.add(department)
    await session.flush()
    return department


async def make_tree(session: AsyncSession) -> tuple[Department, Department, Department]:
    """North with Harbour below it, and South."""
    north = await make_department(session, f"North {next(_numbers)}")
    return (
        north,
        await make_department(session, "Harbour", north),
        await make_department(session, f"South {next(_numbers)}"),
    )


async def make_role(session: AsyncSession, *permissions: Permission, name: str = "") -> Role:
    """A role of one's own."""
    role = Role(name=name or f"role-{next(_numbers)}")
    session.add(role)
    await session.flush()
    session.add_all([RolePermission(role_id=role.id, permission=one) for one in permissions])
    await session.flush()
    return role


async def give(
    session: AsyncSession,
    holder: User | Group,
    role: Role | BuiltIn,
    department: Department | None = None,
) -> Membership:
    """Give a user or a group a role, in a department or everywhere."""
    role_id: UUID | None = role.id if isinstance(role, Role) else None
    if role_id is None:
        role_id = await session.scalar(select(Role.id).where(Role.name == role))
    membership = Membership(
        user_id=holder.id if isinstance(holder, User) else None,
        group_id=holder.id if isinstance(holder, Group) else None,
        role_id=role_id,
        department_id=department and department.id,
    )
    session.add(membership)
    await session.flush()
    return membership


async def make_group(session: AsyncSession, *members: User, name: str = "", **columns: object) -> Group:
    group = Group(name=name or f"group-{next(_numbers)}", **columns)
    session.add(group)
    await session.flush()
    session.add_all([GroupMember(group_id=group.id, user_id=one.id) for one in members])
    await session.flush()
    return group


async def make_actor(
    session: AsyncSession, role: Role | BuiltIn, department: Department | None = None, name: str = ""
) -> Actor:
    """A new user with a role, as who they act."""
    user = await make_user(session, name)
    await give(session, user, role, department)
    return await actor_of_user(session, user)


async def make_token(session: AsyncSession, user: User, **limits: object) -> str:
    """An API token of a user; returns its secret."""
    return await create_token(session, user.username, "test", now=utc_now(), limits=Limits(**limits))
