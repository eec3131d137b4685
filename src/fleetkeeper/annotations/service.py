"""What is left of annotations when their objects go; the database removes them with the objects themselves."""

import re

from sqlalchemy import ColumnElement, Uuid, cast, delete, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.annotations.models import Attachment, Bookmark, CustomValue, Note, Tagged
from fleetkeeper.annotations.objects import KINDS, Annotated

ON_OBJECTS = (Attachment, CustomValue, Note, Tagged)
_UUID = "[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"


async def remove_leftovers(session: AsyncSession) -> None:
    """Remove what was added to an object while it was being deleted."""
    for model in ON_OBJECTS:
        for kind in KINDS.values():
            await session.execute(
                delete(model).where(model.object_type == kind.table, model.object_id.not_in(select(kind.key)))
            )
    for kind in KINDS.values():
        await session.execute(delete(Bookmark).where(*_leads_nowhere(kind)))


def _leads_nowhere(kind: Annotated) -> tuple[ColumnElement[bool], ...]:
    """Whether a page is that of an object that is not there any more."""
    before, _, _ = kind.href.partition("{}")
    key = func.substring(Bookmark.path, f"^{re.escape(before)}({_UUID})")
    return key.is_not(None), cast(key, Uuid).not_in(select(kind.key))
