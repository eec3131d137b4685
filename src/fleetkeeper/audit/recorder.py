"""Events of the domain. Changes of rows need none: triggers of the database see to them."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncSession


async def record_event(
    session: AsyncSession,
    action: str,
    resource_type: str,
    record_id: str | None = None,
    record_name: str | None = None,
    *,
    device_id: UUID | None = None,
    details: Mapping[str, Any] | None = None,
) -> None:
    """Keep an event such as `session.sign_in`, in the caller's transaction and under its actor.

    `details` must hold no secret.
    """
    statement = text(
        "SELECT record_audit_event(:action, :type, :record, :name, :device, :details)"
    ).bindparams(bindparam("details", type_=JSONB(none_as_null=True)))
    await session.execute(
        statement,
        {
            "action": action,
            "type": resource_type,
            "record": record_id,
            "name": record_name,
            "device": device_id,
            "details": dict(details) if details is not None else None,
        },
    )
