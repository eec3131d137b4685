-- Policies: document 004's row and as many more as are wanted, each for some devices and some metrics.
--   retention_days         raw samples go at this age, where archive_enabled says that anything goes at all
--   archive_after_days     raw samples move from the database into files at this age
--   downsample_after_days  raw samples go at this age, where downsample_enabled says so, and rollups stay
--   *_rollup_days          rollups go at this age; NULL is never
ALTER TABLE archive_policy
    ADD COLUMN name varchar(100) DEFAULT '' NOT NULL,
    ADD COLUMN priority integer DEFAULT 0 NOT NULL,
    ADD COLUMN metric_group varchar(50),
    ADD COLUMN device_type varchar(50),
    ADD COLUMN department_id uuid,
    ADD COLUMN archive_after_days integer,
    ADD COLUMN downsample_enabled boolean DEFAULT false NOT NULL,
    ADD COLUMN hour_rollup_days integer,
    ADD COLUMN day_rollup_days integer,
    ADD COLUMN week_rollup_days integer,
    ADD COLUMN month_rollup_days integer,
    ADD CONSTRAINT fk_archive_policy_department_id_departments
        FOREIGN KEY (department_id) REFERENCES departments (id) ON DELETE CASCADE,
    ADD CONSTRAINT ck_archive_policy_days CHECK (
        archive_after_days BETWEEN 1 AND 36500 AND downsample_after_days BETWEEN 1 AND 36500
        AND hour_rollup_days BETWEEN 1 AND 36500 AND day_rollup_days BETWEEN 1 AND 36500
        AND week_rollup_days BETWEEN 1 AND 36500 AND month_rollup_days BETWEEN 1 AND 36500);
UPDATE archive_policy SET name = 'Everything else' WHERE id = (SELECT min(id) FROM archive_policy);
-- The first row came with its number, which the sequence did not know.
SELECT setval(pg_get_serial_sequence('archive_policy', 'id'), (SELECT max(id) FROM archive_policy));

-- Parquet files of old telemetry. A file counts while its state is `live`; the others are on their way in or out.
CREATE TABLE archive_files (
    id uuid NOT NULL,
    day date NOT NULL,
    store varchar(10) NOT NULL,
    path varchar(200) NOT NULL,
    state varchar(10) NOT NULL,
    first_device uuid,
    last_device uuid,
    devices integer DEFAULT 0 NOT NULL,
    channel_ids integer[] DEFAULT '{}' NOT NULL,
    rows bigint DEFAULT 0 NOT NULL,
    size_bytes bigint DEFAULT 0 NOT NULL,
    sha256 bytea,
    made_at timestamptz DEFAULT now() NOT NULL,
    removed_at timestamptz,
    checked_at timestamptz,
    problem text DEFAULT '' NOT NULL,
    CONSTRAINT pk_archive_files PRIMARY KEY (id),
    CONSTRAINT uq_archive_files_path UNIQUE (path),
    CONSTRAINT ck_archive_files_state CHECK (state IN ('writing', 'live', 'gone'))
);
CREATE INDEX ix_archive_files_day ON archive_files (day, id);
CREATE INDEX ix_archive_files_pending ON archive_files (id) WHERE state <> 'live';

-- Where in a file the rows of a device are.
CREATE TABLE archive_parts (
    device_id uuid NOT NULL,
    day date NOT NULL,
    file_id uuid NOT NULL,
    first_row bigint NOT NULL,
    rows bigint NOT NULL,
    first_group integer NOT NULL,
    last_group integer NOT NULL,
    metric_groups varchar(50)[] DEFAULT '{}' NOT NULL,
    CONSTRAINT pk_archive_parts PRIMARY KEY (device_id, day, file_id)
);
CREATE INDEX ix_archive_parts_file ON archive_parts (file_id);

-- Until which day raw samples of a device were removed, by metric group: rollups before it are final.
CREATE TABLE raw_removed (
    device_id uuid NOT NULL,
    metric_group varchar(50) NOT NULL,
    until date NOT NULL,
    CONSTRAINT pk_raw_removed PRIMARY KEY (device_id, metric_group)
);

CREATE TABLE archive_runs (
    id uuid NOT NULL,
    state varchar(10) DEFAULT 'waiting' NOT NULL,
    requested_by varchar(255) DEFAULT '' NOT NULL,
    requested_at timestamptz DEFAULT now() NOT NULL,
    started_at timestamptz,
    finished_at timestamptz,
    outcome jsonb DEFAULT '{}' NOT NULL,
    errors jsonb DEFAULT '[]' NOT NULL,
    CONSTRAINT pk_archive_runs PRIMARY KEY (id),
    CONSTRAINT ck_archive_runs_state CHECK (state IN ('waiting', 'running', 'done', 'failed'))
);
CREATE INDEX ix_archive_runs_requested_at ON archive_runs (requested_at, id);

