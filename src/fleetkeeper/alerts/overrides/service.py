"""Overrides: made, changed and removed by those who may change the rule, for devices that they see."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from pydantic import ValidationError
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.alerts.models import AlertOverride, AlertRule
from fleetkeeper.alerts.overrides.queries import LISTING, of_rule, on_device
from fleetkeeper.alerts.overrides.schemas import AlertOverridePage, AlertOverrideRead, AlertOverrideWrite
from fleetkeeper.alerts.rules.conditions import ThresholdCondition
from fleetkeeper.alerts.rules.schemas import AlertRuleRead
from fleetkeeper.alerts.rules.service import rules
from fleetkeeper.annotations.tags.service import get_tag
from fleetkeeper.database.constraints import told_by_name
from fleetkeeper.devices.service import get_device
from fleetkeeper.errors import ConflictError, FieldError, InvalidInputError, NotFoundError
from fleetkeeper.identity.actor import Actor
from fleetkeeper.kit.durations import duration_words
from fleetkeeper.kit.error_words import error_words
from fleetkeeper.kit.etags import check_version

# Of one rule.
MOST = 1000


async def list_overrides(
    session: AsyncSession, actor: Actor, rule_id: UUID, parameters: Sequence[tuple[str, str]]
) -> AlertOverridePage:
    """One page of a rule's overrides. Raises NotFoundError, InvalidInputError."""
    await rules.get(session, actor, rule_id)
    return await LISTING.read(session, of_rule(actor, rule_id), parameters, AlertOverridePage, _read)


async def create(
    session: AsyncSession, actor: Actor, rule_id: UUID, wanted: AlertOverrideWrite
) -> AlertOverrideRead:
    """Make one. Raises NotFoundError, ForbiddenError, InvalidInputError, and ConflictError where there is one."""
    rule = await rules.locked(session, actor, rule_id)
    await _check(session, actor, rule, wanted)
    count = select(func.count()).select_from(AlertOverride)
    if (await session.scalar(count.where(AlertOverride.alert_rule_id == rule_id)) or 0) >= MOST:
        raise ConflictError(f"A rule can have at most {MOST} overrides; use a tag instead.")
    row = AlertOverride(alert_rule_id=rule_id, **wanted.model_dump())
    async with told_by_name(session):
        session.add(row)
    return await get(session, actor, rule_id, row.id)


async def change(
    session: AsyncSession,
    actor: Actor,
    rule_id: UUID,
    key: UUID,
    wanted: AlertOverrideWrite,
    expected_version: int | None = None,
) -> AlertOverrideRead:
    """Change one. Raises as making one does, and PreconditionError for a lost update."""
    # Who changes an override holds its rule.
    rule = await rules.locked(session, actor, rule_id)
    row = await _find(session, actor, rule_id, key)
    check_version("override", row.version, expected_version)
    await _check(session, actor, rule, wanted)
    async with told_by_name(session):
        for name, value in wanted.model_dump().items():
            setattr(row, name, value)
        row.version += 1
    return await get(session, actor, rule_id, key)


async def put(
    session: AsyncSession, actor: Actor, rule_id: UUID, wanted: AlertOverrideWrite
) -> AlertOverrideRead:
    """Make the override of a device or tag, or change the one that is there. Raises as making one does."""
    present = await find(session, actor, rule_id, wanted.device_id, wanted.tag_id)
    if present is None:
        return await create(session, actor, rule_id, wanted)
    return await change(session, actor, rule_id, present.id, wanted)


async def delete(session: AsyncSession, actor: Actor, rule_id: UUID, key: UUID) -> None:
    """Remove one: the rule applies there as it is. Raises NotFoundError, ForbiddenError."""
    await rules.locked(session, actor, rule_id)
    await session.delete(await _find(session, actor, rule_id, key))
    await session.flush()


async def get(session: AsyncSession, actor: Actor, rule_id: UUID, key: UUID) -> AlertOverrideRead:
    """One of them. Raises NotFoundError."""
    await rules.get(session, actor, rule_id)
    statement = of_rule(actor, rule_id).where(AlertOverride.id == key)
    found = (await session.execute(statement.execution_options(populate_existing=True))).one_or_none()
    if found is None:
        raise NotFoundError("There is no such override.")
    return _read(found)


