-- Frames whose time is over, one compressed series per device, channel and at most a day. Channels up to 0 are the time
-- axes of the others.
CREATE TABLE chunks (
    device_id uuid NOT NULL,
    channel_id integer NOT NULL,
    start timestamptz NOT NULL,
    ends timestamptz NOT NULL,
    axis smallint NOT NULL,
    samples integer NOT NULL,
    min double precision,
    max double precision,
    sum double precision,
    first double precision,
    last double precision,
    blob bytea,
    CONSTRAINT pk_chunks PRIMARY KEY (device_id, channel_id, start)
) PARTITION BY RANGE (start);
ALTER TABLE chunks ALTER COLUMN blob SET STORAGE EXTERNAL;
-- Which times of a device are sealed, and which days have more chunks than they need.
CREATE INDEX ix_chunks_axes ON chunks (start, device_id) WHERE channel_id <= 0;

ALTER TABLE chunks ENABLE ROW LEVEL SECURITY;
CREATE POLICY whole_fleet ON chunks TO fleetkeeper_whole_fleet USING (true) WITH CHECK (true);
CREATE POLICY device_read ON chunks FOR SELECT TO fleetkeeper_app, dashboard_readonly, analyst
    USING (device_id IN (SELECT id FROM devices));
GRANT SELECT ON chunks TO fleetkeeper_app, dashboard_readonly, analyst;
GRANT SELECT, INSERT, DELETE ON chunks TO fleetkeeper_whole_fleet;
-- What is sealed leaves the frames.
GRANT DELETE ON frames TO fleetkeeper_whole_fleet;

-- The same telemetry by hour, day, week and month: a row per device and period, with all channels.
CREATE TABLE rollups (
    device_id uuid NOT NULL,
    tier smallint NOT NULL,
    start timestamptz NOT NULL,
    channel_ids integer[] NOT NULL,
    counts bytea NOT NULL,
    sums bytea NOT NULL,
    mins bytea NOT NULL,
    maxs bytea NOT NULL,
    lasts bytea NOT NULL,
    sketches bytea,
    CONSTRAINT pk_rollups PRIMARY KEY (device_id, tier, start)
);
ALTER TABLE rollups ALTER COLUMN counts SET STORAGE EXTERNAL, ALTER COLUMN sums SET STORAGE EXTERNAL,
    ALTER COLUMN mins SET STORAGE EXTERNAL, ALTER COLUMN maxs SET STORAGE EXTERNAL,
    ALTER COLUMN lasts SET STORAGE EXTERNAL, ALTER COLUMN sketches SET STORAGE EXTERNAL;
ALTER TABLE rollups ENABLE ROW LEVEL SECURITY;
CREATE POLICY whole_fleet ON rollups TO fleetkeeper_whole_fleet USING (true) WITH CHECK (true);
CREATE POLICY device_read ON rollups FOR SELECT TO fleetkeeper_app, dashboard_readonly, analyst
    USING (device_id IN (SELECT id FROM devices));
GRANT SELECT ON rollups TO fleetkeeper_app, dashboard_readonly, analyst;
GRANT SELECT, INSERT, DELETE ON rollups TO fleetkeeper_whole_fleet;

CREATE TABLE rollup_changes (
    device_id uuid NOT NULL,
    day date NOT NULL,
    CONSTRAINT pk_rollup_changes PRIMARY KEY (device_id, day)
);
ALTER TABLE rollup_changes ENABLE ROW LEVEL SECURITY;
CREATE POLICY whole_fleet ON rollup_changes TO fleetkeeper_whole_fleet USING (true) WITH CHECK (true);
CREATE POLICY device_read ON rollup_changes FOR SELECT TO fleetkeeper_app USING (device_id IN (SELECT id FROM devices));
GRANT SELECT ON rollup_changes TO fleetkeeper_app;
GRANT SELECT, INSERT, DELETE ON rollup_changes TO fleetkeeper_whole_fleet;

