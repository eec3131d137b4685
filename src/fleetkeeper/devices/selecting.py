"""Which devices an action on many is about."""

from collections.abc import Sequence
from datetime import datetime
from urllib.parse import parse_qsl
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.devices.service import matching_ids
from fleetkeeper.errors import FieldError, InvalidInputError
from fleetkeeper.identity.actor import Actor
from fleetkeeper.kit.bulk import MOST, Selection

NOT_THERE = "There is no such device"


async def selected(
    session: AsyncSession, actor: Actor, selection: Selection, stale_before: datetime
) -> Sequence[UUID]:
    """The IDs of a selection. Raises InvalidInputError for one that is none or too large."""
    if (selection.ids is None) == (selection.matching is None):
        raise InvalidInputError(
            "No devices are selected.", fields=[FieldError("ids", "Give either ids or matching")]
        )
    if selection.ids is not None:
        return list(dict.fromkeys(selection.ids))
    parameters = parse_qsl(selection.matching or "")
    ids = await matching_ids(session, actor, parameters, stale_before=stale_before, limit=MOST + 1)
    if len(ids) > MOST:
        message = f"Matches more than {MOST:,} devices; add a filter"
        raise InvalidInputError("Too many devices are selected.", fields=[FieldError("matching", message)])
    return sorted(ids)
