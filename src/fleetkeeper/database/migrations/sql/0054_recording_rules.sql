-- Expressions of rule files whose results are stored as series of their own. They belong to the whole installation.
CREATE TABLE recording_rules (
    id uuid NOT NULL CONSTRAINT pk_recording_rules PRIMARY KEY,
    unit uuid NOT NULL,
    position integer NOT NULL DEFAULT 0,
    -- The metric that it records.
    name varchar(200) NOT NULL,
    expr text NOT NULL,
    labels jsonb NOT NULL DEFAULT '{}',
    interval_seconds integer NOT NULL DEFAULT 60
        CONSTRAINT ck_recording_rules_interval_seconds CHECK (interval_seconds BETWEEN 1 AND 86400),
    series_limit integer NOT NULL DEFAULT 0,
    query_offset_ms integer NOT NULL DEFAULT 0,
    -- The file, the group and the place in it.
    origin_key varchar(300) NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX ix_recording_rules_unit ON recording_rules (unit, position);

-- The series that a rule recorded at its last instant: those that are missing at the next one end. No foreign key to
-- the rule: what it recorded ends after it.
CREATE TABLE recorded_series (
    rule_id uuid NOT NULL,
    fingerprint bytea NOT NULL,
    device_id uuid NOT NULL CONSTRAINT fk_recorded_series_device_id_devices REFERENCES devices ON DELETE CASCADE,
    key varchar(1000) NOT NULL,
    CONSTRAINT pk_recorded_series PRIMARY KEY (rule_id, fingerprint)
);
CREATE INDEX ix_recorded_series_device_id ON recorded_series (device_id);

-- 0 is no limit, and no offset. Only groups of files have them.
ALTER TABLE alert_rules
    ADD COLUMN series_limit integer NOT NULL DEFAULT 0,
    ADD COLUMN query_offset_ms integer NOT NULL DEFAULT 0;
-- Why which rules of a unit failed, by their IDs.
ALTER TABLE alert_evaluations ADD COLUMN failures jsonb NOT NULL DEFAULT '{}';

DO $$
DECLARE
    target text;
BEGIN
    FOREACH target IN ARRAY ARRAY['recording_rules', 'recorded_series'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', target);
        EXECUTE format('CREATE POLICY whole_fleet ON %I TO fleetkeeper_whole_fleet USING (true) WITH CHECK (true)', target);
        EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %I TO fleetkeeper_app, fleetkeeper_whole_fleet', target);
    END LOOP;
END
$$;
-- They are read by whoever has alerts, and written by whoever acts everywhere.
CREATE POLICY seen ON recording_rules TO fleetkeeper_app USING (true) WITH CHECK ((SELECT acts_everywhere()));
CREATE POLICY seen ON recorded_series TO fleetkeeper_app USING (device_id IN (SELECT id FROM devices))
    WITH CHECK (device_id IN (SELECT id FROM devices));

SELECT audit_table('recording_rules', '{id}', 'name', NULL, '{updated_at,created_at}');
SELECT audit_table('alert_rules', '{id}', 'name', NULL, '{updated_at,created_at,version}');
