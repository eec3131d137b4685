ALTER TABLE recording_rules DROP COLUMN enabled;
ALTER TABLE alert_overrides DROP COLUMN version;
SELECT audit_table('recording_rules', '{id}', 'name', NULL, '{updated_at,created_at}');
SELECT audit_table('alert_overrides', '{id}', NULL, 'device_id', '{updated_at,created_at}');
