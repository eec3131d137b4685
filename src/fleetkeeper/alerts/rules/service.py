"""Alert rules: made, changed and removed by people. What a rule fired ends with it."""

from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.alerts.log.writing import end_rule
from fleetkeeper.alerts.models import AlertRule
from fleetkeeper.alerts.rule_files.folder_rules import check_change, check_deletion
from fleetkeeper.alerts.rules.queries import LISTING
from fleetkeeper.alerts.rules.schemas import AlertRulePage, AlertRuleRead, AlertRuleWrite
from fleetkeeper.alerts.rules.scopes import check_scope
from fleetkeeper.alerts.status import Resolution
from fleetkeeper.identity.actor import Actor
from fleetkeeper.identity.permissions import Permission
from fleetkeeper.kit.clock import utc_now
from fleetkeeper.records.service import Records


def values_of(wanted: AlertRuleWrite) -> dict[str, Any]:
    """What is stored of a rule."""
    values = wanted.model_dump()
    stored = wanted.model_dump(mode="json", include={"condition", "scope"})
    return values | stored | {"kind": wanted.condition.kind}


class AlertRules(Records[AlertRuleWrite, AlertRuleRead]):
    """Rules. What one fired ends with it."""

    async def create(self, session: AsyncSession, actor: Actor, wanted: AlertRuleWrite) -> AlertRuleRead:
        """Make a rule. Raises as making any record does, and InvalidInputError for a filter that is none."""
        await check_scope(session, actor, wanted.scope)
        return await super().create(session, actor, wanted)

    async def change(
        self,
        session: AsyncSession,
        actor: Actor,
        key: UUID,
        wanted: AlertRuleWrite,
        expected_version: int | None = None,
        *,
        by_file: bool = False,
    ) -> AlertRuleRead:
        """Change a rule; one that is disabled, or looks for something else, ends what it fired."""
        before = await self.get(session, actor, key)
        if before.origin == "file" and not by_file:
            await check_change(session, key, values_of(before), values_of(wanted))
        await check_scope(session, actor, wanted.scope)
        after = await super().change(session, actor, key, wanted, expected_version)
        if before.enabled and not after.enabled:
            await end_rule(session, key, utc_now(), Resolution.RULE_DISABLED)
        elif before.condition.kind != after.condition.kind or before.name != after.name:
            await end_rule(session, key, utc_now(), Resolution.RULE_CHANGED)
        return after

    async def enable(
        self, session: AsyncSession, actor: Actor, key: UUID, *, is_enabled: bool
    ) -> AlertRuleRead:
        """Enable or disable a rule; one that is disabled ends what it fired. Raises NotFoundError, ForbiddenError."""
        row = await self.locked(session, actor, key)
        if row.enabled != is_enabled:
            row.enabled = is_enabled
            row.version += 1
            await session.flush()
            if not is_enabled:
                await end_rule(session, key, utc_now(), Resolution.RULE_DISABLED)
        return await self._read_anew(session, row)

    async def delete(self, session: AsyncSession, actor: Actor, key: UUID, *, by_file: bool = False) -> None:
        """Delete a rule; what it fired is over."""
        await self.locked(session, actor, key)
        if not by_file:
            await check_deletion(session, key)
        await end_rule(session, key, utc_now(), Resolution.RULE_DELETED)
        await super().delete(session, actor, key)


rules = AlertRules(
    model=AlertRule,
    listing=LISTING,
    write_as=AlertRuleWrite,
    read_as=AlertRuleRead,
    page_as=AlertRulePage,
    noun=("alert rule", "alert rules"),
    page="/alerts/rules/{}",
    read=Permission.ALERTS_READ,
    write=Permission.ALERTS_WRITE,
    is_shared=True,
    values=values_of,
)
