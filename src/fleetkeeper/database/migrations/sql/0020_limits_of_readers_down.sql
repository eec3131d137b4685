REVOKE SELECT (role, is_active, oauth_provider) ON users FROM dashboard_readonly, analyst;
DO $$
DECLARE
    one regprocedure;
BEGIN
    EXECUTE format('GRANT TEMPORARY ON DATABASE %I TO PUBLIC', current_database());
    EXECUTE format('REVOKE TEMPORARY ON DATABASE %I FROM fleetkeeper_app, fleetkeeper_whole_fleet', current_database());
    IF (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) THEN
        FOR one IN SELECT * FROM functions_kept_from_readers() LOOP
            EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO PUBLIC', one);
            EXECUTE format('REVOKE EXECUTE ON FUNCTION %s FROM fleetkeeper_app, fleetkeeper_whole_fleet', one);
        END LOOP;
        REVOKE pg_use_reserved_connections FROM fleetkeeper_app, fleetkeeper_whole_fleet;
    END IF;
END
$$;
DROP FUNCTION end_long_readers(interval), limits_of_readers(), are_readers_limited(), functions_kept_from_readers();