-- One month (UTC) of chunks. Safe to call again, and from many sessions at once.
CREATE FUNCTION create_chunk_partition(day date) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp SET timezone = 'UTC' AS $$
DECLARE
    first_day date := date_trunc('month', day)::date;
    next_day date := (date_trunc('month', day) + interval '1 month')::date;
    partition text := 'chunks_' || to_char(day, 'YYYY_MM');
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('fleetkeeper.partitions'));
    IF to_regclass(quote_ident(partition)) IS NOT NULL THEN
        RETURN;
    END IF;
    EXECUTE format('CREATE TABLE %I (LIKE chunks INCLUDING DEFAULTS INCLUDING STORAGE INCLUDING INDEXES)', partition);
    EXECUTE format('ALTER TABLE %I ADD CONSTRAINT bounds CHECK (start >= %L AND start < %L)',
                   partition, first_day::timestamptz, next_day::timestamptz);
    EXECUTE format('ALTER TABLE chunks ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)',
                   partition, first_day::timestamptz, next_day::timestamptz);
    EXECUTE format('ALTER TABLE %I DROP CONSTRAINT bounds', partition);
END
$$;

-- Days of frames that are over and empty, all of them being sealed. A day that somebody writes to is left for later.
CREATE FUNCTION drop_empty_frame_days() RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp SET timezone = 'UTC' AS $$
DECLARE
    old record;
    is_empty boolean;
    dropped integer := 0;
BEGIN
    -- One at a time: two that look at a day at once would wait for each other when they drop it.
    IF NOT pg_try_advisory_xact_lock(hashtext('fleetkeeper.drop_empty_frame_days')) THEN
        RETURN 0;
    END IF;
    FOR old IN
        SELECT child.relname AS name FROM pg_inherits
        JOIN pg_class child ON child.oid = inhrelid
        WHERE inhparent = 'frames'::regclass AND child.relname ~ '_\d{4}_\d{2}_\d{2}$'
          AND to_date(right(child.relname, 10), 'YYYY_MM_DD') < CURRENT_DATE - 1
    LOOP
        BEGIN
            EXECUTE format('SELECT NOT EXISTS (SELECT FROM %I)', old.name) INTO is_empty;
            CONTINUE WHEN NOT is_empty;
            SET LOCAL lock_timeout = '200ms';
            EXECUTE format('LOCK TABLE %I IN ACCESS EXCLUSIVE MODE', old.name);
            EXECUTE format('SELECT NOT EXISTS (SELECT FROM %I)', old.name) INTO is_empty;
            CONTINUE WHEN NOT is_empty;
            EXECUTE format('DROP TABLE %I', old.name);
            dropped := dropped + 1;
        EXCEPTION WHEN lock_not_available OR deadlock_detected OR undefined_table THEN
            NULL;
        END;
    END LOOP;
    RETURN dropped;
END
$$;

CREATE OR REPLACE FUNCTION manage_telemetry_partitions() RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp SET timezone = 'UTC' AS $$
DECLARE
    policy archive_policy%ROWTYPE;
    old record;
BEGIN
    FOR day IN 0..7 LOOP
        PERFORM create_telemetry_partition(CURRENT_DATE + day, CURRENT_DATE + day + 1);
        PERFORM create_chunk_partition(CURRENT_DATE + day);
    END LOOP;
    SELECT * INTO policy FROM archive_policy ORDER BY id LIMIT 1;
    IF NOT FOUND OR NOT policy.archive_enabled THEN
        RETURN;
    END IF;
    FOR old IN
        SELECT child.relname AS name
        FROM pg_inherits
        JOIN pg_class child ON child.oid = inhrelid
        JOIN pg_class parent ON parent.oid = inhparent
        WHERE (parent.relname IN ('frames', 'process_snapshots')
               AND child.relname ~ '_\d{4}_\d{2}_\d{2}$'
               AND to_date(right(child.relname, 10), 'YYYY_MM_DD') < CURRENT_DATE - policy.retention_days)
           OR (parent.relname = 'chunks'
               AND child.relname ~ '_\d{4}_\d{2}$'
               AND to_date(right(child.relname, 7), 'YYYY_MM') + interval '1 month'
                   <= CURRENT_DATE - policy.retention_days)
    LOOP
        EXECUTE format('DROP TABLE %I', old.name);
    END LOOP;
    DELETE FROM chunks WHERE ends < CURRENT_DATE - policy.retention_days;
    UPDATE archive_policy SET last_archive_run = now() WHERE id = policy.id;
END
$$;

SELECT create_chunk_partition(CURRENT_DATE);
REVOKE EXECUTE ON FUNCTION create_chunk_partition(date), drop_empty_frame_days() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION create_chunk_partition(date), drop_empty_frame_days()
    TO fleetkeeper_app, fleetkeeper_whole_fleet;
