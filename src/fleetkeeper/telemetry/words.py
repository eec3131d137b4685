"""What this room's objects are called."""

from fleetkeeper.audit.words import declare_object

declare_object("archive_policy", "retention policy")
