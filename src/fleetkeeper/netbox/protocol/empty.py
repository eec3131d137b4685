"""Kinds that NetBox has and the product does not: their lists are empty, so that clients that ask for all go on."""

from collections.abc import Collection

from fleetkeeper.netbox.protocol.asked import Asked
from fleetkeeper.netbox.protocol.kind import Kind, Page, Told
from fleetkeeper.netbox.protocol.query import Query

PATHS = (
    "dcim/regions", "dcim/site-groups", "dcim/racks", "dcim/rack-roles", "dcim/cables", "dcim/virtual-chassis",
    "dcim/inventory-items", "dcim/modules", "dcim/console-ports", "dcim/power-ports", "dcim/rear-ports",
    "dcim/front-ports",
    "ipam/prefixes", "ipam/services", "ipam/vlans", "ipam/vlan-groups", "ipam/vrfs", "ipam/roles", "ipam/aggregates",
    "tenancy/tenant-groups", "tenancy/contacts", "virtualization/virtual-disks", "virtualization/cluster-groups",
    "extras/config-contexts", "extras/custom-field-choice-sets", "extras/journal-entries", "circuits/circuits",
)  # fmt: skip


class Empty(Kind):
    """A kind of which there is none."""

    model = ""
    noun = "object"
    write = None

    def __init__(self, path: str) -> None:
        self.path = path

    def filters(self) -> Collection[str]:
        """None is needed: whatever is asked for, there is nothing."""
        return ()

    async def page(self, asked: Asked, query: Query) -> Page:
        """Nothing."""
        del asked, query
        return Page(0, [])

    async def get(self, asked: Asked, number: int) -> Told:
        """Raise NotFoundError."""
        del asked, number
        raise self.missing()
