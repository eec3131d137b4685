"""Rules that the server's folder brought are changed in their file; here they are only enabled and disabled."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.alerts.models import AlertRule
from fleetkeeper.alerts.rule_files.models import AlertRuleFile
from fleetkeeper.errors import ConflictError


async def check_change(
    session: AsyncSession, key: UUID, before: Mapping[str, Any], wanted: Mapping[str, Any]
) -> None:
    """Raises ConflictError where more than `enabled` of such a rule would change."""
    if any(before[name] != value for name, value in wanted.items() if name != "enabled"):
        await _refuse(session, key, "Change it there; here it can be enabled and disabled.")


async def check_deletion(session: AsyncSession, key: UUID) -> None:
    """Raises ConflictError for such a rule."""
    await _refuse(session, key, "Remove it there, or disable it here.")


async def _refuse(session: AsyncSession, key: UUID, cure: str) -> None:
    file = func.split_part(AlertRule.origin_key, "/", 1)
    statement = (
        select(AlertRuleFile.name)
        .join(AlertRule, AlertRuleFile.name == file)
        .where(AlertRule.id == key, AlertRule.origin == "file", AlertRuleFile.synced_at.is_not(None))
    )
    name = await session.scalar(statement)
    if name is not None:
        raise ConflictError(
            f"This rule comes from the file {name} in the server's folder of rule files. {cure}"
        )
