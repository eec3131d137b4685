"""What this room's objects and constraints are called."""

from fleetkeeper.audit.coverage import declare_skipped, declare_unaudited
from fleetkeeper.audit.words import declare_object
from fleetkeeper.database.constraints import declare_taken, declare_wrong
from fleetkeeper.device_requests.archiving.queries import declare_kept

declare_object("cloud_stores", page="/cloud-stores/{}")
declare_object("cloud_file_refs", "file of a device request", page="/cloud-files/{}")
declare_skipped(
    "cloud_file_refs",
    attempts="counts by itself while the file is copied",
    next_attempt_at="moves by itself after a failed attempt",
    problem="is what the store said last; the status tells how it ended",
    lease_token="is made anew with each attempt",  # noqa: S106 - a sentence
    lease_until="moves with each part of an upload",
    upload_sealed="moves with each part of an upload",
    uploaded_bytes="moves with each part of an upload",
    remote_id="is what the store calls the file, which its path says too",
)
declare_unaudited("cloud_file_removals", "what a store still holds of files whose deletion is audited")
declare_taken("uq_cloud_stores_name", "name", "A cloud store with this name already exists.")
declare_taken(
    "fk_cloud_file_refs_store_id_cloud_stores",
    "store",
    "The store has files. Deactivate it instead, or delete its files first.",
)
declare_wrong("fk_cloud_stores_department_id_departments", "department_id", "No such department")
# Their files would go with them.
declare_kept("EXISTS (SELECT FROM cloud_file_refs f WHERE f.request_id = r.id)")
