-- Wide arrays hardly compress, and trying costs processor time on every insert.
ALTER TABLE frames ALTER COLUMN "values" SET STORAGE EXTERNAL;
ALTER TABLE latest ALTER COLUMN "values" SET STORAGE EXTERNAL;

-- Lists join each device with its vital signs; the row comes with the device.
CREATE FUNCTION make_device_vitals() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO device_vitals (device_id) VALUES (NEW.id);
    RETURN NULL;
END
$$;
CREATE TRIGGER make_device_vitals AFTER INSERT ON devices FOR EACH ROW EXECUTE FUNCTION make_device_vitals();

INSERT INTO archive_policy (id) VALUES (1);
ALTER TABLE archive_policy ADD CONSTRAINT ck_archive_policy_retention_days CHECK (retention_days BETWEEN 1 AND 3650);

-- Document 000's function: one day (UTC) of every partitioned telemetry table. Safe to call again, and from many
-- sessions at once. The partition is made apart and then attached, which does not block readers and writers.
CREATE FUNCTION create_telemetry_partition(start_date date, end_date date) RETURNS void
LANGUAGE plpgsql SET timezone = 'UTC' AS $$
DECLARE
    parent text;
    partition text;
BEGIN
    IF end_date <= start_date THEN
        RAISE EXCEPTION 'end_date (%) must lie after start_date (%)', end_date, start_date;
    END IF;
    PERFORM pg_advisory_xact_lock(hashtext('fleetkeeper.partitions'));
    FOREACH parent IN ARRAY ARRAY['frames', 'process_snapshots'] LOOP
        partition := parent || '_' || to_char(start_date, 'YYYY_MM_DD');
        CONTINUE WHEN to_regclass(quote_ident(partition)) IS NOT NULL;
        EXECUTE format('CREATE TABLE %I (LIKE %I INCLUDING DEFAULTS INCLUDING STORAGE INCLUDING INDEXES)',
                       partition, parent);
        -- The check lets ATTACH skip its scan.
        EXECUTE format('ALTER TABLE %I ADD CONSTRAINT bounds CHECK (ts >= %L AND ts < %L)',
                       partition, start_date::timestamptz, end_date::timestamptz);
        EXECUTE format('ALTER TABLE %I ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)',
                       parent, partition, start_date::timestamptz, end_date::timestamptz);
        EXECUTE format('ALTER TABLE %I DROP CONSTRAINT bounds', partition);
    END LOOP;
END
$$;

-- Document 000's function: today and the six days after it are made, and whole days past the retention are dropped
-- where the policy says so.
CREATE FUNCTION manage_telemetry_partitions() RETURNS void
LANGUAGE plpgsql SET timezone = 'UTC' AS $$
DECLARE
    policy archive_policy%ROWTYPE;
    old record;
BEGIN
    FOR day IN 0..7 LOOP
        PERFORM create_telemetry_partition(CURRENT_DATE + day, CURRENT_DATE + day + 1);
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
        WHERE parent.relname IN ('frames', 'process_snapshots')
          AND child.relname ~ '_\d{4}_\d{2}_\d{2}$'
          AND to_date(right(child.relname, 10), 'YYYY_MM_DD') < CURRENT_DATE - policy.retention_days
    LOOP
        EXECUTE format('DROP TABLE %I', old.name);
    END LOOP;
    UPDATE archive_policy SET last_archive_run = now() WHERE id = policy.id;
END
$$;

SELECT manage_telemetry_partitions();
