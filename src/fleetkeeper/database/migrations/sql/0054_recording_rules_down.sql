ALTER TABLE alert_evaluations DROP COLUMN failures;
ALTER TABLE alert_rules DROP COLUMN series_limit, DROP COLUMN query_offset_ms;
SELECT audit_table('alert_rules', '{id}', 'name', NULL, '{updated_at,created_at,version}');
DROP TABLE recorded_series, recording_rules;
DROP FUNCTION audit_recording_rules();
