"""Making, changing and disabling accounts."""

from collections.abc import Sequence
from uuid import UUID

import anyio.to_thread
from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.database.constraints import told_by_name
from fleetkeeper.errors import ConflictError, FieldError, InvalidInputError, NotFoundError
from fleetkeeper.identity import queries as identity_queries
from fleetkeeper.identity.actor import Actor
from fleetkeeper.identity.authority import check_covers, check_lasting
from fleetkeeper.identity.memberships import service as memberships
from fleetkeeper.identity.memberships.explanation import explain_access
from fleetkeeper.identity.memberships.schemas import MembershipPage, UserAccess
from fleetkeeper.identity.models import Installation, Membership, Role, User
from fleetkeeper.identity.permissions import Permission
from fleetkeeper.identity.permissions import Role as BuiltInRole
from fleetkeeper.identity.service import actor_of_user, end_sessions, revoke_tokens, token_names
from fleetkeeper.identity.sign_in.passwords import check_password, hash_password
from fleetkeeper.identity.users import queries
from fleetkeeper.identity.users.administrators import administrators_kept
from fleetkeeper.identity.users.schemas import UserCreate, UserPage, UserRead, UserUpdate
from fleetkeeper.kit.clock import utc_now
from fleetkeeper.kit.etags import check_version
from fleetkeeper.kit.ids import uuid7
from fleetkeeper.kit.text import is_storable


async def create_user(
    session: AsyncSession,
    username: str,
    password: str | None,
    role: str | None = None,
    *,
    department_id: UUID | None = None,
    assigned_by: UUID | None = None,
) -> User:
    """Make a local account, with a role in a department or everywhere. Raises InvalidInputError or ConflictError.

    For the product itself: who may do so is not asked.
    """
    user = await _new_user(session, UserCreate.model_construct(username=username, password=password))
    if role is not None:
        role_id = await session.scalar(select(Role.id).where(Role.name == role))
        if role_id is None:
            raise InvalidInputError(
                "The user was not created.", fields=[FieldError("role", f"there is no role {role!r}")]
            )
        session.add(
            Membership(user_id=user.id, role_id=role_id, department_id=department_id, assigned_by=assigned_by)
        )
        await session.flush()
    return user


async def create_first_administrator(session: AsyncSession, username: str, password: str) -> bool:
    """Make the first administrator, once in the life of a database; says whether it did.

    Of two that try at once, the second waits for the first and makes nothing.
    """
    await session.execute(text("SELECT pg_advisory_xact_lock(hashtext('fleetkeeper.first_run'))"))
    if await session.scalar(select(Installation.only_one)):
        return False
    session.add(Installation(instance_id=uuid7()))
    await session.flush()
    await create_user(session, username, password, BuiltInRole.ADMIN)
    return True


async def add_user(session: AsyncSession, actor: Actor, wanted: UserCreate) -> UserRead:
    """Make a local account, and give it a role that the actor may give. Raises as its parts do."""
    if wanted.password is not None:
        check_lasting(actor)
    user = await _new_user(session, wanted)
    if wanted.role is not None:
        await memberships.add_membership(session, actor, wanted.role, wanted.department_id, user_id=user.id)
    return await _read_anew(session, actor, user)


async def _new_user(session: AsyncSession, wanted: UserCreate) -> User:
    if not is_name(wanted.username):
        raise InvalidInputError(
            "The user was not created.", fields=[FieldError("username", "has 1 to 100 characters")]
        )
    if wanted.password is not None:
        check_password(wanted.password, wanted.username)
    if await identity_queries.find_user(session, wanted.username) is not None:
        raise ConflictError(f"There is a user {wanted.username!r} already.")
    user = User(username=wanted.username, name=wanted.name or wanted.username, email=wanted.email)
    if wanted.password is not None:
        user.password_hash = await anyio.to_thread.run_sync(hash_password, wanted.password)
        user.password_changed_at = utc_now()
    async with told_by_name(session):
        session.add(user)
    return user


def is_name(text_: str) -> bool:
    """Whether a text can be the name of something."""
    return bool(text_.strip()) and len(text_) <= 100 and is_storable(text_)


async def list_users(session: AsyncSession, actor: Actor, parameters: Sequence[tuple[str, str]]) -> UserPage:
    """One page of the users that the actor may see."""
    listing = queries.LISTING if sees_contacts(actor) else queries.LISTING_OF_DEPARTMENTS
    page = await listing.page(session, queries.visible_to(actor), parameters)
    results = [told(actor, row[0]) for row in page.rows]
    return UserPage(count=page.count, next=page.next, previous=page.previous, results=results)


async def get_user(session: AsyncSession, actor: Actor, user_id: UUID) -> UserRead:
    """One user. Raises NotFoundError for one that the actor may not see."""
    return told(actor, await _visible(session, actor, user_id))


async def find_user(session: AsyncSession, actor: Actor, wanted: str) -> UserRead:
    """A user by name or id. Raises InvalidInputError."""
    try:
        condition = User.id == UUID(wanted)
    except ValueError:
        named = await identity_queries.find_user(session, wanted)
        condition = User.id == (named.id if named is not None else None)
    user = await session.scalar(queries.visible_to(actor).where(condition))
    if user is None:
        raise InvalidInputError(
            "The user is unknown.", fields=[FieldError("user", f"there is no user {wanted!r}")]
        )
    return told(actor, user)


