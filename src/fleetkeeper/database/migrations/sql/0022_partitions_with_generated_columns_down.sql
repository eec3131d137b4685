DO $$
BEGIN
    EXECUTE replace(pg_get_functiondef('create_telemetry_partition(date, date)'::regprocedure),
                    'INCLUDING DEFAULTS INCLUDING GENERATED INCLUDING STORAGE', 'INCLUDING DEFAULTS INCLUDING STORAGE');
END
$$;
