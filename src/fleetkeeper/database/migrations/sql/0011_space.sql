-- What telemetry costs. Each measurement counts a tier (hot, sealed, rollups, archive) as a whole and shares its bytes,
-- indexes and empty pages included, among groups of metrics and among devices, so that each of the sums is the same.
CREATE TABLE space_totals (
    measured_at timestamptz NOT NULL,
    tier varchar(10) NOT NULL,
    samples bigint NOT NULL,
    size_bytes bigint NOT NULL,
    CONSTRAINT pk_space_totals PRIMARY KEY (measured_at, tier)
);
CREATE TABLE space_groups (
    measured_at timestamptz NOT NULL,
    tier varchar(10) NOT NULL,
    metric_type varchar(50) NOT NULL,
    samples bigint NOT NULL,
    size_bytes bigint NOT NULL,
    CONSTRAINT pk_space_groups PRIMARY KEY (measured_at, tier, metric_type)
);
-- Of the newest measurement only.
CREATE TABLE space_devices (
    device_id uuid NOT NULL,
    tier varchar(10) NOT NULL,
    samples bigint NOT NULL,
    size_bytes bigint NOT NULL,
    CONSTRAINT pk_space_devices PRIMARY KEY (device_id, tier)
);
CREATE TABLE space_channels (
    device_id uuid NOT NULL,
    channels integer NOT NULL,
    CONSTRAINT pk_space_channels PRIMARY KEY (device_id)
);
-- What arrived, minute by minute, of all web processes: each adds what it counted. `number` is of samples; of whole
-- requests where they were refused.
CREATE TABLE intake_minutes (
    minute timestamptz NOT NULL,
    protocol varchar(20) NOT NULL,
    outcome varchar(10) NOT NULL,
    reason varchar(80) NOT NULL,
    number bigint NOT NULL,
    CONSTRAINT pk_intake_minutes PRIMARY KEY (minute, protocol, outcome, reason),
    CONSTRAINT ck_intake_minutes_outcome CHECK (outcome IN ('accepted', 'duplicate', 'rejected', 'refused'))
);

-- When a channel was first seen; those from before this are NULL.
ALTER TABLE channels ADD COLUMN first_seen timestamptz;
ALTER TABLE channels ALTER COLUMN first_seen SET DEFAULT now();
CREATE INDEX ix_channels_first_seen ON channels (first_seen);
-- How many rows of a part belong to each of its metric groups, in their order; empty for parts from before this.
ALTER TABLE archive_parts ADD COLUMN group_rows bigint[] DEFAULT '{}' NOT NULL;

DO $$
DECLARE
    target text;
BEGIN
    FOREACH target IN ARRAY ARRAY['space_devices', 'space_channels'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', target);
        EXECUTE format('CREATE POLICY whole_fleet ON %I TO fleetkeeper_whole_fleet USING (true) WITH CHECK (true)',
                       target);
        EXECUTE format('CREATE POLICY device_read ON %I FOR SELECT TO fleetkeeper_app '
                       'USING (device_id IN (SELECT id FROM devices))', target);
    END LOOP;
END
$$;
GRANT SELECT ON space_totals, space_groups, space_devices, space_channels, intake_minutes TO fleetkeeper_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON space_totals, space_groups, space_devices, space_channels, intake_minutes
    TO fleetkeeper_whole_fleet;
