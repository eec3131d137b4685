"""All kinds at `/netbox/api`, by their paths."""

from fleetkeeper.netbox.annotations.custom_fields import CUSTOM_FIELDS
from fleetkeeper.netbox.annotations.tags import TAGS
from fleetkeeper.netbox.hosts.clusters import CLUSTER_TYPES, CLUSTERS
from fleetkeeper.netbox.hosts.kinds import DEVICES, VIRTUAL_MACHINES
from fleetkeeper.netbox.names.hardware import DEVICE_TYPES, MANUFACTURERS, PLATFORMS
from fleetkeeper.netbox.names.roles import ROLES
from fleetkeeper.netbox.parts.addresses import IP_ADDRESSES
from fleetkeeper.netbox.parts.interfaces import DEVICE_INTERFACES, MACHINE_INTERFACES
from fleetkeeper.netbox.parts.mac_addresses import MAC_ADDRESSES
from fleetkeeper.netbox.places.sites import LOCATIONS, SITES
from fleetkeeper.netbox.places.tenants import TENANTS
from fleetkeeper.netbox.protocol.empty import PATHS, Empty
from fleetkeeper.netbox.protocol.kind import Kind

KINDS: tuple[Kind, ...] = (
    DEVICES,
    DEVICE_INTERFACES,
    DEVICE_TYPES,
    LOCATIONS,
    MAC_ADDRESSES,
    MANUFACTURERS,
    PLATFORMS,
    ROLES,
    SITES,
    IP_ADDRESSES,
    TENANTS,
    CLUSTERS,
    CLUSTER_TYPES,
    MACHINE_INTERFACES,
    VIRTUAL_MACHINES,
    CUSTOM_FIELDS,
    TAGS,
)
EMPTY: tuple[Kind, ...] = tuple(map(Empty, PATHS))
