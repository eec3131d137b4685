"""The SQL of tags."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, ColumnElement, Select, String, delete, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.annotations.models import Tag, Tagged
from fleetkeeper.kit.listing import Field, Listing

LISTING = Listing(
    fields={
        "id": Field(Tag.id.expression, UUID, sortable=False),
        "name": Field(Tag.name.expression, str),
        "slug": Field(Tag.slug.expression, str),
        "color": Field(Tag.color.expression, str),
        "created_at": Field(Tag.created_at.expression, datetime),
        "updated_at": Field(Tag.updated_at.expression, datetime),
    },
    search=(Tag.name.expression, Tag.slug.expression, Tag.description.expression),
    key=Tag.id.expression,
    default_ordering="name",
)


def tagged_with(object_type: str, slugs: Collection[str]) -> Select[UUID]:
    """The objects of a kind that have at least one of these tags."""
    return (
        select(Tagged.object_id)
        .join(Tag, Tag.id == Tagged.tag_id)
        .where(Tagged.object_type == object_type, Tag.slug.in_(slugs))
    )


def slugs_of(object_type: str, key: ColumnElement[UUID]) -> ColumnElement[Any]:
    """The slugs of an object's tags as an array, for a statement that has the object's key."""
    own = (
        select(Tag.slug)
        .join(Tagged, Tagged.tag_id == Tag.id)
        .where(Tagged.object_type == object_type, Tagged.object_id == key)
        .order_by(Tag.slug)
        .correlate(key.table)
    )
    return func.array(own.scalar_subquery(), type_=ARRAY(String))


async def slugs_by_object(
    session: AsyncSession, object_type: str, object_ids: Sequence[UUID]
) -> dict[UUID, set[str]]:
    """The slugs of several objects; those without a tag are left out."""
    rows = await session.execute(
        select(Tagged.object_id, func.array_agg(Tag.slug))
        .join(Tag, Tag.id == Tagged.tag_id)
        .where(Tagged.object_type == object_type, Tagged.object_id.in_(object_ids))
        .group_by(Tagged.object_id)
    )
    return {row[0]: set(row[1]) for row in rows}


async def assign(
    session: AsyncSession, object_type: str, object_ids: Collection[UUID], tag_ids: Collection[UUID]
) -> None:
    """Give objects tags; those that they have stay."""
    rows = [
        {"tag_id": tag, "object_type": object_type, "object_id": one} for one in object_ids for tag in tag_ids
    ]
    if rows:
        await session.execute(insert(Tagged).on_conflict_do_nothing(), rows)


async def unassign(
    session: AsyncSession, object_type: str, object_ids: Collection[UUID], tag_ids: Collection[UUID]
) -> None:
    """Take tags from objects."""
    if object_ids and tag_ids:
        await session.execute(
            delete(Tagged).where(
                Tagged.object_type == object_type,
                Tagged.object_id.in_(object_ids),
                Tagged.tag_id.in_(tag_ids),
            )
        )
