"""Reading and changing one's own preferences."""

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.errors import ForbiddenError
from fleetkeeper.identity.actor import Actor
from fleetkeeper.identity.authority import check_acts_for_account
from fleetkeeper.notifications.models import NotificationPreference
from fleetkeeper.notifications.preferences.schemas import Preferences


async def read_preferences(session: AsyncSession, actor: Actor) -> Preferences:
    """How the actor wants to be told."""
    found = await session.get(NotificationPreference, actor.user_id) if actor.user_id else None
    return Preferences() if found is None else Preferences.model_validate(found)


async def write_preferences(session: AsyncSession, actor: Actor, wanted: Preferences) -> Preferences:
    """Keep how the actor wants to be told. Raises ForbiddenError for a token with limits."""
    check_acts_for_account(actor)
    if actor.user_id is None:
        raise ForbiddenError("Only a user has preferences.")
    values = wanted.model_dump()
    statement = insert(NotificationPreference).values(user_id=actor.user_id, **values)
    await session.execute(
        statement.on_conflict_do_update(index_elements=[NotificationPreference.user_id], set_=values)
    )
    return wanted
