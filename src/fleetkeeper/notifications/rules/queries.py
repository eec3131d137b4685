"""The SQL of rules."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, select

from fleetkeeper.identity.actor import Actor
from fleetkeeper.identity.permissions import Permission
from fleetkeeper.kit.listing import Field, Listing
from fleetkeeper.notifications.channels.queries import lies_in
from fleetkeeper.notifications.models import NotificationChannel, NotificationRule

LISTING = Listing(
    fields={
        "name": Field(NotificationRule.name.expression, str),
        "enabled": Field(NotificationRule.enabled.expression, bool),
        "minimum_severity": Field(NotificationRule.minimum_severity.expression, str),
        "channel": Field(NotificationChannel.name.expression, str, joined=True),
        "channel_id": Field(NotificationRule.channel_id.expression, UUID, sortable=False),
        "department_id": Field(NotificationRule.department_id.expression, UUID, sortable=False),
        "created_at": Field(NotificationRule.created_at.expression, datetime),
    },
    search=(NotificationRule.name.expression,),
    key=NotificationRule.id.expression,
    default_ordering="name",
)


def visible_to(actor: Actor) -> Select[*tuple[Any, ...]]:
    """The rules that an actor may see, each with its channel's name."""
    scope = actor.scope(Permission.NOTIFICATIONS_READ)
    return (
        select(NotificationRule, NotificationChannel.name)
        .join(NotificationChannel, NotificationChannel.id == NotificationRule.channel_id)
        .where(lies_in(NotificationRule.department_id.expression, scope))
    )
