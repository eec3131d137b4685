"""`dcim/sites` and `dcim/locations`: places at the top of the tree, and those in them."""

from collections.abc import Sequence
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import func, select

from fleetkeeper.approvals.schemas import ApprovalRead
from fleetkeeper.database.constraints import told_by_name
from fleetkeeper.devices.locations.models import Location
from fleetkeeper.devices.locations.schemas import LocationWrite
from fleetkeeper.devices.locations.service import locations
from fleetkeeper.devices.models import Device
from fleetkeeper.devices.queries import machines, visible_to
from fleetkeeper.errors import ConflictError
from fleetkeeper.netbox.places.tenants import TENANTS
from fleetkeeper.netbox.places.tree import STATUSES, tree_of
from fleetkeeper.netbox.protocol.asked import Asked
from fleetkeeper.netbox.protocol.body import Body
from fleetkeeper.netbox.protocol.items import Item, Items
from fleetkeeper.netbox.protocol.kind import Told, labelled
from fleetkeeper.netbox.protocol.numbers import LONGEST_SLUG, is_slug, slug_of


class Places(Items):
    """What sites and locations have in common."""

    choices: ClassVar = {"status": STATUSES}
    required: ClassVar[Sequence[str]] = ("name",)
    more_filters: ClassVar[Sequence[str]] = ("status", "physical_address", "tenant", "tenant_id")
    told_only: ClassVar[Sequence[str]] = ()
    location_type: ClassVar = "site"

    async def create(self, asked: Asked, data: Any) -> Told:
        """Make a place."""
        body = Body(data, self.required)
        wanted = await self._wanted(asked, body, None)
        slug = self._slug(body, None, wanted["name"])
        body.finish(self.told_only)
        made = await locations.create(asked.session, asked.actor, LocationWrite(**wanted))
        await self._set_slug(asked, made.id, slug)
        return await self._told_anew(asked, made.id)

    async def change(self, asked: Asked, number: int, data: Any) -> Told:
        """Change a place."""
        row: Location = (await self.find(asked, number)).source
        body = Body(data)
        wanted = await self._wanted(asked, body, row)
        slug = self._slug(body, row, wanted["name"])
        body.finish(self.told_only)
        await locations.change(asked.session, asked.actor, row.id, LocationWrite(**wanted))
        await self._set_slug(asked, row.id, slug)
        return await self._told_anew(asked, row.id)

    async def delete(self, asked: Asked, number: int) -> ApprovalRead | None:
        """Delete a place; devices in it are nowhere then, so that one with devices stays."""
        row: Location = (await self.find(asked, number)).source
        used = select(func.count()).select_from(Device).where(Device.location_id == row.id)
        count = await asked.session.scalar(used)
        if count:
            raise ConflictError(
                f"Unable to delete object: {count} devices are in {row.name}. Move them first."
            )
        if (await tree_of(asked)).children.get(row.id):
            raise ConflictError(f"Unable to delete object: {row.name} has locations. Delete them first.")
        await locations.delete(asked.session, asked.actor, row.id)
        asked.forget()
        return None

    async def _wanted(self, asked: Asked, body: Body, row: Location | None) -> dict[str, Any]:
        """What the service is told: what is there, with what was sent in its place."""
        names = LocationWrite.model_fields
        wanted = {} if row is None else {name: getattr(row, name) for name in names}
        if row is None:
            wanted["location_type"] = self.location_type
        if body.has("name") or row is None:
            wanted["name"] = body.text("name", 100)
        if body.has("status"):
            wanted["is_active"] = body.choice("status", STATUSES) != "retired"
        if body.has("description"):
            wanted["description"] = body.text("description", 2000)
        if body.has("physical_address"):
            wanted["address"] = body.text("physical_address", 2000, is_line_only=False)
        if body.has("tenant"):
            tenant = await TENANTS.referred(asked, body, "tenant")
            wanted["department_id"] = tenant and tenant.source.id
        elif row is None:
            wanted["department_id"] = await TENANTS.only_one(asked)
        return wanted

    @staticmethod
    def _slug(body: Body, row: Location | None, name: str) -> str | None:
        """What is stored: nothing where the name makes the same."""
        if not body.has("slug"):
            return None if row is None else row.slug
        slug = body.text("slug", LONGEST_SLUG)
        if slug and not is_slug(slug):
            body.refuse("slug", "Enter a valid slug consisting of letters, numbers, underscores or hyphens.")
        return slug if slug and slug != slug_of(name) else None

    @staticmethod
    async def _set_slug(asked: Asked, key: UUID, slug: str | None) -> None:
        row = await asked.session.get(Location, key, with_for_update=True)
        if row is not None and row.slug != slug:
            async with told_by_name(asked.session):
                row.slug = slug
                row.version += 1

    async def _told_anew(self, asked: Asked, key: UUID) -> Told:
        asked.session.expire_all()
        asked.forget()
        return (await self.tell(asked, [(await tree_of(asked)).items[key]]))[0]

    async def _counts(self, asked: Asked, keys: Sequence[UUID]) -> dict[UUID, Told]:
        """How many devices and virtual machines are in places, and in those below them."""
        tree = await tree_of(asked)
        within = {key: tree.below(key) for key in keys}
        everything = set().union(*within.values()) if within else set()
        is_virtual = Device.device_type == "vm"
        statement = machines(visible_to(asked.actor)).where(
            Device.location_id.in_(everything), Device.device_type != "container"
        )
        counted = statement.with_only_columns(
            Device.location_id, func.count().filter(~is_virtual), func.count().filter(is_virtual)
        )
        rows: Any = await asked.session.execute(counted.group_by(Device.location_id))
        there = {row[0]: (row[1], row[2]) for row in rows}
        found = {}
        for key, inside in within.items():
            counts = [there.get(one, (0, 0)) for one in inside]
            found[key] = {
                "device_count": sum(one[0] for one in counts),
                "virtualmachine_count": sum(one[1] for one in counts),
            }
        return found

    async def _common(self, asked: Asked, item: Item) -> Told:
        row: Location = item.source
        tenant = await TENANTS.of_department(asked, row.department_id)
        return {
            "id": item.number,
            "url": asked.url(self.path, item.number),
            "display_url": asked.page(f"/locations/{row.id}"),
            "display": item.name,
            "name": item.name,
            "slug": item.slug,
            "status": labelled(STATUSES, item.values["status"]),
            "tenant": tenant and TENANTS.nested(asked, tenant),
            "facility": "",
            "description": item.description,
            "comments": "",
            "tags": [],
            "custom_fields": {},
            "created": row.created_at,
            "last_updated": row.updated_at,
        }


