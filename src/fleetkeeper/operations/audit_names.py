"""The names of what entries of the audit log refer to by its id, as far as the reader may see it."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import Select, false, literal_column, select, true
from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.audit.models import AuditEntry
from fleetkeeper.database.base import Base
from fleetkeeper.devices.models import Device
from fleetkeeper.devices.queries import visible_to as devices_visible_to
from fleetkeeper.fleet.models import EnrollmentToken
from fleetkeeper.fleet.queries import tokens_visible_to as enrollment_tokens_visible_to
from fleetkeeper.identity.actor import Actor
from fleetkeeper.identity.models import ApiToken, BrowserSession, Department, Group, Role, User
from fleetkeeper.identity.oidc.models import IdentityProvider
from fleetkeeper.identity.permissions import Permission
from fleetkeeper.identity.tokens.queries import visible_to as tokens_visible_to
from fleetkeeper.identity.users.queries import visible_to as users_visible_to
from fleetkeeper.notifications.channels.queries import visible_to as channels_visible_to
from fleetkeeper.notifications.models import NotificationChannel, NotificationRule
from fleetkeeper.notifications.rules.queries import visible_to as rules_visible_to
from fleetkeeper.operations.audit_browser import visible_to


class Reference(NamedTuple):
    """A row of a table."""

    table: str
    id: UUID


class DeletedName(str):
    """The name of a row that is no longer there."""

    __slots__ = ()


# Where the model does not say what a field refers to: events, columns without a foreign key, and lists.
_BY_FIELD = {
    "department_id": "departments",
    "departments": "departments",
    "device_id": "devices",
    "group_id": "groups",
    "group_ids": "groups",
    "provider_id": "identity_providers",
    "role_id": "roles",
    "session_id": "sessions",
    "token_id": "api_tokens",
    "user_id": "users",
    "user_ids": "users",
}


def table_of(resource_type: str, field: str) -> str | None:
    """The table that a field of an entry refers to; None for one that is no reference."""
    table = Base.metadata.tables.get(resource_type)
    column = None if table is None else table.columns.get(field)
    targets = () if column is None else column.foreign_keys
    return next((target.column.table.name for target in targets), _BY_FIELD.get(field))


async def find_names(
    session: AsyncSession, actor: Actor, wanted: Iterable[Reference]
) -> Mapping[Reference, str]:
    """The names of rows that are there and that the actor may see: one statement for each table."""
    by_table: dict[str, set[UUID]] = defaultdict(set)
    for reference in wanted:
        by_table[reference.table].add(reference.id)
    found: dict[Reference, str] = {}
    for table, ids in sorted(by_table.items()):
        if table not in _NAMED:
            continue
        statement = _NAMED[table](actor)
        key = statement.selected_columns[0]
        rows = await session.execute(statement.where(key.in_(sorted(ids))))
        present: dict[Reference, str] = {Reference(table, row[0]): row[1] for row in rows}
        missing = ids - {reference.id for reference in present}
        found |= present | await _last_names(session, actor, table, missing)
    return found


async def _last_names(
    session: AsyncSession, actor: Actor, table: str, ids: Iterable[UUID]
) -> dict[Reference, str]:
    """What deleted rows were called, by the entries of their deletion that the actor may see."""
    # A device is told by name in entries about it, and has too many of them to look through.
    if table == "devices" or not ids:
        return {}
    statement = visible_to(actor).where(
        AuditEntry.resource_type != literal_column("'devices'"),
        AuditEntry.resource_type == table,
        AuditEntry.record_id.in_(sorted(map(str, ids))),
        AuditEntry.action == f"{table}.delete",
        AuditEntry.record_name.is_not(None),
    )
    rows = await session.execute(
        statement.with_only_columns(AuditEntry.record_id, AuditEntry.record_name, maintain_column_froms=True)
    )
    return {Reference(table, UUID(row[0])): DeletedName(row[1]) for row in rows}


def _departments(actor: Actor) -> Select[*tuple[Any, ...]]:
    scope = actor.scope(Permission.DEPARTMENTS_READ)
    statement: Select[*tuple[Any, ...]] = select(Department.id, Department.name)
    return statement if scope.everywhere else statement.where(Department.id.in_(sorted(scope.departments)))


def _sessions(actor: Actor) -> Select[*tuple[Any, ...]]:
    """A session is called by whose it is."""
    is_visible = true() if actor.may(Permission.SESSIONS_WRITE) else BrowserSession.user_id == actor.user_id
    of_user = select(BrowserSession.id, User.username).join(User, User.id == BrowserSession.user_id)
    return of_user.where(is_visible)


def _with(permission: Permission, model: Any) -> Callable[[Actor], Select[*tuple[Any, ...]]]:
    """All rows, for those who have a permission."""
    return lambda actor: select(model.id, model.name).where(true() if actor.may(permission) else false())


_NAMED: Mapping[str, Callable[[Actor], Select[*tuple[Any, ...]]]] = {
    "api_tokens": lambda actor: tokens_visible_to(actor).with_only_columns(
        ApiToken.id, ApiToken.name, maintain_column_froms=True
    ),
    "departments": _departments,
    "devices": lambda actor: devices_visible_to(actor).with_only_columns(Device.id, Device.name),
    "enrollment_tokens": lambda actor: enrollment_tokens_visible_to(actor).with_only_columns(
        EnrollmentToken.id, EnrollmentToken.name, maintain_column_froms=True
    ),
    "groups": _with(Permission.GROUPS_READ, Group),
    "identity_providers": _with(Permission.PROVIDERS_READ, IdentityProvider),
    "notification_channels": lambda actor: channels_visible_to(actor).with_only_columns(
        NotificationChannel.id, NotificationChannel.name
    ),
    "notification_rules": lambda actor: rules_visible_to(actor).with_only_columns(
        NotificationRule.id, NotificationRule.name, maintain_column_froms=True
    ),
    "roles": _with(Permission.ROLES_READ, Role),
    "sessions": _sessions,
    "users": lambda actor: users_visible_to(actor).with_only_columns(User.id, User.username),
}
