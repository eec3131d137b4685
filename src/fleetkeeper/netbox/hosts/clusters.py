"""`virtualization/clusters` and `…/cluster-types`: each machine that virtual machines run on is a cluster of itself."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, ClassVar

from sqlalchemy import ColumnElement, Select, func, select

from fleetkeeper.devices.models import Device
from fleetkeeper.devices.queries import machines, visible_to
from fleetkeeper.devices.relationships.models import DeviceRelationship
from fleetkeeper.netbox.hosts import filters as host_filters
from fleetkeeper.netbox.places.sites import SITES
from fleetkeeper.netbox.places.tenants import TENANTS
from fleetkeeper.netbox.places.tree import tree_of
from fleetkeeper.netbox.protocol.asked import Asked
from fleetkeeper.netbox.protocol.items import Item, Items
from fleetkeeper.netbox.protocol.kind import Told, labelled
from fleetkeeper.netbox.protocol.rows import Rows

_STATUSES = {"active": "Active", "offline": "Offline"}


class ClusterTypes(Items):
    """There is one."""

    path = "virtualization/cluster-types"
    model = "virtualization.clustertype"
    noun = "Cluster type"
    write = None

    async def all(self, asked: Asked) -> Sequence[Item]:
        """The one type."""
        del asked
        return [HOST]

    async def tell(self, asked: Asked, items: Sequence[Item]) -> list[Told]:
        """As NetBox tells of them."""
        more: Told = {"tags": [], "custom_fields": {}, "created": None, "last_updated": None}
        return [self.nested(asked, one) | more for one in items]


HOST = Item(1, "Host", "host", "A machine that virtual machines run on")
CLUSTER_TYPES = ClusterTypes()


async def _type(asked: Asked, name: str, values: Sequence[str]) -> ColumnElement[bool]:
    found = await CLUSTER_TYPES.asked_for(asked, name, values)
    return Device.id.is_not(None) if any(found) else Device.id.is_(None)


class Clusters(Rows):
    """Machines that virtual machines run on."""

    path = "virtualization/clusters"
    model = "virtualization.cluster"
    noun = "Cluster"
    write = None
    table: ClassVar = Device
    brief: ClassVar = ("id", "url", "display", "name", "description")
    orderings: ClassVar = {"id": Device.number.expression, "name": Device.name.expression}
    known: ClassVar[Mapping[str, host_filters.Make]] = {
        name: host_filters.OF_DEVICES[name]
        for name in (
            "site",
            "site_id",
            "location",
            "location_id",
            "tenant",
            "tenant_id",
            "tag",
            "tag_id",
            "q",
        )
    } | dict.fromkeys(("type", "type_id"), _type)

    def filters(self) -> Collection[str]:
        """The names of its filters."""
        return ("id", "name", *self.known)

    def visible(self, asked: Asked) -> Select[Any]:
        """Hosts of virtual machines."""
        return machines(visible_to(asked.actor)).where(
            Device.device_type.not_in(("vm", "container")), Device.id.in_(_hosting())
        )

    async def conditions(
        self, asked: Asked, filters: Mapping[str, Sequence[str]]
    ) -> list[ColumnElement[bool]]:
        """What a list is filtered by."""
        return await host_filters.conditions(asked, self.known, filters)

    async def tell(self, asked: Asked, chosen: Select[Any]) -> list[Told]:
        """As NetBox tells of clusters."""
        rows = (await asked.session.scalars(chosen)).all()
        tree = await tree_of(asked)
        counted = _hosting(DeviceRelationship.parent_device_id, func.count()).where(
            DeviceRelationship.parent_device_id.in_([one.id for one in rows])
        )
        found: Any = await asked.session.execute(counted.group_by(DeviceRelationship.parent_device_id))
        counts = {row[0]: row[1] for row in found}
        told = []
        for one in rows:
            place = tree.site(one.location_id)
            site = SITES.nested(asked, tree.items[place]) if place is not None else None
            tenant = await TENANTS.of_department(asked, one.department_id)
            told.append(
                {
                    "id": one.number,
                    "url": asked.url(self.path, one.number),
                    "display_url": asked.page(f"/devices/{one.id}"),
                    "display": one.name,
                    "name": one.name,
                    "type": CLUSTER_TYPES.nested(asked, HOST),
                    "group": None,
                    "status": labelled(_STATUSES, "active" if one.lifecycle == "active" else "offline"),
                    "tenant": tenant and TENANTS.nested(asked, tenant),
                    "scope_type": "dcim.site" if site else None,
                    "scope_id": site and site["id"],
                    "scope": site,
                    "site": site,
                    "description": one.description or "",
                    "comments": "",
                    "tags": [],
                    "custom_fields": {},
                    "created": one.created_at,
                    "last_updated": one.updated_at,
                    "device_count": 1,
                    "virtualmachine_count": counts.get(one.id, 0),
                }
            )
        return told


def _hosting(*columns: Any) -> Select[Any]:
    """Current relationships of hosts with virtual machines."""
    guest = Device.__table__.alias("guest")
    relation = DeviceRelationship
    return (
        select(*(columns or (relation.parent_device_id,)))
        .join_from(relation, guest, guest.c.id == relation.child_device_id)
        .where(
            relation.relationship_type == "hosts", relation.valid_to.is_(None), guest.c.device_type == "vm"
        )
    )


CLUSTERS = Clusters()
