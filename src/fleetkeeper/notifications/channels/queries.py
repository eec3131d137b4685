"""The SQL of channels."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, select, true

from fleetkeeper.identity.actor import Actor, Scope
from fleetkeeper.identity.permissions import Permission
from fleetkeeper.kit.listing import Field, Listing
from fleetkeeper.notifications.models import NotificationChannel

LISTING = Listing(
    fields={
        "name": Field(NotificationChannel.name.expression, str),
        "kind": Field(NotificationChannel.kind.expression, str),
        "enabled": Field(NotificationChannel.enabled.expression, bool),
        "department_id": Field(NotificationChannel.department_id.expression, UUID, sortable=False),
        "created_at": Field(NotificationChannel.created_at.expression, datetime),
    },
    search=(NotificationChannel.name.expression,),
    key=NotificationChannel.id.expression,
    default_ordering="name",
)


def visible_to(actor: Actor) -> Select[Any]:
    """The channels that an actor may see."""
    scope = actor.scope(Permission.NOTIFICATIONS_READ)
    return select(NotificationChannel).where(lies_in(NotificationChannel.department_id.expression, scope))


def lies_in(department: ColumnElement[UUID | None], scope: Scope) -> ColumnElement[bool]:
    """Whether a row's department is one in which a permission holds."""
    return true() if scope.everywhere else department.in_(scope.departments)
