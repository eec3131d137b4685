-- Since when some web process has taken telemetry without a pause, and when one did last. One row.
CREATE TABLE telemetry_doors (
    id smallint NOT NULL DEFAULT 1 CONSTRAINT pk_telemetry_doors PRIMARY KEY CONSTRAINT ck_telemetry_doors_id CHECK (id = 1),
    open_since timestamptz NOT NULL,
    open_until timestamptz NOT NULL
);
ALTER TABLE telemetry_doors ENABLE ROW LEVEL SECURITY;
CREATE POLICY everybody ON telemetry_doors TO fleetkeeper_app, fleetkeeper_whole_fleet USING (true) WITH CHECK (true);
GRANT SELECT, INSERT, UPDATE, DELETE ON telemetry_doors TO fleetkeeper_app, fleetkeeper_whole_fleet;
