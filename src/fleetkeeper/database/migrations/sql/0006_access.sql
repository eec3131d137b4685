-- Roles belong to the whole cluster, so another database of it may have made them already.
--   fleetkeeper_app          what the application connects as; without settings it sees no device at all
--   fleetkeeper_whole_fleet  what it becomes in a transaction that no department limits
--   the other three          document 002's, for logins that `fleetkeeper db grant` makes
DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['fleetkeeper_app', 'fleetkeeper_whole_fleet',
                                'data_collector', 'dashboard_readonly', 'analyst'] LOOP
        CONTINUE WHEN to_regrole(name) IS NOT NULL;
        BEGIN
            EXECUTE format('CREATE ROLE %I NOLOGIN', name);
        EXCEPTION WHEN duplicate_object OR unique_violation THEN
            NULL;
        END;
    END LOOP;
    IF NOT pg_has_role('fleetkeeper_app', 'fleetkeeper_whole_fleet', 'SET') THEN
        -- It may become the other one, and has nothing of it before.
        GRANT fleetkeeper_whole_fleet TO fleetkeeper_app WITH INHERIT FALSE, SET TRUE;
    END IF;
END
$$;

REVOKE CREATE ON SCHEMA public FROM PUBLIC;
GRANT USAGE ON SCHEMA public TO fleetkeeper_app, fleetkeeper_whole_fleet, data_collector, dashboard_readonly, analyst;

GRANT SELECT, INSERT, UPDATE, DELETE ON
    agents, api_tokens, archive_policy, config, database_readers, departments, device_identities, device_keys,
    device_layouts, device_sources, device_vitals, devices, enrollment_tokens, group_members, groups,
    identity_providers, known_browsers, latest, memberships, oidc_flows, passkeys, recovery_codes, role_permissions,
    roles, sessions, sign_in_challenges, sign_in_failures, totp_devices, user_identities, user_sessions, users,
    procrastinate_events, procrastinate_jobs, procrastinate_periodic_defers, procrastinate_workers
TO fleetkeeper_app, fleetkeeper_whole_fleet;
GRANT SELECT, INSERT ON
    audit_seals, channels, frames, installation, layout_channels, layouts, metrics, process_snapshots
TO fleetkeeper_app, fleetkeeper_whole_fleet;
GRANT UPDATE ON channels, layouts, metrics TO fleetkeeper_app, fleetkeeper_whole_fleet;
GRANT SELECT, INSERT ON audit_archives TO fleetkeeper_app, fleetkeeper_whole_fleet;
GRANT UPDATE (removed_at, signature) ON audit_archives TO fleetkeeper_app, fleetkeeper_whole_fleet;
-- Entries come by triggers and by record_audit_event() alone, which stamp them with who acts.
GRANT SELECT ON
    alembic_version, audit_epochs, audit_log, audit_logs, metrics_snapshot, snapshot_fields, telemetry, user_departments, user_roles
TO fleetkeeper_app, fleetkeeper_whole_fleet;
GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO fleetkeeper_app, fleetkeeper_whole_fleet;

-- The application makes partitions by these functions, and owns none.
ALTER FUNCTION make_device_vitals() SECURITY DEFINER SET search_path = public, pg_temp;
ALTER FUNCTION manage_telemetry_partitions() SECURITY DEFINER SET search_path = public, pg_temp;
CREATE OR REPLACE FUNCTION create_telemetry_partition(start_date date, end_date date) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp SET timezone = 'UTC' AS $$
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
        -- COPY is not for tables with row security, so the writer copies into the day itself. Nobody reads there.
        EXECUTE format('GRANT INSERT ON %I TO fleetkeeper_whole_fleet', partition);
    END LOOP;
END
$$;
DO $$
DECLARE
    partition regclass;
BEGIN
    FOR partition IN SELECT inhrelid FROM pg_inherits
                     WHERE inhparent IN ('frames'::regclass, 'process_snapshots'::regclass) LOOP
        EXECUTE format('GRANT INSERT ON %s TO fleetkeeper_whole_fleet', partition);
    END LOOP;
