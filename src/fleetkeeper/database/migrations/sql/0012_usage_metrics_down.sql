DROP VIEW usage_metrics;
DROP FUNCTION counter_mb_per_second(uuid, timestamptz, integer, integer, integer, double precision);
DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_proc p WHERE p.oid = to_regprocedure('time_bucket(interval, timestamptz)')
               AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = p.oid AND d.deptype = 'e')) THEN
        DROP FUNCTION time_bucket(interval, timestamptz);
    END IF;
END
$$;
