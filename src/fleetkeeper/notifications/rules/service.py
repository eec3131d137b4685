"""Making, changing and removing rules."""

from collections.abc import Collection, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.errors import FieldError, InvalidInputError, NotFoundError
from fleetkeeper.identity.actor import Actor
from fleetkeeper.identity.models import Department, Group, User
from fleetkeeper.identity.permissions import Permission
from fleetkeeper.identity.users import queries as users
from fleetkeeper.identity.users.service import sees_contacts
from fleetkeeper.kit.etags import check_version
from fleetkeeper.kit.ids import uuid7
from fleetkeeper.notifications.channels import queries as channels
from fleetkeeper.notifications.channels.schemas import ChannelKind
from fleetkeeper.notifications.channels.service import check_may_write
from fleetkeeper.notifications.events import EVENTS
from fleetkeeper.notifications.models import NotificationChannel, NotificationRule
from fleetkeeper.notifications.rules import queries
from fleetkeeper.notifications.rules.schemas import (
    EventTypeRead,
    RuleCreate,
    RulePage,
    RuleRead,
    RuleUpdate,
)


def list_events() -> list[EventTypeRead]:
    """All kinds of events, by name."""
    return [
        EventTypeRead(name=one.name, title=one.title, severity=one.severity, fields=list(one.fields))
        for one in sorted(EVENTS.values(), key=lambda one: one.name)
    ]


async def list_rules(session: AsyncSession, actor: Actor, parameters: Sequence[tuple[str, str]]) -> RulePage:
    """One page of rules that the actor may see."""
    page = await queries.LISTING.page(session, queries.visible_to(actor), parameters)
    results = [_read(row) for row in page.rows]
    return RulePage(count=page.count, next=page.next, previous=page.previous, results=results)


async def get_rule(session: AsyncSession, actor: Actor, rule_id: UUID) -> RuleRead:
    """One rule. Raises NotFoundError."""
    return _read(await _find(session, actor, rule_id))


async def create_rule(session: AsyncSession, actor: Actor, wanted: RuleCreate) -> RuleRead:
    """Make a rule. Raises InvalidInputError, ForbiddenError."""
    check_may_write(actor, wanted.department_id)
    problems = await _problems(session, actor, wanted.model_dump(), RuleCreate.model_fields)
    if wanted.department_id is not None and await session.get(Department, wanted.department_id) is None:
        problems.append(FieldError("department_id", "is a department that exists"))
    if problems:
        raise InvalidInputError("The rule was not created.", fields=problems)
    rule = NotificationRule(id=uuid7(), **wanted.model_dump())
    session.add(rule)
    await session.flush()
    return await get_rule(session, actor, rule.id)


async def update_rule(
    session: AsyncSession,
    actor: Actor,
    rule_id: UUID,
    changes: RuleUpdate,
    *,
    expected_version: int | None = None,
) -> RuleRead:
    """Change a rule. Raises NotFoundError, ForbiddenError, InvalidInputError, PreconditionError."""
    rule: NotificationRule = (await _find(session, actor, rule_id))[0]
    check_may_write(actor, rule.department_id)
    check_version("rule", rule.version, expected_version)
    given = changes.model_dump(exclude_unset=True)
    names = ("events", "channel_id", "user_ids", "group_ids", "addresses")
    values = {name: getattr(rule, name) for name in names} | given
    problems = await _problems(session, actor, values, given)
    if problems:
        raise InvalidInputError("The rule was not changed.", fields=problems)
    for name, value in given.items():
        setattr(rule, name, value)
    rule.version += 1
    await session.flush()
    await session.refresh(rule)
    return await get_rule(session, actor, rule_id)


async def delete_rule(session: AsyncSession, actor: Actor, rule_id: UUID) -> None:
    """Remove a rule. Raises NotFoundError, ForbiddenError."""
    rule: NotificationRule = (await _find(session, actor, rule_id))[0]
    check_may_write(actor, rule.department_id)
    await session.delete(rule)
    await session.flush()


async def _problems(
    session: AsyncSession, actor: Actor, values: dict[str, Any], given: Collection[str]
) -> list[FieldError]:
    """What is wrong with a rule: events nobody emits, a channel or people whom the actor may not see.

    What is not `given` anew stays, though its users may be gone.
    """
    problems = []
    unknown = [one for one in values["events"] if not one.endswith("*") and one not in EVENTS]
    if unknown and "events" in given:
        problems.append(FieldError("events", f"no such event: {', '.join(unknown)}"))
    channel: NotificationChannel | None = await session.scalar(
        channels.visible_to(actor).where(NotificationChannel.id == values["channel_id"])
    )
    people = ("user_ids", "group_ids", "addresses")
    if channel is None or not actor.may_in(Permission.NOTIFICATIONS_WRITE, channel.department_id):
        problems.append(FieldError("channel_id", "must be a channel that you can change"))
    elif channel.kind == ChannelKind.EMAIL and not any(values[name] for name in people):
        problems.append(
            FieldError("addresses", "must name at least one recipient: a user, a group or an address")
        )
    elif channel.kind != ChannelKind.EMAIL:
        problems += [FieldError(name, "applies to email channels only") for name in people if values[name]]
    changed = {"channel_id", "user_ids", "group_ids"}.intersection(given)
    if changed and (values["user_ids"] or values["group_ids"]):
        problems += _problems_of_people(actor, channel)
    for name, statement in (
        (
            "user_ids",
            users.visible_to(actor).with_only_columns(User.id).where(User.id.in_(values["user_ids"])),
        ),
        ("group_ids", select(Group.id).where(Group.id.in_(values["group_ids"]))),
    ):
        if name in given and len((await session.scalars(statement)).all()) != len(set(values[name])):
            problems.append(FieldError(name, "must exist"))
    return problems


def _problems_of_people(actor: Actor, channel: NotificationChannel | None) -> list[FieldError]:
    """A mail server of one's own, and its delivery log, tell the addresses of all who are written to."""
    if not sees_contacts(actor):
        return [FieldError("user_ids", "require the right to see email addresses; enter addresses instead")]
    if channel is not None and channel.department_id is not None:
        return [FieldError("user_ids", "require a channel without a department; enter addresses instead")]
    return []


async def _find(session: AsyncSession, actor: Actor, rule_id: UUID) -> Any:
    row = (
        await session.execute(queries.visible_to(actor).where(NotificationRule.id == rule_id))
    ).one_or_none()
    if row is None:
        raise NotFoundError("There is no such rule.")
    return row


def _read(row: Any) -> RuleRead:
    return RuleRead.model_validate(row[0]).model_copy(update={"channel": row[1]})
