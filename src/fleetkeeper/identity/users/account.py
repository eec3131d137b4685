"""One's own account."""

from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.database.constraints import told_by_name
from fleetkeeper.errors import ForbiddenError
from fleetkeeper.identity.actor import Actor
from fleetkeeper.identity.authority import check_acts_for_account
from fleetkeeper.identity.models import User
from fleetkeeper.identity.users.schemas import AccountRead, AccountUpdate


async def read_account(session: AsyncSession, actor: Actor) -> AccountRead:
    """The actor's own account. Raises ForbiddenError for the product itself."""
    return _read(await _own_user(session, actor), actor)


async def update_account(session: AsyncSession, actor: Actor, changes: AccountUpdate) -> AccountRead:
    """Change what one may of one's own account. Raises ForbiddenError for a token with limits, ConflictError."""
    check_acts_for_account(actor)
    user = await _own_user(session, actor)
    async with told_by_name(session):
        for name, value in changes.model_dump(exclude_unset=True).items():
            if value is not None or name in {"email", "time_zone"}:
                setattr(user, name, value)
    await session.refresh(user)
    return _read(user, actor)


async def _own_user(session: AsyncSession, actor: Actor) -> User:
    user = None if actor.user_id is None else await session.get(User, actor.user_id)
    if user is None:
        raise ForbiddenError("Only a user has an account.")
    return user


def _read(user: User, actor: Actor) -> AccountRead:
    known = {name: getattr(user, name) for name in AccountRead.model_fields if hasattr(user, name)}
    return AccountRead.model_validate(known | {"roles": list(actor.roles)})
