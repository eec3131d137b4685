"""`extras/tags`."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, ClassVar

from sqlalchemy import func, select

from fleetkeeper.annotations.models import Tag, Tagged
from fleetkeeper.annotations.tags import service
from fleetkeeper.annotations.tags.schemas import TagWrite
from fleetkeeper.approvals.schemas import ApprovalRead
from fleetkeeper.identity.permissions import Permission
from fleetkeeper.netbox.protocol.asked import Asked
from fleetkeeper.netbox.protocol.body import Body
from fleetkeeper.netbox.protocol.items import Item, Items
from fleetkeeper.netbox.protocol.kind import Told

# Seven colors stand for all: a tag has the nearest one.
COLORS = {
    "gray": "9e9e9e",
    "blue": "2196f3",
    "green": "4caf50",
    "yellow": "ffeb3b",
    "red": "f44336",
    "purple": "9c27b0",
    "teal": "009688",
}
_TOLD_ONLY = ("url", "display", "display_url", "created", "last_updated", "tagged_items", "weight")
LONGEST_SLUG = 60


class Tags(Items):
    """Tags, of the whole installation."""

    path = "extras/tags"
    model = "extras.tag"
    noun = "Tag"
    read = Permission.TAGS_READ
    write = Permission.TAGS_WRITE
    brief: ClassVar = ("id", "url", "display", "name", "slug", "color")
    more_filters: ClassVar = ("color",)
    written: ClassVar = ("name", "slug", "color", "description", "object_types")

    async def all(self, asked: Asked) -> Sequence[Item]:
        """All tags."""
        rows = await asked.session.scalars(select(Tag).order_by(Tag.name))
        return [
            Item(one.number, one.name, one.slug, one.description, {"color": COLORS[one.color]}, one)
            for one in rows
        ]

    async def create(self, asked: Asked, data: Any) -> Told:
        """Make a tag."""
        body = Body(data, self.required)
        wanted = {
            "name": body.text("name", 100),
            "slug": self._slug(body),
            "color": self._color(body, "gray"),
            "description": body.text("description", 2000),
        }
        body.finish(_TOLD_ONLY)
        made = await service.create_tag(asked.session, asked.actor, TagWrite(**wanted))
        return await self._told_anew(asked, made.id)

    async def change(self, asked: Asked, number: int, data: Any) -> Told:
        """Change a tag."""
        row: Tag = (await self.find(asked, number)).source
        body = Body(data)
        wanted = {
            "name": body.text("name", 100) if body.has("name") else row.name,
            "slug": self._slug(body) if body.has("slug") else row.slug,
            "color": self._color(body, row.color),
            "description": body.text("description", 2000) if body.has("description") else row.description,
        }
        body.finish(_TOLD_ONLY)
        await service.change_tag(asked.session, asked.actor, row.id, TagWrite(**wanted))
        return await self._told_anew(asked, row.id)

    async def delete(self, asked: Asked, number: int) -> ApprovalRead | None:
        """Delete a tag: all objects lose it."""
        await service.delete_tag(asked.session, asked.actor, (await self.find(asked, number)).source.id)
        asked.forget()
        return None

    async def tell(self, asked: Asked, items: Sequence[Item]) -> list[Told]:
        """As NetBox tells of tags."""
        keys = [one.source.id for one in items]
        counted = select(Tagged.tag_id, func.count()).where(Tagged.tag_id.in_(keys)).group_by(Tagged.tag_id)
        rows: Any = await asked.session.execute(counted)
        counts = {row[0]: row[1] for row in rows}
        return [
            self.nested(asked, one)
            | {
                "display_url": asked.page(f"/tags/{one.source.id}"),
                "description": one.description,
                "weight": 1000,
                "object_types": [],
                "tagged_items": counts.get(one.source.id, 0),
                "created": one.source.created_at,
                "last_updated": one.source.updated_at,
            }
            for one in items
        ]

    def nested(self, asked: Asked, item: Item) -> Told:
        """A tag within another object."""
        told = super().nested(asked, item)
        del told["description"]
        return told | {"color": item.values["color"]}

    async def of_slugs(self, asked: Asked, slugs: Iterable[str]) -> list[Told]:
        """An object's tags."""

        async def look_up() -> Mapping[str, Item]:
            return {one.slug: one for one in await self.known(asked)}

        known = await asked.once((Tags, "slugs"), look_up)
        return [self.nested(asked, known[one]) for one in slugs if one in known]

    async def slugs_in(self, asked: Asked, body: Body, field: str = "tags") -> Collection[str]:
        """The slugs of the tags that a field names, by number, slug or as objects."""
        value = body.raw(field)
        if not isinstance(value, list):
            if value is not None:
                body.refuse(field, 'Expected a list of items but got type "' + type(value).__name__ + '".')
            return []
        found = []
        by_slug = {one.slug: one for one in await self.known(asked)}
        for one in value:
            if isinstance(one, str) and one in by_slug:
                found.append(one)
                continue
            inner = Body({"tag": one})
            tag = await self.referred(asked, inner, "tag")
            if tag is None:
                body.refuse(field, f"Related object not found: {str(one)[:100]}")
            else:
                found.append(tag.slug)
        return found

    @staticmethod
    def _slug(body: Body) -> str | None:
        """Theirs, if it is one of ours; NetBox allows upper case and underscores, too."""
        slug = body.text("slug", LONGEST_SLUG)
        return slug or None

    @staticmethod
    def _color(body: Body, present: str) -> Any:
        if not body.has("color"):
            return present
        told = body.text("color", 6)
        try:
            wanted = bytes.fromhex(told or COLORS["gray"])
        except ValueError:
            wanted = b""
        if len(wanted) != 3:
            body.refuse("color", "Must be a color of six hexadecimal digits, such as 9e9e9e.")
            return present

        def distance(name: str) -> int:
            pairs = zip(bytes.fromhex(COLORS[name]), wanted, strict=True)
            return sum((ours - theirs) ** 2 for ours, theirs in pairs)

        return min(COLORS, key=distance)

    async def _told_anew(self, asked: Asked, key: Any) -> Told:
        asked.forget()
        found = next(one for one in await self.known(asked) if one.source.id == key)
        return (await self.tell(asked, [found]))[0]


TAGS = Tags()
