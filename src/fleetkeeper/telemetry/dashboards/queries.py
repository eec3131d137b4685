"""The SQL of dashboards."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, func, literal_column, or_, select, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import defer

from fleetkeeper.devices.models import Device
from fleetkeeper.devices.queries import visible_to as devices_visible_to
from fleetkeeper.identity.actor import Actor
from fleetkeeper.identity.models import Department, User
from fleetkeeper.identity.permissions import Permission
from fleetkeeper.kit.listing import Field, Listing
from fleetkeeper.telemetry.dashboards.models import Dashboard

LISTING = Listing(
    fields={
        "id": Field(Dashboard.id.expression, UUID, sortable=False),
        "slug": Field(Dashboard.slug.expression, str),
        "name": Field(Dashboard.name.expression, str),
        "visibility": Field(Dashboard.visibility.expression, str),
        "default_for": Field(Dashboard.default_for.expression, str, sortable=False),
        "owner_id": Field(Dashboard.owner_id.expression, UUID, sortable=False),
        "updated_by": Field(Dashboard.updated_by.expression, str),
        "created_at": Field(Dashboard.created_at.expression, datetime),
        "updated_at": Field(Dashboard.updated_at.expression, datetime),
    },
    search=(Dashboard.name.expression, Dashboard.description.expression),
    key=Dashboard.id.expression,
    default_ordering="name",
)


def visible_to(actor: Actor) -> Select[Any, Any]:
    """The dashboards that an actor may see, each with its owner's name: their own, and those for everyone.

    The product itself, which a command on its machine is, sees all.
    """
    statement: Select[Any, Any] = select(Dashboard, User.username).outerjoin(
        User, User.id == Dashboard.owner_id
    )
    if actor.user_id is None:
        return statement
    return statement.where(or_(Dashboard.visibility == "everyone", Dashboard.owner_id == actor.user_id))


def summaries_visible_to(actor: Actor) -> Select[Any, Any]:
    """The same without definitions, which may be large; in their place is how many panels each has."""
    panels = func.jsonb_path_query_array(
        Dashboard.definition, literal_column("'$.rows[*].panels[*]'::jsonpath")
    )
    return (
        visible_to(actor)
        .options(defer(Dashboard.definition, raiseload=True))
        .add_columns(func.jsonb_array_length(panels))
    )


def named(actor: Actor, slug: str) -> Select[Any, Any]:
    """Those with a slug that the actor may see: their own before those for everyone."""
    return visible_to(actor).where(Dashboard.slug == slug).order_by(Dashboard.visibility.desc())


async def slugs_like(session: AsyncSession, actor: Actor, slug: str) -> set[str]:
    """The slugs that are this one, or begin with it and a dash, of dashboards that the actor may see."""
    alike = or_(Dashboard.slug == slug, Dashboard.slug.startswith(slug + "-", autoescape=True))
    return set(await session.scalars(visible_to(actor).where(alike).with_only_columns(Dashboard.slug)))


async def own_slugs(session: AsyncSession, actor: Actor, slugs: Sequence[str]) -> set[str]:
    """Those of the slugs that lead the actor to a private dashboard of their own."""
    if actor.user_id is None or not slugs:
        return set()
    own = select(Dashboard.slug).where(
        Dashboard.owner_id == actor.user_id, Dashboard.visibility == "private", Dashboard.slug.in_(slugs)
    )
    return set(await session.scalars(own))


async def hold_slugs(session: AsyncSession) -> None:
    """Let nobody else take a slug until the transaction ends."""
    await session.execute(text("SELECT pg_advisory_xact_lock(hashtext('fleetkeeper.dashboards'))"))


async def devices_of(
    session: AsyncSession,
    actor: Actor,
    devices: Sequence[UUID] | None,
    departments: Sequence[str] | None,
    device_types: Sequence[str] | None,
) -> list[UUID]:
    """Devices whose telemetry the actor may see, of these and in these departments (by name) and of these types."""
    statement = devices_visible_to(actor, Permission.TELEMETRY_READ)
    if devices is not None:
        statement = statement.where(Device.id.in_(devices))
    if device_types is not None:
        statement = statement.where(Device.device_type.in_(device_types))
    if departments is not None:
        named = select(Department.id).where(Department.name.in_(departments))
        statement = statement.where(Device.department_id.in_(named))
    return list(await session.scalars(statement.with_only_columns(Device.id)))
