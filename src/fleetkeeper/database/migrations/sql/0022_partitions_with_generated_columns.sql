-- A partition has a generated column as its parent has it, or it cannot be attached.
DO $$
BEGIN
    EXECUTE replace(pg_get_functiondef('create_telemetry_partition(date, date)'::regprocedure),
                    'INCLUDING DEFAULTS INCLUDING STORAGE', 'INCLUDING DEFAULTS INCLUDING GENERATED INCLUDING STORAGE');
END
$$;
