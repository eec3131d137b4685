-- What a reader's login could stop the product with: locks by the product's own names, and what fills a disk. Only a
-- superuser can take that from everybody; without one, making a reader says what has to be run.
CREATE FUNCTION functions_kept_from_readers() RETURNS SETOF regprocedure
LANGUAGE sql STABLE SET search_path = pg_catalog AS $$
    SELECT oid::regprocedure FROM pg_proc
    WHERE pronamespace = 'pg_catalog'::regnamespace
      AND (proname ~ '^pg_(try_)?advisory_' OR proname IN ('lo_creat', 'lo_create', 'lo_from_bytea', 'lo_put', 'lowrite'))
$$;

-- As statements, which somebody else may have to run in this database.
CREATE FUNCTION limits_of_readers() RETURNS SETOF text LANGUAGE sql STABLE SET search_path = pg_catalog, public AS $$
    SELECT format(statement, (SELECT string_agg(f::text, ', ' ORDER BY f::text) FROM functions_kept_from_readers() AS f))
    FROM (VALUES
        ('REVOKE EXECUTE ON FUNCTION %s FROM PUBLIC'),
        ('GRANT EXECUTE ON FUNCTION %s TO fleetkeeper_app, fleetkeeper_whole_fleet, '
         || quote_ident(pg_get_userbyid((SELECT relowner FROM pg_class WHERE oid = 'public.devices'::regclass))))
    ) AS s (statement)
$$;

CREATE FUNCTION are_readers_limited() RETURNS boolean LANGUAGE sql STABLE SET search_path = pg_catalog, public AS $$
    SELECT NOT bool_or(has_function_privilege('data_collector', f, 'EXECUTE')) FROM functions_kept_from_readers() AS f
$$;

DO $$
DECLARE
    statement text;
BEGIN
    EXECUTE format('REVOKE TEMPORARY ON DATABASE %I FROM PUBLIC', current_database());
    EXECUTE format('GRANT TEMPORARY ON DATABASE %I TO fleetkeeper_app, fleetkeeper_whole_fleet', current_database());
    IF (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) THEN
        FOR statement IN SELECT * FROM limits_of_readers() LOOP
            EXECUTE statement;
        END LOOP;
        -- Readers may take all ordinary connections; some are kept for the product.
        GRANT pg_use_reserved_connections TO fleetkeeper_app, fleetkeeper_whole_fleet;
    END IF;
END
$$;

-- Ends transactions of readers that are too old: whatever is open in one can be neither dropped nor cleaned up.
CREATE FUNCTION end_long_readers(longest interval) RETURNS integer
LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT count(*) FILTER (WHERE pg_terminate_backend(a.pid))
    FROM pg_stat_activity a JOIN database_readers r ON r.login = a.usename
    WHERE a.datname = current_database() AND a.xact_start < clock_timestamp() - longest
$$;
REVOKE EXECUTE ON FUNCTION end_long_readers(interval), limits_of_readers(), functions_kept_from_readers(),
    are_readers_limited() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION end_long_readers(interval) TO fleetkeeper_app, fleetkeeper_whole_fleet;

GRANT SELECT (role, is_active, oauth_provider) ON users TO dashboard_readonly, analyst;
