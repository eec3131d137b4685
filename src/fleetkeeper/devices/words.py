"""What this room's objects and events are called."""

from fleetkeeper.audit.coverage import declare_skipped, declare_unaudited
from fleetkeeper.audit.words import declare_object
from fleetkeeper.database.constraints import declare_taken, declare_wrong

declare_object("devices", page="/devices/{}")
declare_object("device_configs", "device configuration")
declare_object("device_imports", "import of devices", page="/device-imports/{}")
declare_object("device_identities", "device identity")
declare_object("device_merges", "merge of devices")
declare_object("device_relationships", "relationship")
declare_object("identity_reviews", "identity review", page="/device-reviews/{}")
declare_object("attribute_rules", "attribute rule", page="/attribute-rules/{}")
declare_object("attribute_pins", "pinned value")
declare_object("ip_addresses", "IP address")
declare_object("locations", page="/locations/{}")
declare_object("network_interfaces", "network interface")
declare_object("storage_volumes", "storage volume")
declare_object("vms", "virtual machine")

for table in ("device_revisions", "hardware_components", "server_facts"):
    declare_unaudited(table, "is history by itself, kept by the database")

declare_unaudited("device_import_rows", "rows of files; what comes of them is audited itself")
declare_unaudited("device_change_cursors", "says up to which change people were told")
declare_unaudited("device_vitals", "the newest measurements, rewritten every few seconds")
declare_unaudited("identity_turns", "is locked and never written")
declare_skipped(
    "device_identities",
    last_seen="moves on with each report",
    strength="follows from its kind and value",
    source_system="is the source that told it last",
)
declare_skipped("device_merges", moved="is what the merge did, row by row")
declare_skipped(
    "identity_reviews",
    score="follows from evidence",
    explanation="follows from evidence",
)
declare_skipped(
    "device_imports",
    columns="is read from the file",
    notes="is read from the file",
    grants="is what whoever asked may do",
    problem="says why its status is failed",
)
declare_skipped("device_keys", last_used_at="moves on with each use")
declare_skipped("device_sources", last_seen="moves on with each report")
declare_skipped(
    "devices",
    first_seen="is set by the first report",
    last_seen="moves on with each report",
    status="follows from reports, every few seconds",
    source_system="follows from its sources",
    source_id="follows from its sources",
)
declare_skipped("telemetry_hosts", first_seen="is set by the first sample")
declare_skipped("network_interfaces", ip_addresses="follows from its IP addresses")
declare_skipped("storage_volumes", used_bytes="moves on with each report")
declare_skipped(
    "device_configs",
    config_text="is kept by version",
    confirmed_at="moves on with each look",
)
declare_taken("uq_locations_parent_id_name", "name", "This place has a location with this name already.")
declare_wrong("fk_locations_parent_id_locations", "parent_id", "No such location")
declare_wrong("fk_locations_department_id_departments", "department_id", "No such department")
declare_wrong("fk_devices_location_id_locations", "location_id", "No such location")
declare_wrong("fk_devices_department_id_departments", "department_id", "No such department")
declare_taken(
    "uq_network_interfaces_device_id_interface_name",
    "interface_name",
    "The device has an interface with this name already.",
)
declare_taken("uq_ip_addresses_interface_id_address", "address", "The interface has this address already.")
declare_taken(
    "uq_ip_addresses_primary", "is_primary", "The device has a primary address of this family already."
)
declare_taken("uq_hardware_components_place", "slot", "The device has such a component in this slot already.")
declare_taken("uq_vms_device_id", "device_id", "The device is described as a virtual machine already.")
declare_wrong(
    "fk_ip_addresses_interface_id_device_id_network_interfaces",
    "interface_id",
    "No such interface of this device",
)
declare_taken(
    "uq_device_relationships_current", "child_device_id", "These devices are related in this way already."
)
declare_taken("uq_device_relationships_ends", "child_device_id", "These devices are connected already.")
declare_taken(
    "uq_device_relationships_host",
    "child_device_id",
    "The child runs on another host already; end that relationship first.",
)
declare_wrong("ck_device_relationships_valid", "valid_to", "Must lie after valid_from")
declare_taken(
    "uq_attribute_rules_attribute_source_system",
    "source_system",
    "There is a rule for this attribute and source already.",
)
