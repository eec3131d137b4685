"""Turns a refusal by the database into an error that names the field; each room says what its constraints mean."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.errors import ConflictError, FieldError, FleetkeeperError, InvalidInputError

_TAKEN: dict[str, tuple[str, str]] = {}
_WRONG: dict[str, tuple[str, str]] = {}


def declare_taken(constraint: str, field: str, message: str) -> None:
    """Say what it means that a value is there already: a conflict."""
    _TAKEN[constraint] = (field, message)


def declare_wrong(constraint: str, field: str, message: str) -> None:
    """Say what is wrong with a field that a constraint refuses."""
    _WRONG[constraint] = (field, message)


def declared() -> frozenset[str]:
    """The constraints that have words."""
    return frozenset(_TAKEN) | frozenset(_WRONG)


@asynccontextmanager
async def told_by_name(session: AsyncSession) -> AsyncIterator[None]:
    """Flush what the block changes. Raises ConflictError or InvalidInputError for a constraint that it breaks."""
    try:
        async with session.begin_nested():
            yield
            await session.flush()
    except IntegrityError as error:
        told = _error_of(constraint_of(error))
        if told is None:
            raise
        raise told from None


def constraint_of(error: IntegrityError) -> str:
    """The name of the constraint that a statement broke."""
    diagnosis: Any = getattr(error.orig, "diag", None)
    return getattr(diagnosis, "constraint_name", None) or ""


def _error_of(constraint: str) -> FleetkeeperError | None:
    if constraint in _TAKEN:
        field, message = _TAKEN[constraint]
        return ConflictError(message, fields=[FieldError(field, "Already in use")])
    if constraint in _WRONG:
        return InvalidInputError("Nothing was changed.", fields=[FieldError(*_WRONG[constraint])])
    return None
