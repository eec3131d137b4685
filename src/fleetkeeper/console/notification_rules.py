"""The forms of rules, in which users stand by their names."""

import contextlib
from collections.abc import Mapping, Sequence
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.console.contexts.panels import EntryForm, Option
from fleetkeeper.console.notification_panels import CHANGE_RULE, HOME, NEW_RULE, event_options
from fleetkeeper.errors import FieldError, InvalidInputError, NotFoundError
from fleetkeeper.identity.actor import Actor
from fleetkeeper.identity.groups import service as groups
from fleetkeeper.identity.permissions import Permission
from fleetkeeper.identity.users import service as users
from fleetkeeper.notifications.channels.schemas import ChannelRead
from fleetkeeper.notifications.rules import service
from fleetkeeper.notifications.rules.schemas import RuleRead

MOST_GROUPS = (("limit", "200"),)


async def new_rule_form(
    session: AsyncSession, actor: Actor, channels: Sequence[ChannelRead], departments: Sequence[Option]
) -> EntryForm:
    """The form that creates a rule."""
    options = await _options(session, actor, channels, ())
    only = _fields(actor, options) | {"department_id"}
    shown = [name for name in NEW_RULE.widgets if name in only]
    return NEW_RULE.shown(f"{HOME}/rules", options={**options, "department_id": departments}, only=shown)


async def change_rule_form(
    session: AsyncSession, actor: Actor, rule: RuleRead, channels: Sequence[ChannelRead]
) -> EntryForm:
    """The form that changes a rule."""
    present = rule.model_copy(update={"user_ids": await _names(session, actor, rule.user_ids)})
    options = await _options(session, actor, channels, rule.events)
    only = [name for name in CHANGE_RULE.widgets if name in _fields(actor, options) | {"enabled"}]
    return CHANGE_RULE.shown(
        f"{HOME}/rules/{rule.id}", present, options=options, only=only, version=rule.version
    )


async def with_user_ids(
    session: AsyncSession, actor: Actor, sent: Mapping[str, list[str]]
) -> Mapping[str, list[str]]:
    """What was sent, with ids in the place of user names. Raises InvalidInputError for an unknown one."""
    found: list[UUID] = []
    for name in ",".join(sent.get("user_ids", ())).split(","):
        if name.strip():
            try:
                found.append((await users.find_user(session, actor, name.strip())).id)
            except InvalidInputError as error:
                problem = error.fields[0].message if error.fields else error.detail
                raise InvalidInputError(
                    "Correct the marked fields.", fields=[FieldError("user_ids", problem)]
                ) from None
    return {**sent, "user_ids": [",".join(map(str, found))]}


async def _names(session: AsyncSession, actor: Actor, user_ids: Sequence[UUID]) -> list[str]:
    """The names of those who are still there."""
    names = []
    for user_id in user_ids:
        with contextlib.suppress(NotFoundError):
            names.append((await users.get_user(session, actor, user_id)).username)
    return names


def _fields(actor: Actor, options: Mapping[str, Sequence[Option]]) -> frozenset[str]:
    """The fields of a rule that the actor may fill, and that there is something to choose for."""
    hidden = set() if users.sees_contacts(actor) else {"user_ids", "group_ids"}
    if not options["group_ids"]:
        hidden |= {"group_ids"}
    return frozenset(set(NEW_RULE.widgets) - {"department_id"} - hidden)


async def _options(
    session: AsyncSession, actor: Actor, channels: Sequence[ChannelRead], present: Sequence[str]
) -> dict[str, Sequence[Option]]:
    listed = (
        (await groups.list_groups(session, MOST_GROUPS)).results if actor.may(Permission.GROUPS_READ) else []
    )
    return {
        "events": event_options(service.list_events(), present),
        "channel_id": [Option(str(one.id), one.name) for one in channels],
        "group_ids": [Option(str(one.id), one.name) for one in listed],
    }
