DROP TRIGGER note_mapping ON devices;
DROP TRIGGER note_mapping ON telemetry_hosts;
-- One list for the whole fleet again: the oldest claim of each spelling stays.
DELETE FROM telemetry_hosts t USING telemetry_hosts older WHERE older.host = t.host AND older.id < t.id;
DROP INDEX ix_telemetry_hosts_name_key, ix_telemetry_hosts_host, uq_telemetry_hosts_device_id_name_key;
ALTER TABLE telemetry_hosts DROP CONSTRAINT pk_telemetry_hosts;
ALTER TABLE telemetry_hosts DROP COLUMN id, DROP COLUMN name_key,
    ADD CONSTRAINT pk_telemetry_hosts PRIMARY KEY (host);
CREATE INDEX ix_telemetry_hosts_device_id ON telemetry_hosts (device_id);
CREATE TRIGGER note_mapping AFTER UPDATE OR DELETE ON telemetry_hosts
    FOR EACH ROW EXECUTE FUNCTION note_sender_mapping();
SELECT audit_table('telemetry_hosts', ARRAY['host'], 'host', 'device_id', skipped => ARRAY['first_seen']);