END
$$;
REVOKE EXECUTE ON FUNCTION create_telemetry_partition(date, date), manage_telemetry_partitions(),
    create_audit_partition(date), manage_audit_partitions(), drop_archived_audit_month(date),
    record_audit_event(text, text, text, text, uuid, jsonb), begin_audit_epoch(),
    audit_table(text, text[], text, text, text[], text[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION create_telemetry_partition(date, date), manage_telemetry_partitions(),
    create_audit_partition(date), manage_audit_partitions(), drop_archived_audit_month(date),
    record_audit_event(text, text, text, text, uuid, jsonb) TO fleetkeeper_app, fleetkeeper_whole_fleet;

-- Departments as the transaction's settings say. Without them there are none.
CREATE FUNCTION visible_departments() RETURNS uuid[] LANGUAGE sql STABLE AS $$
    SELECT string_to_array(nullif(current_setting('fleetkeeper.departments', true), ''), ',')::uuid[]
$$;
CREATE FUNCTION changeable_departments() RETURNS uuid[] LANGUAGE sql STABLE AS $$
    SELECT string_to_array(nullif(current_setting('fleetkeeper.changeable_departments', true), ''), ',')::uuid[]
$$;

-- What a login of `fleetkeeper db grant` may see. It goes by who logged in, so no setting can widen it.
CREATE FUNCTION reader_sees_all() RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT EXISTS (SELECT FROM database_readers WHERE login = session_user AND sees_all)
$$;
CREATE FUNCTION reader_departments() RETURNS uuid[]
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    WITH RECURSIVE below AS (
        SELECT department_id AS id FROM database_readers WHERE login = session_user AND department_id IS NOT NULL AND NOT sees_all
        UNION
        SELECT d.id FROM departments d JOIN below ON d.parent_id = below.id
    )
    SELECT array_agg(id) FROM below
$$;
CREATE FUNCTION reader_sees_device(device uuid) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT EXISTS (SELECT FROM devices WHERE id = device
                   AND (reader_sees_all() OR department_id = ANY (reader_departments())))
$$;

ALTER TABLE devices ENABLE ROW LEVEL SECURITY;
CREATE POLICY whole_fleet ON devices TO fleetkeeper_whole_fleet USING (true) WITH CHECK (true);
CREATE POLICY department_read ON devices FOR SELECT TO fleetkeeper_app
    USING (department_id = ANY ((SELECT visible_departments())::uuid[]));
CREATE POLICY department_insert ON devices FOR INSERT TO fleetkeeper_app
    WITH CHECK (department_id = ANY ((SELECT changeable_departments())::uuid[]));
CREATE POLICY department_update ON devices FOR UPDATE TO fleetkeeper_app
    USING (department_id = ANY ((SELECT changeable_departments())::uuid[]))
    WITH CHECK (department_id = ANY ((SELECT changeable_departments())::uuid[]));
CREATE POLICY department_delete ON devices FOR DELETE TO fleetkeeper_app
    USING (department_id = ANY ((SELECT changeable_departments())::uuid[]));
CREATE POLICY reader ON devices FOR SELECT TO dashboard_readonly, analyst
    USING ((SELECT reader_sees_all()) OR department_id = ANY ((SELECT reader_departments())::uuid[]));

-- What hangs off a device is seen with it.
DO $$
DECLARE
    target text;
BEGIN
    FOREACH target IN ARRAY ARRAY['agents', 'device_identities', 'device_keys', 'device_layouts', 'device_sources',
                                  'device_vitals', 'frames', 'latest', 'process_snapshots', 'user_sessions'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', target);
        EXECUTE format('CREATE POLICY whole_fleet ON %I TO fleetkeeper_whole_fleet USING (true) WITH CHECK (true)',
                       target);
        EXECUTE format('CREATE POLICY device_read ON %I FOR SELECT TO fleetkeeper_app, dashboard_readonly, analyst '
                       'USING (device_id IN (SELECT id FROM devices))', target);
        EXECUTE format('CREATE POLICY device_insert ON %I FOR INSERT TO fleetkeeper_app WITH CHECK '
                       '(device_id IN (SELECT id FROM devices WHERE department_id = ANY (changeable_departments())))',
                       target);
        EXECUTE format('CREATE POLICY device_update ON %I FOR UPDATE TO fleetkeeper_app USING '
                       '(device_id IN (SELECT id FROM devices WHERE department_id = ANY (changeable_departments())))',
                       target);
        EXECUTE format('CREATE POLICY device_delete ON %I FOR DELETE TO fleetkeeper_app USING '
                       '(device_id IN (SELECT id FROM devices WHERE department_id = ANY (changeable_departments())))',
                       target);
    END LOOP;
END
$$;
CREATE POLICY collector_insert ON user_sessions FOR INSERT TO data_collector
    WITH CHECK (reader_sees_device(device_id));

-- People: a reader who sees one department sees it with those below, and nobody's account. A login that is no reader
-- here, because another database of this server made it one, sees nothing.
DO $$
DECLARE
    target text;
BEGIN
    FOREACH target IN ARRAY ARRAY['departments', 'group_members', 'groups', 'memberships', 'users'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', target);
        EXECUTE format('CREATE POLICY application ON %I TO fleetkeeper_app, fleetkeeper_whole_fleet '
                       'USING (true) WITH CHECK (true)', target);
        EXECUTE format('CREATE POLICY reader ON %I FOR SELECT TO dashboard_readonly, analyst '
                       'USING ((SELECT reader_sees_all()))', target);
    END LOOP;
END
$$;
CREATE POLICY reader_below ON departments FOR SELECT TO dashboard_readonly, analyst
    USING (id = ANY ((SELECT reader_departments())::uuid[]));

-- The audit log: one's own acts, and what was done to devices that one sees.
ALTER TABLE audit_log ENABLE ROW LEVEL SECURITY;
CREATE POLICY whole_fleet ON audit_log FOR SELECT TO fleetkeeper_whole_fleet USING (true);
CREATE POLICY own_and_devices ON audit_log FOR SELECT TO fleetkeeper_app USING (
    user_id = (SELECT (nullif(current_setting('fleetkeeper.audit', true), '')::jsonb ->> 'user')::uuid)
    OR device_id IN (SELECT id FROM devices)
);

-- Views show no more than their reader may see in the tables.
ALTER VIEW telemetry SET (security_invoker = true);
ALTER VIEW metrics_snapshot SET (security_invoker = true);

-- Document 002's master table. A collector that may insert needs to know the machines, and nothing else of them.
CREATE VIEW systems WITH (security_barrier = true) AS
SELECT d.id AS system_id, d.hostname, d.fqdn, d.cpu_model, d.cpu_cores, d.cpu_threads,
       round(d.memory_total_bytes / 1073741824.0, 2) AS ram_total_gb, d.gpu_models ->> 0 AS gpu_model,
       jsonb_array_length(d.gpu_models) AS gpu_count, d.os_name, d.os_version, d.location, d.department_id,
       CASE WHEN d.lifecycle IN ('maintenance', 'retired') THEN d.lifecycle
            WHEN d.status = 'online' THEN 'active' ELSE 'offline' END AS status,
       d.first_seen, d.last_seen, d.created_at, d.updated_at
FROM devices d
WHERE reader_sees_all() OR d.department_id = ANY (reader_departments())
   OR pg_has_role(session_user, (SELECT relowner FROM pg_class WHERE oid = 'devices'::regclass), 'USAGE');

-- Document 002: INSERT on user_sessions and SELECT on systems for collectors, SELECT on everything for dashboards,
-- and functions besides for analysts. What holds a credential, and the audit log, is left out of "everything".
GRANT SELECT ON systems TO data_collector, dashboard_readonly, analyst;
GRANT INSERT ON user_sessions TO data_collector;
GRANT SELECT ON
    agents, archive_policy, channels, config, departments, device_identities, device_layouts, device_sources,
    device_vitals, devices, frames, group_members, groups, latest, layout_channels, layouts, memberships, metrics,
    metrics_snapshot, process_snapshots, role_permissions, roles, snapshot_fields, telemetry, user_departments,
    user_roles, user_sessions
TO dashboard_readonly, analyst;
GRANT SELECT (id, username, email, name, enabled, last_login, source, created_at, updated_at) ON users
TO dashboard_readonly, analyst;
