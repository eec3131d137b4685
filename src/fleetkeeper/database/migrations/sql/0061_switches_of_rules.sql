-- A recording rule can be disabled, as alert rules can; an override has a version for ETags.
ALTER TABLE recording_rules ADD COLUMN enabled boolean NOT NULL DEFAULT true;
ALTER TABLE alert_overrides ADD COLUMN version integer NOT NULL DEFAULT 1;
SELECT audit_table('recording_rules', '{id}', 'name', NULL, '{updated_at,created_at}');
SELECT audit_table('alert_overrides', '{id}', NULL, 'device_id', '{updated_at,created_at,version}');