async def find(
    session: AsyncSession, actor: Actor, rule_id: UUID, device_id: UUID | None, tag_id: UUID | None
) -> AlertOverrideRead | None:
    """The override of a device or tag; None where there is none."""
    own = AlertOverride.tag_id == tag_id if device_id is None else AlertOverride.device_id == device_id
    found = (await session.execute(of_rule(actor, rule_id).where(own))).one_or_none()
    return None if found is None else _read(found)


async def effective_on(
    session: AsyncSession, actor: Actor, device_id: UUID
) -> list[tuple[AlertRuleRead, AlertOverrideRead]]:
    """What applies to a device instead of what its rules say, by the rule's name."""
    seen = rules.visible_to(actor).with_only_columns(AlertRule.id)
    rows = await session.execute(on_device(actor, device_id).where(AlertRule.id.in_(seen)))
    found = {
        row[1].id: (AlertRuleRead.model_validate(row[1]), AlertOverrideRead.model_validate(row[0]))
        for row in rows
    }
    return sorted(found.values(), key=lambda one: one[0].name)


def override_words(rule: AlertRuleRead, override: AlertOverrideRead | AlertOverrideWrite) -> str:
    """What is different, such as: threshold 95 instead of 90."""
    if not override.enabled:
        return "off"
    condition = rule.condition
    parts = []
    if isinstance(condition, ThresholdCondition):
        if override.threshold is not None:
            parts.append(f"threshold {override.threshold:g} instead of {condition.threshold:g}")
        if override.recovery is not None:
            usual = condition.threshold if condition.recovery is None else condition.recovery
            parts.append(f"recovery threshold {override.recovery:g} instead of {usual:g}")
    if override.for_seconds is not None:
        usual_for = duration_words(rule.for_seconds)
        parts.append(f"pending period {duration_words(override.for_seconds)} instead of {usual_for}")
    if override.severity is not None:
        parts.append(f"severity {override.severity} instead of {rule.severity}")
    return ", ".join(parts)


async def _find(session: AsyncSession, actor: Actor, rule_id: UUID, key: UUID) -> AlertOverride:
    row: AlertOverride | None = await session.scalar(of_rule(actor, rule_id).where(AlertOverride.id == key))
    if row is None:
        raise NotFoundError("There is no such override.")
    return row


async def _check(session: AsyncSession, actor: Actor, rule: Any, wanted: AlertOverrideWrite) -> None:
    """Whether it is for what the actor sees, and goes with the rule. Raises ConflictError, InvalidInputError."""
    if rule.kind == "promql":
        raise ConflictError(
            "PromQL rules have no overrides. Change the rule's expression instead, such as by excluding a device "
            'with instance!="db-01".'
        )
    problems = []
    if wanted.device_id is not None:
        try:
            await get_device(session, actor, wanted.device_id)
        except NotFoundError:
            problems.append(FieldError("device_id", "No such device"))
    if wanted.tag_id is not None:
        try:
            await get_tag(session, actor, wanted.tag_id)
        except NotFoundError:
            problems.append(FieldError("tag_id", "No such tag"))
    problems += _unfit(rule, wanted)
    if problems:
        raise InvalidInputError("The override was not saved.", fields=problems)


def _unfit(rule: Any, wanted: AlertOverrideWrite) -> list[FieldError]:
    """What does not go with the rule's condition."""
    given = {
        name: value for name in ("threshold", "recovery") if (value := getattr(wanted, name)) is not None
    }
    if rule.kind != "threshold":
        return [FieldError(name, "Only metric thresholds have one") for name in given]
    if "recovery" not in given:
        return []
    try:
        ThresholdCondition.model_validate(rule.condition | given)
    except ValidationError as error:
        return [FieldError("recovery", error_words(error.errors()[0]))]
    return []


def _read(row: Any) -> AlertOverrideRead:
    found = AlertOverrideRead.model_validate(row[0])
    return found.model_copy(update={"device_name": row.device_name, "tag_name": row.tag_name})
