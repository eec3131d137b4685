"""What happens to annotations when their objects go."""

from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.annotations.models import Attachment, CustomValue, Note, Tagged
from fleetkeeper.annotations.objects import KINDS

ON_OBJECTS = (Attachment, CustomValue, Note, Tagged)


async def forget_object(session: AsyncSession, object_type: str, object_id: UUID) -> None:
    """Remove all that was added to an object, which is about to be deleted."""
    for model in ON_OBJECTS:
        await session.execute(
            delete(model).where(model.object_type == object_type, model.object_id == object_id)
        )


async def remove_leftovers(session: AsyncSession) -> None:
    """Remove what was added to an object while it was being deleted."""
    for model in ON_OBJECTS:
        for kind in KINDS.values():
            await session.execute(
                delete(model).where(model.object_type == kind.table, model.object_id.not_in(select(kind.key)))
            )
