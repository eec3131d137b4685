"""Turns a refusal by the database into an error that names the field."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.errors import ConflictError, FieldError, FleetkeeperError, InvalidInputError

_TAKEN = {
    "uq_users_username": ("username", "There is a user of that name already."),
    "uq_users_username_lower": ("username", "There is a user of that name already."),
    "uq_users_email": ("email", "Another user has that mail address."),
    "uq_roles_name": ("name", "There is a role of that name already."),
    "uq_groups_provider_id_name": ("name", "There is a group of that name already."),
    "uq_departments_parent_id_name": (
        "name",
        "There is a department of that name in the same place already.",
    ),
    "uq_memberships_user_id_group_id_role_id_department_id": ("role", "They have this role there already."),
    "fk_memberships_role_id_roles": ("role", "The role is in use."),
}
_WRONG = {
    "ck_departments_cycle": ("parent_id", "is not the department itself or one below it"),
    "ck_departments_not_its_own_parent": ("parent_id", "is not the department itself or one below it"),
    "fk_departments_parent_id_departments": ("parent_id", "is a department that exists"),
    "fk_departments_manager_id_users": ("manager_id", "is a user who exists"),
    "fk_memberships_department_id_departments": ("department_id", "is a department that exists"),
}


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
        return ConflictError(message, fields=[FieldError(field, "is taken")])
    if constraint in _WRONG:
        return InvalidInputError("Nothing was changed.", fields=[FieldError(*_WRONG[constraint])])
    return None
