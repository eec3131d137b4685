"""The SQL of overrides."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, or_, select

from fleetkeeper.alerts.models import AlertOverride, AlertRule
from fleetkeeper.annotations.models import Tag, Tagged
from fleetkeeper.devices.models import Device
from fleetkeeper.devices.queries import visible_to
from fleetkeeper.identity.actor import Actor
from fleetkeeper.kit.listing import Field, Listing

LISTING = Listing(
    fields={
        "id": Field(AlertOverride.id.expression, UUID, sortable=False),
        "device_id": Field(AlertOverride.device_id.expression, UUID, sortable=False),
        "tag_id": Field(AlertOverride.tag_id.expression, UUID, sortable=False),
        "created_at": Field(AlertOverride.created_at.expression, datetime),
    },
    search=(),
    key=AlertOverride.id.expression,
    default_ordering="created_at",
)


def of_rule(actor: Actor, rule_id: UUID) -> Select[Any]:
    """A rule's overrides with names of devices and tags, without those of devices that the actor may not see."""
    seen = visible_to(actor).with_only_columns(Device.id, Device.name).subquery()
    return (
        select(AlertOverride, seen.c.name.label("device_name"), Tag.name.label("tag_name"))
        .outerjoin(seen, seen.c.id == AlertOverride.device_id)
        .outerjoin(Tag, Tag.id == AlertOverride.tag_id)
        .where(
            AlertOverride.alert_rule_id == rule_id,
            or_(AlertOverride.device_id.is_(None), seen.c.id.is_not(None)),
        )
    )


def on_device(actor: Actor, device_id: UUID) -> Select[AlertOverride, AlertRule]:
    """Overrides that apply to a device, each with its rule. Of one rule the last counts, as in the engine."""
    seen = visible_to(actor).where(Device.id == device_id).exists()
    tags = select(Tagged.tag_id).where(Tagged.object_type == "devices", Tagged.object_id == device_id)
    return (
        select(AlertOverride, AlertRule)
        .join(AlertRule, AlertRule.id == AlertOverride.alert_rule_id)
        .where(seen, or_(AlertOverride.device_id == device_id, AlertOverride.tag_id.in_(tags)))
        .order_by(AlertOverride.device_id.is_not(None), AlertOverride.created_at, AlertOverride.id)
    )
