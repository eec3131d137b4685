"""IDs as people type them: whole, or the beginning of one, as Git takes commits."""

import re
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, String, cast
from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.errors import FieldError, InvalidInputError, NotFoundError

_PREFIX = re.compile(r"[0-9a-f]{4}[0-9a-f-]{0,32}", re.IGNORECASE)
# So many candidates are named.
_NAMED = 5


def begins_with(column: ColumnElement[Any], text: str) -> ColumnElement[bool] | None:
    """The condition that an ID begins with what was typed; None where no ID does."""
    return cast(column, String).like(f"{text.lower()}%") if _PREFIX.fullmatch(text) else None


async def find_id(
    session: AsyncSession, statement: Select[UUID], column: ColumnElement[Any], text: str, thing: str
) -> UUID:
    """The one ID of a statement that begins with `text`. Raises NotFoundError, InvalidInputError with candidates."""
    condition = begins_with(column, text)
    found = [] if condition is None else await _some(session, statement.where(condition))
    if not found:
        raise NotFoundError(f"There is no {thing} with an ID that begins with “{text}”.")
    if len(found) > 1:
        raise InvalidInputError(f"Several IDs begin with “{text}”.", fields=[_candidates(thing, found)])
    return found[0]


async def _some(session: AsyncSession, statement: Select[UUID]) -> list[UUID]:
    return list(await session.scalars(statement.limit(_NAMED + 1)))


def _candidates(thing: str, found: list[UUID]) -> FieldError:
    more = ", …" if len(found) > _NAMED else ""
    return FieldError(thing, f"Type more of one of these: {', '.join(map(str, found[:_NAMED]))}{more}")
