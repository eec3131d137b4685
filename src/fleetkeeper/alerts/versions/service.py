"""Lists the versions of a rule, and goes back to one."""

from collections.abc import Sequence
from uuid import UUID

from pydantic import ValidationError
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.alerts.rules.schemas import AlertRuleRead, AlertRuleWrite
from fleetkeeper.alerts.rules.service import rules
from fleetkeeper.alerts.versions.differences import changes_between
from fleetkeeper.alerts.versions.models import AlertRuleVersion
from fleetkeeper.alerts.versions.schemas import AlertRuleVersionRead
from fleetkeeper.errors import ConflictError, NotFoundError
from fleetkeeper.identity.actor import Actor


async def list_versions(session: AsyncSession, actor: Actor, rule_id: UUID) -> list[AlertRuleVersionRead]:
    """The versions of a rule, the newest first. Raises NotFoundError."""
    present = await rules.get(session, actor, rule_id)
    found = await _versions(session, rule_id)
    older = [*found[1:], None]
    return [
        AlertRuleVersionRead(
            version=one.version,
            at=one.at,
            actor=one.actor,
            changes=[] if before is None else changes_between(before.content, one.content),
            is_current=one.version == present.version,
        )
        for one, before in zip(found, older, strict=True)
    ]


async def restore(
    session: AsyncSession, actor: Actor, rule_id: UUID, version: int, expected_version: int | None = None
) -> AlertRuleRead:
    """Make a rule what it was, as a new version. Raises as changing it does, and ConflictError."""
    await rules.get(session, actor, rule_id)
    found = await session.get(AlertRuleVersion, (rule_id, version))
    if found is None:
        raise NotFoundError(f"The rule has no version {version}; the newest 100 are kept.")
    known = {name: value for name, value in found.content.items() if name in AlertRuleWrite.model_fields}
    try:
        wanted = AlertRuleWrite.model_validate(known)
    except ValidationError as error:
        why = error.errors()[0]["msg"]
        raise ConflictError(f"Version {version} is not valid any more: {why}.") from None
    return await rules.change(session, actor, rule_id, wanted, expected_version)


async def _versions(session: AsyncSession, rule_id: UUID) -> Sequence[AlertRuleVersion]:
    statement = select(AlertRuleVersion).where(AlertRuleVersion.rule_id == rule_id)
    return (await session.scalars(statement.order_by(AlertRuleVersion.version.desc()).limit(100))).all()
