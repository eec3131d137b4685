"""Making, changing and disabling accounts."""

from uuid import UUID

import anyio.to_thread
from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.errors import ConflictError, FieldError, InvalidInputError
from fleetkeeper.identity import queries
from fleetkeeper.identity.models import Installation, Membership, Role, User
from fleetkeeper.identity.permissions import Role as BuiltInRole
from fleetkeeper.identity.sign_in.passwords import check_password, hash_password
from fleetkeeper.kit.clock import utc_now
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
    """Make a local account, with a role in a department or everywhere. Raises InvalidInputError or ConflictError."""
    if not is_name(username):
        raise InvalidInputError(
            "The user was not made.", fields=[FieldError("username", "has 1 to 100 characters")]
        )
    if password is not None:
        check_password(password, username)
    if await queries.find_user(session, username) is not None:
        raise ConflictError(f"There is a user {username!r} already.")
    user = User(username=username, name=username)
    if password is not None:
        user.password_hash = await anyio.to_thread.run_sync(hash_password, password)
        user.password_changed_at = utc_now()
    session.add(user)
    await session.flush()
    if role is not None:
        role_id = await session.scalar(select(Role.id).where(Role.name == role))
        if role_id is None:
            raise InvalidInputError(
                "The user was not made.", fields=[FieldError("role", f"there is no role {role!r}")]
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


def is_name(text_: str) -> bool:
    """Whether a text can be the name of something."""
    return bool(text_.strip()) and len(text_) <= 100 and is_storable(text_)
