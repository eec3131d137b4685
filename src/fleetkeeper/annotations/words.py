"""What this room's objects and constraints are called."""

from fleetkeeper.audit.coverage import declare_unaudited
from fleetkeeper.audit.words import declare_event, declare_object
from fleetkeeper.database.constraints import declare_taken

declare_object("attachments", "file")
declare_object("custom_fields", page="/custom-fields/{}")
declare_object("custom_values", "custom field value")
declare_event("custom_values.reveal", "Revealed")
declare_object("saved_views", "saved view")
declare_object("tagged", "tag of an object")
declare_object("tags", page="/tags/{}")
declare_taken("uq_bookmarks_owner_id_path", "path", "You have bookmarked this page already.")
declare_taken("uq_saved_views_owner_id_path_name", "name", "You already have a view with this name.")
declare_taken("uq_tags_name", "name", "A tag with this name already exists.")
declare_taken("uq_tags_slug", "slug", "A tag with this slug already exists.")
declare_taken(
    "uq_custom_fields_object_type_name",
    "name",
    "A field with this name already exists for this kind of object.",
)

declare_unaudited("attachment_parts", "what files hold; attachments has their names and checksums")