CREATE TABLE telemetry_deletions (
    id uuid NOT NULL,
    device_id uuid NOT NULL,
    device_name varchar(255) DEFAULT '' NOT NULL,
    metric varchar(200),
    first_day date,
    last_day date,
    state varchar(10) DEFAULT 'waiting' NOT NULL,
    step varchar(20) DEFAULT '' NOT NULL,
    requested_by varchar(255) DEFAULT '' NOT NULL,
    reason varchar(500) DEFAULT '' NOT NULL,
    requested_at timestamptz DEFAULT now() NOT NULL,
    finished_at timestamptz,
    outcome jsonb DEFAULT '{}' NOT NULL,
    problem text DEFAULT '' NOT NULL,
    CONSTRAINT pk_telemetry_deletions PRIMARY KEY (id),
    CONSTRAINT ck_telemetry_deletions_state CHECK (state IN ('waiting', 'running', 'done', 'failed'))
);
CREATE INDEX ix_telemetry_deletions_requested_at ON telemetry_deletions (requested_at, id);

DO $$
DECLARE
    target text;
BEGIN
    FOREACH target IN ARRAY ARRAY['archive_parts', 'raw_removed', 'telemetry_deletions'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', target);
        EXECUTE format('CREATE POLICY whole_fleet ON %I TO fleetkeeper_whole_fleet USING (true) WITH CHECK (true)',
                       target);
        EXECUTE format('CREATE POLICY device_read ON %I FOR SELECT TO fleetkeeper_app '
                       'USING (device_id IN (SELECT id FROM devices))', target);
    END LOOP;
END
$$;
CREATE POLICY device_insert ON telemetry_deletions FOR INSERT TO fleetkeeper_app WITH CHECK
    (device_id IN (SELECT id FROM devices WHERE department_id = ANY (changeable_departments())));
GRANT SELECT, INSERT, UPDATE, DELETE ON archive_files, archive_parts, raw_removed, archive_runs, telemetry_deletions
    TO fleetkeeper_whole_fleet;
GRANT SELECT ON archive_files, archive_parts, raw_removed, archive_runs, telemetry_deletions TO fleetkeeper_app;
GRANT INSERT ON archive_runs, telemetry_deletions TO fleetkeeper_app;
-- A device's data may be deleted on request.
GRANT DELETE ON process_snapshots TO fleetkeeper_whole_fleet;

-- Months of chunks that are over, and empty or (with `everything_before`) past what any policy keeps. A month that
-- somebody reads or writes at the moment is left for later, and so is one with days whose rollups wait.
CREATE FUNCTION drop_chunk_months(everything_before date) RETURNS TABLE (month text, bytes bigint)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp SET timezone = 'UTC' AS $$
DECLARE
    old record;
    is_empty boolean;
BEGIN
    FOR old IN
        SELECT child.relname AS name, to_date(right(child.relname, 7), 'YYYY_MM') AS first_day
        FROM pg_inherits JOIN pg_class child ON child.oid = inhrelid
        WHERE inhparent = 'chunks'::regclass AND child.relname ~ '_\d{4}_\d{2}$'
          AND to_date(right(child.relname, 7), 'YYYY_MM') + interval '1 month' <= CURRENT_DATE
    LOOP
        BEGIN
            CONTINUE WHEN EXISTS (SELECT FROM rollup_changes WHERE day >= old.first_day
                                  AND day < old.first_day + interval '1 month');
            SET LOCAL lock_timeout = '200ms';
            EXECUTE format('LOCK TABLE %I IN ACCESS EXCLUSIVE MODE', old.name);
            EXECUTE format('SELECT NOT EXISTS (SELECT FROM %I)', old.name) INTO is_empty;
            CONTINUE WHEN NOT is_empty AND (everything_before IS NULL
                                            OR old.first_day + interval '1 month' > everything_before);
            month := to_char(old.first_day, 'YYYY-MM');
            bytes := pg_total_relation_size(old.name::regclass);
            EXECUTE format('DROP TABLE %I', old.name);
            RETURN NEXT;
        EXCEPTION WHEN lock_not_available OR undefined_table THEN
            NULL;
        END;
    END LOOP;
END
$$;

-- Days of process lists past their time.
CREATE FUNCTION drop_process_days(before date) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp SET timezone = 'UTC' AS $$
DECLARE
    old record;
    freed bigint := 0;
    size bigint;
BEGIN
    FOR old IN
        SELECT child.relname AS name FROM pg_inherits JOIN pg_class child ON child.oid = inhrelid
        WHERE inhparent = 'process_snapshots'::regclass AND child.relname ~ '_\d{4}_\d{2}_\d{2}$'
          AND to_date(right(child.relname, 10), 'YYYY_MM_DD') < before
    LOOP
        BEGIN
            SET LOCAL lock_timeout = '200ms';
            size := pg_total_relation_size(old.name::regclass);
            EXECUTE format('DROP TABLE %I', old.name);
            freed := freed + size;
        EXCEPTION WHEN lock_not_available OR undefined_table THEN
            NULL;
        END;
    END LOOP;
    RETURN freed;
END
$$;
REVOKE EXECUTE ON FUNCTION drop_chunk_months(date), drop_process_days(date) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION drop_chunk_months(date), drop_process_days(date) TO fleetkeeper_whole_fleet;

-- Document 000's function makes the partitions of the coming week. What goes, and when, is decided by the policies,
-- which the job `telemetry.retain` applies.
CREATE OR REPLACE FUNCTION manage_telemetry_partitions() RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp SET timezone = 'UTC' AS $$
BEGIN
    FOR day IN 0..7 LOOP
        PERFORM create_telemetry_partition(CURRENT_DATE + day, CURRENT_DATE + day + 1);
        PERFORM create_chunk_partition(CURRENT_DATE + day);
    END LOOP;
    PERFORM drop_empty_frame_days();
END
$$;