class Sites(Places):
    """Places at the top."""

    path = "dcim/sites"
    model = "dcim.site"
    noun = "Site"
    written: ClassVar = ("name", "slug", "status", "tenant", "physical_address", "description")
    told_only: ClassVar = (
        "display_url", "created", "last_updated", "device_count", "virtualmachine_count", "asns", "url", "display",
    )  # fmt: skip

    async def all(self, asked: Asked) -> Sequence[Item]:
        """Those that lie in none that the caller may see."""
        tree = await tree_of(asked)
        return [tree.items[key] for key in tree.children.get(None, ())]

    async def tell(self, asked: Asked, items: Sequence[Item]) -> list[Told]:
        """As NetBox tells of sites."""
        counts = await self._counts(asked, [one.source.id for one in items])
        nothing = dict.fromkeys(("region", "group", "time_zone", "latitude", "longitude"))
        return [
            await self._common(asked, one)
            | nothing
            | {
                "physical_address": one.source.address,
                "shipping_address": "",
                "asns": [],
                "circuit_count": 0,
                "prefix_count": 0,
                "rack_count": 0,
                "vlan_count": 0,
            }
            | counts[one.source.id]
            for one in items
        ]


class Locations(Places):
    """Places in others."""

    path = "dcim/locations"
    model = "dcim.location"
    noun = "Location"
    required: ClassVar = ("name", "site")
    written: ClassVar = ("name", "slug", "site", "parent", "status", "tenant", "description")
    more_filters: ClassVar = (*Places.more_filters, "site", "site_id", "parent", "parent_id")
    location_type: ClassVar = "room"
    told_only: ClassVar = (
        "display_url", "created", "last_updated", "device_count", "virtualmachine_count", "rack_count", "_depth", "url",
        "display",
    )  # fmt: skip

    async def all(self, asked: Asked) -> Sequence[Item]:
        """Those that lie in another one."""
        tree = await tree_of(asked)
        found = []
        for key, item in tree.items.items():
            parent = tree.parent(key)
            if parent is None:
                continue
            site = tree.items[tree.above(key)[-1]]
            over = tree.items[parent] if parent != site.source.id else None
            values = {
                "site": site.slug,
                "site_id": site.number,
                "parent": over and over.slug,
                "parent_id": over and over.number,
            }
            found.append(
                Item(
                    item.number,
                    item.name,
                    item.slug,
                    item.description,
                    {**item.values, **values},
                    item.source,
                )
            )
        return found

    async def tell(self, asked: Asked, items: Sequence[Item]) -> list[Told]:
        """As NetBox tells of locations."""
        tree = await tree_of(asked)
        counts = await self._counts(asked, [one.source.id for one in items])
        told = []
        for one in items:
            above = tree.above(one.source.id)
            parent = above[1] if len(above) > 2 else None
            told.append(
                await self._common(asked, one)
                | {
                    "site": SITES.nested(asked, tree.items[above[-1]]),
                    "parent": parent and self.nested(asked, tree.items[parent]),
                    "rack_count": 0,
                    "prefix_count": 0,
                    "_depth": len(above) - 2,
                }
                | counts[one.source.id]
            )
        return told

    async def _wanted(self, asked: Asked, body: Body, row: Location | None) -> dict[str, Any]:
        wanted = await super()._wanted(asked, body, row)
        if body.has("site") or body.has("parent"):
            parent = await self.referred(asked, body, "parent")
            site = await SITES.referred(asked, body, "site")
            over = parent or site
            tree = await tree_of(asked)
            if parent is not None and site is not None and tree.site(parent.source.id) != site.source.id:
                body.refuse("parent", f"Parent location ({parent.name}) must be in the site ({site.name}).")
            if over is None and row is not None:
                over = tree.items.get(tree.above(row.id)[-1])
            wanted["parent_id"] = over and over.source.id
        return wanted


SITES = Sites()
LOCATIONS = Locations()
