-- The hours of document 002, for SQL: the roll-up writes them in the transaction of the rollups that they are part of, so
-- they cover what is sealed and archived, and go when those go.
CREATE TABLE hourly_statistics (
    device_id uuid NOT NULL,
    hour timestamptz NOT NULL,
    cpu_samples integer NOT NULL,
    cpu_avg double precision,
    cpu_max double precision,
    cpu_p95 double precision,
    ram_samples integer NOT NULL,
    ram_avg double precision,
    ram_max double precision,
    ram_p95 double precision,
    CONSTRAINT pk_hourly_statistics PRIMARY KEY (device_id, hour)
);
CREATE INDEX ix_hourly_statistics_hour ON hourly_statistics (hour);

ALTER TABLE hourly_statistics ENABLE ROW LEVEL SECURITY;
CREATE POLICY whole_fleet ON hourly_statistics TO fleetkeeper_whole_fleet USING (true) WITH CHECK (true);
CREATE POLICY device_read ON hourly_statistics FOR SELECT TO fleetkeeper_app, dashboard_readonly, analyst
    USING (device_id IN (SELECT id FROM devices));
GRANT SELECT ON hourly_statistics TO fleetkeeper_app, dashboard_readonly, analyst;
GRANT SELECT, INSERT, UPDATE, DELETE ON hourly_statistics TO fleetkeeper_whole_fleet;

-- The columns that the document's own statement has, by PostgreSQL's names for them, and then by the names of its summaries.
CREATE VIEW hourly_performance_stats WITH (security_invoker = true) AS
SELECT
    hour AS time_bucket,
    device_id AS system_id,
    cpu_avg AS avg,
    cpu_max AS max,
    cpu_p95 AS percentile_cont,
    cpu_samples AS sample_count,
    cpu_avg AS avg_cpu_percent,
    cpu_max AS max_cpu_percent,
    cpu_p95 AS p95_cpu_percent,
    ram_avg AS avg_ram_percent,
    ram_max AS max_ram_percent,
    ram_p95 AS p95_ram_percent
FROM hourly_statistics;
COMMENT ON VIEW hourly_performance_stats IS
'Document 002''s continuous aggregate: an hour of a device a row, as soon as it is sealed, in whatever tier its samples lie.';
GRANT SELECT ON hourly_performance_stats TO fleetkeeper_app, fleetkeeper_whole_fleet, dashboard_readonly, analyst;

-- Hours that were summed up before are spread out by the next roll-up.
INSERT INTO rollup_changes (device_id, day)
SELECT device_id, (start AT TIME ZONE 'UTC')::date FROM rollups WHERE tier = 1 ON CONFLICT DO NOTHING;
