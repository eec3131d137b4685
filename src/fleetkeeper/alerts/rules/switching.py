"""Enables or disables many rules at once: each has its own result, and says what becomes of its alerts."""

from collections.abc import Mapping, Sequence
from urllib.parse import parse_qsl
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.alerts.models import AlertRule
from fleetkeeper.alerts.rules.queries import count_open_of
from fleetkeeper.alerts.rules.service import rules
from fleetkeeper.errors import FieldError, InvalidInputError
from fleetkeeper.identity.actor import Actor
from fleetkeeper.kit.bulk import BulkItem, BulkResult, Selection, result_of

MOST_AT_ONCE = 2_000


async def switch_rules(
    session: AsyncSession, actor: Actor, selection: Selection, *, is_enabled: bool, dry_run: bool
) -> BulkResult:
    """Enable or disable the rules of a selection. Raises InvalidInputError for one that is none or too large."""
    keys = await _selected(session, actor, selection)
    visible = rules.visible_to(actor).where(AlertRule.id.in_(keys)).order_by(AlertRule.name, AlertRule.id)
    found = (await session.scalars(visible)).all()
    fires = await count_open_of(session, keys)
    items = [_item(actor, rule, fires, is_enabled=is_enabled) for rule in found]
    if not dry_run:
        # In the order of their IDs, so that two who do this at once wait for each other.
        for key in sorted(one.id for one in items if one.outcome == "changed"):
            await rules.enable(session, actor, key, is_enabled=is_enabled)
    return result_of(items, dry_run=dry_run)


async def _selected(session: AsyncSession, actor: Actor, selection: Selection) -> Sequence[UUID]:
    keys = selection.ids or []
    if selection.matching is not None:
        asked = parse_qsl(selection.matching)
        keys = await rules.listing.keys(session, rules.visible_to(actor), asked, limit=MOST_AT_ONCE + 1)
    if len(keys) > MOST_AT_ONCE:
        message = f"Selects more than {MOST_AT_ONCE:,} rules; add a filter"
        raise InvalidInputError("Too many rules are selected.", fields=[FieldError("matching", message)])
    return keys


def _item(actor: Actor, rule: AlertRule, fires: Mapping[UUID, int], *, is_enabled: bool) -> BulkItem:
    if not actor.may_in(rules.write, rule.department_id):
        where = "everywhere" if rule.department_id is None else "in its department"
        detail = f"This needs the permission {rules.write} {where}."
        return BulkItem(id=rule.id, name=rule.name, outcome="refused", detail=detail)
    if rule.enabled == is_enabled:
        return BulkItem(id=rule.id, name=rule.name, outcome="unchanged")
    detail = "It may fire at once." if is_enabled else consequence_of_disabling(fires.get(rule.id, 0))
    return BulkItem(id=rule.id, name=rule.name, outcome="changed", detail=detail)


def consequence_of_disabling(fires: int) -> str:
    """What becomes of so many alerts that a rule has open."""
    if not fires:
        return "It has no firing alerts."
    return f"{'Its firing alert is' if fires == 1 else f'Its {fires:,} firing alerts are'} resolved."
