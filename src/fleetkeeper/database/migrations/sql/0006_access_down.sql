DROP VIEW systems;
DO $$
DECLARE
    made record;
BEGIN
    FOR made IN SELECT polname, polrelid::regclass AS target FROM pg_policy LOOP
        EXECUTE format('DROP POLICY %I ON %s', made.polname, made.target);
        EXECUTE format('ALTER TABLE %s DISABLE ROW LEVEL SECURITY', made.target);
    END LOOP;
END
$$;
DROP FUNCTION reader_sees_device(uuid), reader_departments(), reader_sees_all(), changeable_departments(),
    visible_departments();
ALTER VIEW telemetry RESET (security_invoker);
ALTER VIEW metrics_snapshot RESET (security_invoker);
ALTER FUNCTION make_device_vitals() SECURITY INVOKER RESET search_path;
ALTER FUNCTION manage_telemetry_partitions() SECURITY INVOKER RESET search_path;
ALTER FUNCTION create_telemetry_partition(date, date) SECURITY INVOKER RESET search_path;
-- The roles stay, as other databases of the cluster may use them; they keep no right here.
REVOKE ALL ON ALL TABLES IN SCHEMA public
    FROM fleetkeeper_app, fleetkeeper_whole_fleet, data_collector, dashboard_readonly, analyst;
REVOKE ALL ON ALL SEQUENCES IN SCHEMA public FROM fleetkeeper_app, fleetkeeper_whole_fleet;
REVOKE ALL ON ALL FUNCTIONS IN SCHEMA public FROM fleetkeeper_app, fleetkeeper_whole_fleet;
REVOKE ALL ON SCHEMA public
    FROM fleetkeeper_app, fleetkeeper_whole_fleet, data_collector, dashboard_readonly, analyst;
