"""The people to choose from where something is assigned."""

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.console.contexts.panels import Option
from fleetkeeper.identity.actor import Actor
from fleetkeeper.identity.permissions import Permission
from fleetkeeper.identity.users.service import assignable


async def people(
    session: AsyncSession,
    actor: Actor,
    permission: Permission,
    department_id: UUID | None = None,
    *,
    is_anywhere: bool = False,
) -> list[Option]:
    """The reader, the others who have a permission in a department, or in any, and nobody."""
    found = await assignable(session, actor, permission, department_id, is_anywhere=is_anywhere)
    own = [Option(str(key), f"{name} (you)") for key, name in found if key == actor.user_id]
    others = [Option(str(key), name) for key, name in found if key != actor.user_id]
    return [*own, *others, Option("", "Nobody")]
