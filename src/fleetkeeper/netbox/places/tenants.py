"""`tenancy/tenants`: departments, which are kept elsewhere."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import func, select

from fleetkeeper.devices.models import Device
from fleetkeeper.devices.queries import visible_to
from fleetkeeper.identity.models import Department
from fleetkeeper.identity.permissions import Permission
from fleetkeeper.netbox.protocol.asked import Asked
from fleetkeeper.netbox.protocol.items import Item, Items
from fleetkeeper.netbox.protocol.kind import Told
from fleetkeeper.netbox.protocol.numbers import slug_of


class Tenants(Items):
    """Departments. Who sees devices sees whose they are."""

    path = "tenancy/tenants"
    model = "tenancy.tenant"
    noun = "Tenant"
    write = None

    async def all(self, asked: Asked) -> Sequence[Item]:
        """The departments in which the caller may see devices."""
        scope = asked.actor.scope(Permission.DEVICES_READ)
        statement = select(Department).order_by(Department.name, Department.id)
        if not scope.everywhere:
            statement = statement.where(Department.id.in_(sorted(scope.departments)))
        rows = await asked.session.scalars(statement)
        return [Item(one.number, one.name, slug_of(one.name), one.description, source=one) for one in rows]

    async def of_department(self, asked: Asked, department_id: UUID | None) -> Item | None:
        """The tenant of a department."""

        async def look_up() -> Mapping[UUID, Item]:
            return {one.source.id: one for one in await self.known(asked)}

        found: Mapping[Any, Item] = await asked.once((Tenants, "keys"), look_up)
        return found.get(department_id)

    async def only_one(self, asked: Asked) -> UUID | None:
        """Where something belongs of which nobody says it: the topmost department, where the caller has one alone."""
        scope = asked.actor.scope(Permission.DEVICES_WRITE)
        if scope.everywhere:
            return None
        rows = [one.source for one in await self.known(asked) if one.source.id in scope.departments]
        keys = {one.id for one in rows}
        top = [one.id for one in rows if one.parent_id not in keys]
        return top[0] if len(top) == 1 else None

    async def tell(self, asked: Asked, items: Sequence[Item]) -> list[Told]:
        """As NetBox tells of tenants."""
        keys = [one.source.id for one in items]
        statement = visible_to(asked.actor).where(Device.department_id.in_(keys))
        counted = statement.with_only_columns(Device.department_id, func.count()).group_by(
            Device.department_id
        )
        rows: Any = await asked.session.execute(counted)
        counts = {row[0]: row[1] for row in rows}
        return [
            self.nested(asked, one)
            | {
                "display_url": asked.page(f"/departments/{one.source.id}"),
                "group": None,
                "comments": "",
                "tags": [],
                "custom_fields": {},
                "created": one.source.created_at,
                "last_updated": one.source.updated_at,
                "device_count": counts.get(one.source.id, 0),
            }
            for one in items
        ]


TENANTS = Tenants()
