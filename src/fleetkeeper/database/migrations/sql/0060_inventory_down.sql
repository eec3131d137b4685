DROP TRIGGER revise_insert ON devices;
DROP TRIGGER revise_update ON devices;
DROP TRIGGER revise_delete ON devices;
DROP TRIGGER name_first_inserted ON device_sources;
DROP TRIGGER name_first_deleted ON device_sources;
DROP FUNCTION name_first_source();
DROP TABLE device_revisions, device_configs, server_facts, hardware_components, storage_volumes, ip_addresses,
    network_interfaces, vms, device_relationships;
DROP FUNCTION gather_ip_addresses();
DROP FUNCTION revise_devices();
DROP FUNCTION revise_device_relationships();
DROP FUNCTION revise_vms();
DROP FUNCTION revise_network_interfaces();
DROP FUNCTION revise_ip_addresses();
DROP FUNCTION revise_storage_volumes();
DROP FUNCTION revise_hardware_components();
DROP FUNCTION revise_table(text, text[], text[]);
DROP FUNCTION secure_device_table(text);
DROP FUNCTION audit_device_relationships();
DROP FUNCTION audit_vms();
DROP FUNCTION audit_network_interfaces();
DROP FUNCTION audit_ip_addresses();
DROP FUNCTION audit_storage_volumes();
DROP FUNCTION audit_device_configs();
ALTER TABLE devices
    DROP COLUMN location_id, DROP COLUMN asset_tag, DROP COLUMN owner, DROP COLUMN description, DROP COLUMN purchased_on,
    DROP COLUMN warranty_until, DROP COLUMN end_of_support_on, DROP COLUMN source_system, DROP COLUMN source_id;
SELECT audit_table('devices', '{id}', 'name', 'id', '{first_seen,last_seen,status,updated_at,version,search_text}');
DROP TABLE locations;
DROP FUNCTION audit_locations();
