"""The form of approval rules: up to two levels, with users by their names. Rules of more levels are for the API."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

from pydantic import BaseModel
from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.approvals.rules import service
from fleetkeeper.approvals.rules.schemas import (
    ApprovalRuleRead,
    Approvers,
    DepartmentId,
    Hours,
    Minimum,
    Mode,
    Position,
    Threshold,
)
from fleetkeeper.console.contexts.panels import EntryForm, Option
from fleetkeeper.console.forms.form import Form, Widget
from fleetkeeper.console.panels import department_options
from fleetkeeper.errors import FieldError, FleetkeeperError, InvalidInputError
from fleetkeeper.identity.actor import Actor
from fleetkeeper.identity.departments.service import all_departments
from fleetkeeper.identity.groups.service import list_groups
from fleetkeeper.identity.permissions import Permission
from fleetkeeper.identity.roles.service import list_roles
from fleetkeeper.identity.texts import Name
from fleetkeeper.identity.users.service import find_user

MOST_LEVELS = 2
_MOST = (("limit", "200"),)
# The parts of a rule that name people, as the form calls them.
_PARTS = {"levels.0": "", "levels.1": "second_", "escalation": "escalation_"}


class RuleEntry(BaseModel):
    """A rule as people enter it."""

    name: Name
    kind: str = ""
    enabled: bool = True
    department_id: DepartmentId = None
    threshold: Threshold = None
    users: list[str] = []
    groups: list[UUID] = []
    roles: list[UUID] = []
    minimum: Minimum = 1
    second_users: list[str] = []
    second_groups: list[UUID] = []
    second_roles: list[UUID] = []
    second_minimum: Minimum = 1
    mode: Mode = "sequence"
    expires_hours: Hours = 72
    escalation_hours: Hours | None = None
    escalation_users: list[str] = []
    escalation_groups: list[UUID] = []
    escalation_roles: list[UUID] = []
    position: Position = 0


_HINT = "Usernames, separated by commas"


def _people(prefix: str, title: str) -> dict[str, Widget | str]:
    return {
        f"{prefix}users": Widget(f"{title}: users", hint=_HINT, kind="text"),
        f"{prefix}groups": Widget(f"{title}: groups", kind="ticks"),
        f"{prefix}roles": Widget(
            f"{title}: roles", hint="Assigned in the department of the request or everywhere", kind="ticks"
        ),
    }


_WIDGETS: dict[str, Widget | str] = {
    "name": "Name",
    "department_id": Widget("Department", hint="Includes departments below it"),
    "threshold": Widget("Minimum amount", hint="In the unit of the action; empty: always"),
    **_people("", "Approvers"),
    "minimum": Widget("Approvals needed", is_required=True),
    **_people("second_", "Second level"),
    "second_minimum": Widget("Second level: approvals needed", is_required=True),
    "mode": Widget("Order of levels"),
    "expires_hours": Widget("Expires after (hours)", is_required=True),
    "escalation_hours": Widget("Escalate after (hours)", hint="Empty: never"),
    **_people("escalation_", "Escalate to"),
    "position": Widget(
        "Position", hint="The first rule that matches applies, lowest first", is_required=True
    ),
}
NEW = Form(
    RuleEntry,
    "new-rule",
    "Create rule",
    "Create rule",
    {"kind": Widget("Action", is_required=True), **_WIDGETS},
    text="Actions that match the rule wait until enough people have approved them.",
)
CHANGE = Form(RuleEntry, "change", "Edit rule", "Save changes", {**_WIDGETS, "enabled": "Enabled"})


async def new_form(session: AsyncSession, actor: Actor, action: str) -> EntryForm:
    """The form that creates a rule."""
    return NEW.shown(action, options=await _options(session, actor))


async def change_form(session: AsyncSession, actor: Actor, action: str, rule: ApprovalRuleRead) -> EntryForm:
    """The form that changes a rule."""
    names = await service.names_of(session, [*rule.levels, rule.escalation])
    present = rule.model_dump(exclude={"levels", "escalation"})
    for place, prefix in _PARTS.items():
        level = _part(rule, place)
        present |= {f"{prefix}{name}": getattr(level, name) for name in ("groups", "roles")}
        present[f"{prefix}users"] = [names[one] for one in level.users if one in names]
        present[f"{prefix}minimum"] = getattr(level, "minimum", 1)
    return CHANGE.shown(
        action,
        RuleEntry.model_construct(**present),
        options=await _options(session, actor),
        version=rule.version,
        is_open=True,
    )


def _part(rule: ApprovalRuleRead, place: str) -> Approvers:
    if place == "escalation":
        return rule.escalation
    number = int(place.removeprefix("levels."))
    return rule.levels[number] if number < len(rule.levels) else Approvers()


async def values_of(
    session: AsyncSession, actor: Actor, form: Form[RuleEntry], sent: Mapping[str, Sequence[str]]
) -> dict[str, Any]:
    """What was sent, as the API has it. Raises InvalidInputError."""
    entry = form.read(sent)
    values = {name: getattr(entry, name) for name in form.widgets if not _names_people(name)}
    levels = []
    for prefix in ("", "second_"):
        named = await _named(session, actor, entry, prefix)
        if not prefix or any(named.values()):
            levels.append(named | {"minimum": getattr(entry, f"{prefix}minimum")})
    return values | {"levels": levels, "escalation": await _named(session, actor, entry, "escalation_")}


def _names_people(name: str) -> bool:
    return name.endswith(("users", "groups", "roles", "minimum"))


async def _named(session: AsyncSession, actor: Actor, entry: RuleEntry, prefix: str) -> dict[str, list[UUID]]:
    users = []
    for name in getattr(entry, f"{prefix}users"):
        try:
            users.append((await find_user(session, actor, name)).id)
        except InvalidInputError as error:
            problem = error.fields[0].message if error.fields else error.detail
            raise InvalidInputError(
                "Correct the marked fields.", fields=[FieldError(f"{prefix}users", problem)]
            ) from None
    return {
        "users": users,
        "groups": getattr(entry, f"{prefix}groups"),
        "roles": getattr(entry, f"{prefix}roles"),
    }


def in_form(error: FleetkeeperError) -> FleetkeeperError:
    """The error with the form's names of fields."""
    if not isinstance(error, InvalidInputError):
        return error
    return InvalidInputError(error.detail, fields=list(_renamed(error.fields)))


def _renamed(fields: Iterable[FieldError]) -> Iterable[FieldError]:
    for one in fields:
        place = next((known for known in _PARTS if one.field.startswith(known)), None)
        if one.field == "levels":
            yield FieldError("users", "Name at least one user, group or role")
        elif place is None:
            yield one
        else:
            rest = one.field.removeprefix(place).removeprefix(".")
            yield FieldError(f"{_PARTS[place]}{rest or 'users'}", one.message)


async def _options(session: AsyncSession, actor: Actor) -> dict[str, Sequence[Option]]:
    groups = (await list_groups(session, _MOST)).results if actor.may(Permission.GROUPS_READ) else []
    roles = (await list_roles(session, _MOST)).results if actor.may(Permission.ROLES_READ) else []
    options: dict[str, Sequence[Option]] = {
        "kind": [Option(one.name, f"{one.title} ({one.unit})") for one in service.list_kinds()],
        "department_id": department_options(await all_departments(session, actor), nothing="All departments"),
    }
    for prefix in _PARTS.values():
        options[f"{prefix}groups"] = [Option(str(one.id), one.name) for one in groups]
        options[f"{prefix}roles"] = [Option(str(one.id), one.name) for one in roles]
    return options
