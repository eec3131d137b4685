"""Making, changing and deleting rules."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.approvals.kinds import KINDS
from fleetkeeper.approvals.models import ApprovalRule
from fleetkeeper.approvals.rules.schemas import (
    ApprovalKindRead,
    ApprovalRuleCreate,
    ApprovalRulePage,
    ApprovalRuleRead,
    ApprovalRuleUpdate,
    Approvers,
)
from fleetkeeper.database.constraints import told_by_name
from fleetkeeper.errors import FieldError, InvalidInputError, NotFoundError
from fleetkeeper.identity.models import Group, Role, User
from fleetkeeper.kit.etags import check_version
from fleetkeeper.kit.ids import uuid7
from fleetkeeper.kit.listing import Field, Listing

LISTING = Listing(
    fields={
        "name": Field(ApprovalRule.name.expression, str),
        "kind": Field(ApprovalRule.kind.expression, str),
        "enabled": Field(ApprovalRule.enabled.expression, bool),
        "position": Field(ApprovalRule.position.expression, int),
        "department_id": Field(ApprovalRule.department_id.expression, UUID, sortable=False),
        "created_at": Field(ApprovalRule.created_at.expression, datetime),
    },
    search=(ApprovalRule.name.expression,),
    key=ApprovalRule.id.expression,
    default_ordering="position",
)
_PEOPLE: dict[str, tuple[Any, str]] = {
    "users": (User, "user"),
    "groups": (Group, "group"),
    "roles": (Role, "role"),
}


def list_kinds() -> list[ApprovalKindRead]:
    """All kinds of actions that can need approval, by name."""
    return [
        ApprovalKindRead(name=one.name, title=one.title, unit=one.unit)
        for one in sorted(KINDS.values(), key=lambda one: one.name)
    ]


async def list_rules(session: AsyncSession, parameters: Sequence[tuple[str, str]]) -> ApprovalRulePage:
    """One page of rules, in the order in which they are tried."""
    return await LISTING.read(
        session, select(ApprovalRule), parameters, ApprovalRulePage, lambda row: _read(row[0])
    )


async def get_rule(session: AsyncSession, rule_id: UUID) -> ApprovalRuleRead:
    """One rule. Raises NotFoundError."""
    return _read(await _find(session, rule_id))


async def create_rule(session: AsyncSession, wanted: ApprovalRuleCreate) -> ApprovalRuleRead:
    """Make a rule. Raises InvalidInputError, ConflictError."""
    problems = await _problems(session, wanted)
    if wanted.kind not in KINDS:
        problems.append(FieldError("kind", f"Must be one of {', '.join(sorted(KINDS))}"))
    if wanted.escalation_hours is not None and wanted.escalation.is_nobody:
        problems.append(_NOBODY)
    if problems:
        raise InvalidInputError("The rule was not created.", fields=problems)
    rule = ApprovalRule(id=uuid7(), **wanted.model_dump(mode="json"))
    async with told_by_name(session):
        session.add(rule)
    await session.refresh(rule)
    return _read(rule)


async def update_rule(
    session: AsyncSession,
    rule_id: UUID,
    changes: ApprovalRuleUpdate,
    *,
    expected_version: int | None = None,
) -> ApprovalRuleRead:
    """Change a rule; requests keep it as it was.

    Raises NotFoundError, InvalidInputError, ConflictError, PreconditionError.
    """
    rule = await _find(session, rule_id, is_locked=True)
    check_version("rule", rule.version, expected_version)
    problems = await _problems(session, changes)
    given = changes.model_dump(mode="json", exclude_unset=True)
    escalation = Approvers.model_validate(given.get("escalation", rule.escalation))
    if given.get("escalation_hours", rule.escalation_hours) is not None and escalation.is_nobody:
        problems.append(_NOBODY)
    if problems:
        raise InvalidInputError("The rule was not changed.", fields=problems)
    async with told_by_name(session):
        for name, value in given.items():
            setattr(rule, name, value)
        rule.version += 1
    await session.refresh(rule)
    return _read(rule)


async def delete_rule(session: AsyncSession, rule_id: UUID) -> None:
    """Delete a rule; requests that wait go on by it. Raises NotFoundError."""
    await session.delete(await _find(session, rule_id))
    await session.flush()


async def names_of(session: AsyncSession, several: Iterable[Approvers]) -> dict[UUID, str]:
    """What the users, groups and roles that some name are called."""
    named: dict[UUID, str] = {}
    everybody = list(several)
    for field, (model, _) in _PEOPLE.items():
        ids = {one for approvers in everybody for one in getattr(approvers, field)}
        label = User.username if model is User else model.name
        if ids:
            rows = await session.execute(select(model.id, label).where(model.id.in_(ids)))
            named |= {row[0]: row[1] for row in rows}
    return named


_NOBODY = FieldError("escalation", "Must name at least one user, group or role")


async def _problems(
    session: AsyncSession, wanted: ApprovalRuleCreate | ApprovalRuleUpdate
) -> list[FieldError]:
    problems = []
    places: list[tuple[str, Approvers]] = [
        (f"levels.{number}", one) for number, one in enumerate(wanted.levels or ())
    ]
    if wanted.escalation is not None:
        places.append(("escalation", wanted.escalation))
    for place, approvers in places:
        for field, (model, thing) in _PEOPLE.items():
            if not await _exist(session, model, getattr(approvers, field)):
                problems.append(FieldError(f"{place}.{field}", f"Must each be a {thing} that exists"))
    return problems


async def _exist(session: AsyncSession, model: Any, ids: Sequence[UUID]) -> bool:
    if not ids:
        return True
    count = select(func.count()).select_from(model).where(model.id.in_(ids))
    return await session.scalar(count) == len(set(ids))


async def _find(session: AsyncSession, rule_id: UUID, *, is_locked: bool = False) -> ApprovalRule:
    rule = await session.get(ApprovalRule, rule_id, with_for_update=is_locked)
    if rule is None:
        raise NotFoundError("There is no such approval rule.")
    return rule


def _read(rule: ApprovalRule) -> ApprovalRuleRead:
    kind = KINDS.get(rule.kind)
    found = ApprovalRuleRead.model_validate(rule)
    return found.model_copy(
        update={"title": kind.title if kind else rule.kind, "unit": kind.unit if kind else ""}
    )
