-- Devices that are merged come apart without what went to the other one.
REVOKE UPDATE (object_id) ON attachments FROM fleetkeeper_whole_fleet;
DROP TABLE attribute_pins, attribute_rules, device_merges, identity_reviews, identity_turns;
DELETE FROM device_sources WHERE source_system = 'agent' AND source_instance = '' AND source_id = device_id::text;
DROP TRIGGER name_first_moved_from ON device_sources;
DROP TRIGGER name_first_moved_to ON device_sources;
DROP INDEX ix_device_identities_names;
CREATE OR REPLACE VIEW systems WITH (security_barrier = true) AS
SELECT d.id AS system_id, d.hostname, d.fqdn, d.cpu_model, d.cpu_cores, d.cpu_threads,
       round(d.memory_total_bytes / 1073741824.0, 2) AS ram_total_gb, d.gpu_models ->> 0 AS gpu_model,
       jsonb_array_length(d.gpu_models) AS gpu_count, d.os_name, d.os_version, d.location, d.department_id,
       CASE WHEN d.lifecycle IN ('maintenance', 'retired') THEN d.lifecycle
            WHEN d.status = 'online' THEN 'active' ELSE 'offline' END AS status,
       d.first_seen, d.last_seen, d.created_at, d.updated_at
FROM devices d
WHERE reader_sees_all() OR d.department_id = ANY (reader_departments())
   OR pg_has_role(session_user, (SELECT relowner FROM pg_class WHERE oid = 'devices'::regclass), 'USAGE');
ALTER TABLE device_identities DROP COLUMN strength, DROP COLUMN source_system;
SELECT audit_table('device_identities', '{id}', 'value', 'device_id', '{last_seen}');
ALTER TABLE device_sources DROP COLUMN evidence, DROP COLUMN is_confirmed;
DROP TRIGGER keep_merged_together ON devices;
DROP FUNCTION keep_merged_together();
ALTER TABLE devices DROP COLUMN merged_into;
