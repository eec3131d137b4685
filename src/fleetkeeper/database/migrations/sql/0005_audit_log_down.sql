DO $$
DECLARE
    made record;
BEGIN
    FOR made IN
        SELECT tgname, tgrelid::regclass AS target FROM pg_trigger
        WHERE tgname IN ('audit_insert', 'audit_update', 'audit_delete', 'audit_truncate')
    LOOP
        EXECUTE format('DROP TRIGGER %I ON %s', made.tgname, made.target);
    END LOOP;
    FOR made IN
        SELECT oid::regprocedure AS name FROM pg_proc
        WHERE pronamespace = 'public'::regnamespace AND proname LIKE 'audit\_%' AND prorettype = 'trigger'::regtype
    LOOP
        EXECUTE format('DROP FUNCTION %s', made.name);
    END LOOP;
END
$$;
DROP VIEW audit_logs;
DROP FUNCTION audit_table(text, text[], text, text, text[], text[]);
DROP FUNCTION record_audit_event(text, text, text, text, uuid, jsonb);
DROP FUNCTION current_audit_context();
DROP TYPE audit_context;
DROP FUNCTION manage_audit_partitions();
DROP FUNCTION create_audit_partition(date);
DROP FUNCTION drop_archived_audit_month(date);
DROP FUNCTION audit_transactions_over();
DROP FUNCTION begin_audit_epoch();
