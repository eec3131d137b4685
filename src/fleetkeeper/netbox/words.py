"""What this room's objects and constraints are called."""

from fleetkeeper.audit.words import declare_object
from fleetkeeper.database.constraints import declare_taken

declare_object("netbox_names", "NetBox name")
declare_taken("uq_netbox_names_name", "name", "There is one of this name already.")
declare_taken("uq_netbox_names_number", "name", "There is one of this name already.")
declare_taken("uq_netbox_names_slug", "slug", "There is one with this slug already.")
declare_taken("uq_locations_slug", "slug", "There is one with this slug already.")
