"""Manufacturers, device types, roles and platforms: what devices have, and what was registered before one has it."""

from collections.abc import Iterable, Sequence
from typing import Any, ClassVar

from sqlalchemy import delete, select, tuple_

from fleetkeeper.approvals.schemas import ApprovalRead
from fleetkeeper.database.constraints import told_by_name
from fleetkeeper.errors import ConflictError, ForbiddenError
from fleetkeeper.identity.permissions import Permission
from fleetkeeper.netbox.models import NetboxName
from fleetkeeper.netbox.protocol.asked import Asked
from fleetkeeper.netbox.protocol.body import Body
from fleetkeeper.netbox.protocol.items import Item, Items
from fleetkeeper.netbox.protocol.kind import Told
from fleetkeeper.netbox.protocol.numbers import LONGEST_SLUG, is_slug, number_of, slug_of

# Of a device of which nobody knows what it is: each has a device type for NetBox's clients.
UNKNOWN = "Unknown"
MOST = 20_000
Key = tuple[str, str]


class Names(Items):
    """A kind of name. Its key is the maker, empty for all but device types, and the name itself."""

    kind: ClassVar[str]
    # Fields that are kept in a row's attributes, and what each is without one.
    kept: ClassVar[dict[str, Any]] = {}
    written: ClassVar[Sequence[str]] = ("name", "slug", "description")

    async def in_use(self, asked: Asked) -> Iterable[Key]:
        """The keys of what devices have that the caller may see."""
        raise NotImplementedError

    async def all(self, asked: Asked) -> Sequence[Item]:
        """What devices have, and what was registered."""
        statement = select(NetboxName).where(NetboxName.kind == self.kind).limit(MOST)
        rows = {(one.maker, one.name): one for one in await asked.session.scalars(statement)}
        keys = dict.fromkeys([*await self.in_use(asked), *rows])
        return [self.item(key, rows.get(key)) for key in keys]

    async def of_keys(self, asked: Asked, keys: Iterable[Key]) -> dict[Key, Item]:
        """Some of them, without looking at what all devices have."""
        wanted = set(keys)
        if not wanted:
            return {}
        fitting = tuple_(NetboxName.maker, NetboxName.name).in_(sorted(wanted))
        found = await asked.session.scalars(select(NetboxName).where(NetboxName.kind == self.kind, fitting))
        rows = {(one.maker, one.name): one for one in found}
        return {key: self.item(key, rows.get(key)) for key in wanted}

    def item(self, key: Key, row: NetboxName | None) -> Item:
        """One of them, with or without a row."""
        maker, name = key
        shown = name or UNKNOWN
        return Item(
            number_of(self.kind, maker, name),
            shown,
            row.slug if row is not None else slug_of(shown),
            row.description if row is not None else "",
            self._values(key, row),
            (key, row),
        )

    def _values(self, key: Key, row: NetboxName | None) -> dict[str, Any]:
        del key
        return {**self.kept, **(row.attributes if row is not None else {})}

    async def create(self, asked: Asked, data: Any) -> Told:
        """Register one. Raises ConflictError for one that is there."""
        body = Body(data, self.required)
        maker, name = await self._key(asked, body)
        slug = self._slug(body, name)
        description = body.text("description", 2000)
        attributes = self._attributes(body, slug)
        body.finish(self._told_only())
        row = NetboxName(
            kind=self.kind,
            number=number_of(self.kind, maker, name),
            maker=maker,
            name=name,
            slug=slug,
            description=description,
            attributes=attributes,
        )
        async with told_by_name(asked.session):
            asked.session.add(row)
        return await self._told_anew(asked, row)

    async def change(self, asked: Asked, number: int, data: Any) -> Told:
        """Change how one is called; the name itself is what devices say."""
        item = await self.find(asked, number)
        (maker, name), row = item.source
        body = Body(data)
        if body.has("name") and body.text("name", 300) != name:
            body.refuse("name", "Devices say this name; change it there.")
        slug = self._slug(body, name) if body.has("slug") else item.slug
        description = body.text("description", 2000) if body.has("description") else item.description
        attributes = {
            **(row.attributes if row is not None else {}),
            **self._attributes(body, slug, is_new=False),
        }
        body.finish((*self._told_only(), "manufacturer", "model"))
        if row is None:
            row = NetboxName(kind=self.kind, number=number, maker=maker, name=name)
            asked.session.add(row)
        else:
            self._check_everywhere(asked)
            row.version += 1
        async with told_by_name(asked.session):
            row.slug, row.description, row.attributes = slug, description, attributes
            asked.session.add(row)
        return await self._told_anew(asked, row)

    async def delete(self, asked: Asked, number: int) -> ApprovalRead | None:
        """Forget one that no device has."""
        item = await self.find(asked, number)
        key, row = item.source
        if row is None or key in set(await self.in_use(asked)):
            raise ConflictError(f"Unable to delete object: devices have the {self.noun.lower()} {item.name}.")
        self._check_everywhere(asked)
        await asked.session.execute(delete(NetboxName).where(NetboxName.id == row.id))
        asked.forget()
        return None

    async def tell(self, asked: Asked, items: Sequence[Item]) -> list[Told]:
        """As NetBox tells of them."""
        return [self.told(asked, one) for one in items]

    def told(self, asked: Asked, item: Item) -> Told:
        """All that is told of one."""
        row = item.source[1]
        return (
            self.nested(asked, item)
            | {name: item.values[name] for name in self.kept}
            | {
                "comments": "",
                "tags": [],
                "custom_fields": {},
                "created": row.created_at if row is not None else None,
                "last_updated": row.updated_at if row is not None else None,
                "device_count": 0,
            }
        )

    async def _key(self, asked: Asked, body: Body) -> Key:
        del asked
        return "", body.text("name", 300)

    def _slug(self, body: Body, name: str) -> str:
        slug = body.text("slug", LONGEST_SLUG) or slug_of(name)
        if not is_slug(slug):
            body.refuse("slug", "Enter a valid slug consisting of letters, numbers, underscores or hyphens.")
        return slug

    def _attributes(self, body: Body, slug: str, *, is_new: bool = True) -> dict[str, Any]:
        del slug, is_new
        return {name: body.raw(name) for name in self.kept if body.has(name)}

    def _told_only(self) -> Sequence[str]:
        return (
            "url",
            "display",
            "display_url",
            "created",
            "last_updated",
            "device_count",
            "virtualmachine_count",
        )

    @staticmethod
    def _check_everywhere(asked: Asked) -> None:
        if not (
            asked.actor.may_everywhere(Permission.DEVICES_WRITE)
            and asked.actor.may_everywhere(Permission.DEVICES_READ)
        ):
            raise ForbiddenError(f"This needs the permission {Permission.DEVICES_WRITE} everywhere.")

    async def _told_anew(self, asked: Asked, row: NetboxName) -> Told:
        await asked.session.refresh(row)
        asked.forget()
        return self.told(asked, self.item((row.maker, row.name), row))
