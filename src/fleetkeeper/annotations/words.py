"""What this room's objects and constraints are called."""

from fleetkeeper.audit.words import declare_object
from fleetkeeper.database.constraints import declare_taken

declare_object("saved_views", "saved view")
declare_taken("uq_saved_views_owner_id_path_name", "name", "You already have a view with this name.")
