DROP TABLE netbox_names;
DROP FUNCTION audit_netbox_names();
ALTER TABLE locations DROP COLUMN slug, DROP COLUMN number;
ALTER TABLE ip_addresses DROP COLUMN number;
ALTER TABLE network_interfaces DROP COLUMN number;
ALTER TABLE devices DROP COLUMN number;
ALTER TABLE custom_fields DROP COLUMN number;
ALTER TABLE tags DROP COLUMN number;
ALTER TABLE departments DROP COLUMN number;
SELECT audit_table('departments', '{id}', 'name', NULL, '{updated_at,version}');
SELECT audit_table('tags', '{id}', 'name', NULL, '{updated_at,created_at,version}');
SELECT audit_table('custom_fields', '{id}', 'label', NULL, '{updated_at,created_at,version}');
SELECT audit_table('locations', '{id}', 'name', NULL, '{updated_at,created_at,version}');
SELECT audit_table('devices', '{id}', 'name', 'id',
                   '{first_seen,last_seen,status,updated_at,version,search_text,source_system,source_id}');
SELECT audit_table('network_interfaces', '{id}', 'interface_name', 'device_id',
                   '{updated_at,created_at,version,ip_addresses}');
SELECT audit_table('ip_addresses', '{id}', 'address', 'device_id', '{updated_at,created_at,version}');
SELECT revise_table('devices', '{id}',
                    '{search_text,interfaces,first_seen,last_seen,status,created_at,updated_at,version,source_system,source_id}');
SELECT revise_table('network_interfaces', '{device_id}', '{created_at,updated_at,version}');
SELECT revise_table('ip_addresses', '{device_id}', '{created_at,updated_at,version}');