async def update_user(
    session: AsyncSession,
    actor: Actor,
    user_id: UUID,
    changes: UserUpdate,
    expected_version: int | None = None,
) -> UserRead:
    """Change an account.

    Raises NotFoundError, ForbiddenError for one that may do more, ConflictError, PreconditionError.
    """
    user = await _changeable(session, actor, user_id)
    check_version("account", user.version, expected_version)
    wanted = changes.model_dump(exclude_unset=True)
    if wanted.keys() & {"username", "email"}:
        # By these people sign in.
        check_lasting(actor)
    other = await identity_queries.find_user(session, wanted.get("username") or user.username)
    if other is not None and other.id != user.id:
        raise ConflictError(
            "A user with this name already exists.", fields=[FieldError("username", "is taken")]
        )
    async with told_by_name(session):
        for name, value in wanted.items():
            if value is not None or name == "email":
                setattr(user, name, value)
    return await _read_anew(session, actor, user)


async def set_password(
    session: AsyncSession, actor: Actor, user_id: UUID, password: str, *, with_tokens: bool = False
) -> list[str]:
    """Give a local account another password, and end its sessions; returns the names of tokens that still work.

    Raises InvalidInputError for a bad one, ConflictError for accounts of a provider and for one's own, whose old
    password must be asked for.
    """
    user = await _changeable(session, actor, user_id)
    check_lasting(actor)
    if user_id == actor.user_id:
        raise ConflictError("Change your own password under My account.")
    if user.source != "local":
        raise ConflictError("This account signs in through an identity provider and has no password.")
    check_password(password, user.username)
    user.password_hash = await anyio.to_thread.run_sync(hash_password, password)
    user.password_changed_at = utc_now()
    await session.flush()
    await end_sessions(session, user_id)
    if with_tokens:
        await revoke_tokens(session, user_id)
    return await token_names(session, user_id)


async def set_enabled(session: AsyncSession, actor: Actor, user_id: UUID, *, enabled: bool) -> UserRead:
    """Let somebody sign in, or no longer: then their sessions end, and their tokens are refused.

    Raises ConflictError for oneself and for the last administrator.
    """
    user = await _changeable(session, actor, user_id)
    if enabled:
        check_lasting(actor)
    if not enabled and user_id == actor.user_id:
        raise ConflictError("You cannot disable your own account; ask another administrator.")
    async with administrators_kept(session):
        user.enabled = enabled
        await session.flush()
        if not enabled:
            await end_sessions(session, user_id)
    return await _read_anew(session, actor, user)


async def delete_user(session: AsyncSession, actor: Actor, user_id: UUID) -> None:
    """Delete an account with its sessions, tokens and roles; what it did stays in the audit log.

    Raises ConflictError for oneself and for the last administrator.
    """
    user = await _changeable(session, actor, user_id)
    if user_id == actor.user_id:
        raise ConflictError("You cannot delete your own account; ask another administrator.")
    async with administrators_kept(session):
        await session.delete(user)


async def end_user_sessions(session: AsyncSession, actor: Actor, user_id: UUID) -> int:
    """End all of a user's sessions; returns how many. Raises NotFoundError."""
    await _visible(session, actor, user_id)
    return await end_sessions(session, user_id)


async def list_user_memberships(
    session: AsyncSession, actor: Actor, user_id: UUID, parameters: Sequence[tuple[str, str]]
) -> MembershipPage:
    """One page of a user's own roles. Raises NotFoundError."""
    await _visible(session, actor, user_id)
    return await memberships.list_memberships(session, actor, parameters, user_id=user_id)


async def read_access(session: AsyncSession, actor: Actor, user_id: UUID) -> UserAccess:
    """What a user can see and do, and why. Raises NotFoundError."""
    return await explain_access(session, actor, await _visible(session, actor, user_id))


async def check_visible(session: AsyncSession, actor: Actor, user_id: UUID) -> None:
    """Raise NotFoundError for a user that the actor may not see."""
    await _visible(session, actor, user_id)


async def _visible(session: AsyncSession, actor: Actor, user_id: UUID) -> User:
    user: User | None = await session.scalar(queries.visible_to(actor).where(User.id == user_id))
    if user is None:
        raise NotFoundError("There is no such user.")
    return user


async def _changeable(session: AsyncSession, actor: Actor, user_id: UUID) -> User:
    """The user's row, locked. Whoever takes over an account gets what it may do, so they must have that already."""
    await _visible(session, actor, user_id)
    user = await session.get(User, user_id, with_for_update=True, populate_existing=True)
    if user is None:
        raise NotFoundError("There is no such user.")
    check_covers(actor, await actor_of_user(session, user))
    return user


async def _read_anew(session: AsyncSession, actor: Actor, user: User) -> UserRead:
    await session.refresh(user)
    return told(actor, user)


def sees_contacts(actor: Actor) -> bool:
    """Whether the actor sees mail addresses and last sign-ins of others.

    Not those who see the people of some departments: they may add anybody by name, and would learn the rest by that.
    """
    return actor.may_everywhere(Permission.USERS_READ) or actor.may_everywhere(Permission.USERS_WRITE)


def told(actor: Actor, user: User) -> UserRead:
    """What the actor may know of a user."""
    read = UserRead.model_validate(user)
    if sees_contacts(actor) or user.id == actor.user_id:
        return read
    return read.model_copy(update={"email": None, "last_login": None})


async def assignable(
    session: AsyncSession,
    actor: Actor,
    permission: Permission,
    department_id: UUID | None,
    *,
    is_anywhere: bool = False,
    limit: int = 200,
) -> list[tuple[UUID, str]]:
    """The users, so many at most, whom the actor sees and who have a permission in a department, or in any."""
    able = queries.holders(permission, department_id, is_anywhere=is_anywhere)
    found = queries.visible_to(actor).where(User.id.in_(able)).order_by(User.username).limit(limit)
    return [(one.id, one.username) for one in await session.scalars(found)]
