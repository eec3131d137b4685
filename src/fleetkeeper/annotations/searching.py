"""Tags in the search: they belong to the whole installation. Notes and files are found with their objects."""

from collections.abc import Sequence

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.annotations.models import Tag
from fleetkeeper.identity.actor import Actor
from fleetkeeper.identity.permissions import Permission
from fleetkeeper.search.asked import Asked
from fleetkeeper.search.sources import Found, Source, declare_source, of_names


async def _find_tags(session: AsyncSession, actor: Actor, asked: Asked, most: int) -> Sequence[Found]:
    del actor
    named = select(Tag).where(of_names(asked, Tag.name.expression, Tag.slug.expression))
    found = await session.scalars(named.order_by(func.length(Tag.name), Tag.name).limit(most))
    return [
        Found(
            id=one.id,
            title=one.name,
            detail="Devices with this tag",
            href=f"/devices?tag={one.slug}",
            texts={"Slug": one.slug},
            rank=asked.rank(one.name, one.slug),
        )
        for one in found
    ]


declare_source(Source("tag", Permission.TAGS_READ, _find_tags, 5))
