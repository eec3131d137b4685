SELECT audit_table('archive_policy', '{id}', NULL, NULL,
                   '{last_archive_run,updated_at,archive_after_days,day_rollup_days,department_id,device_type,'
                   'downsample_enabled,hour_rollup_days,metric_group,month_rollup_days,name,priority,week_rollup_days}');
SELECT audit_table('passkeys', '{id}', 'name', NULL, '{last_used_at,sign_count,public_key}', '{credential_id}');
SELECT audit_table('sessions', '{id}', NULL, NULL,
                   '{last_used_at,provider_checked_at,provider_asked_at,confirmed_at}',
                   '{secret_hash,csrf_token,provider_tokens}');
SELECT audit_table('totp_devices', '{id}', NULL, NULL, '{last_step}', '{secret_sealed}');

-- Takes a month out of the log that stands in a file, whole and unchanged. Refuses everything else.
CREATE OR REPLACE FUNCTION drop_archived_audit_month(wanted date) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp SET timezone = 'UTC' SET lock_timeout = '5s' AS $$
DECLARE
    first_day date := date_trunc('month', wanted);
    next_day date := first_day + interval '1 month';
    partition text := 'audit_log_' || to_char(first_day, 'YYYY_MM');
    kept bigint := entries FROM audit_archives WHERE month = first_day AND removed_at IS NULL;
    present bigint;
BEGIN
    IF kept IS NULL THEN
        RAISE EXCEPTION 'the month % of the audit log has no archive', to_char(first_day, 'YYYY-MM');
    END IF;
    IF first_day > date_trunc('month', now()) - interval '2 months' THEN
        RAISE EXCEPTION 'the month % of the audit log is too young to go', to_char(first_day, 'YYYY-MM');
    END IF;
    SELECT count(*) INTO present FROM audit_log WHERE "timestamp" >= first_day AND "timestamp" < next_day;
    IF present <> kept THEN
        RAISE EXCEPTION 'the month % of the audit log has % entries and its archive %',
                        to_char(first_day, 'YYYY-MM'), present, kept;
    END IF;
    EXECUTE format('DROP TABLE IF EXISTS %I', partition);
    DELETE FROM audit_log_default WHERE "timestamp" >= first_day AND "timestamp" < next_day;
    RETURN present;
END
$$;


DROP FUNCTION lock_audit_seals();
DROP POLICY keeper ON audit_log;
-- The role stays, as other databases of the cluster may use it; it keeps no right here.
REVOKE ALL ON alembic_version, audit_archives, audit_epochs, audit_log, audit_seals, config FROM fleetkeeper_audit_keeper;
REVOKE UPDATE (removed_at, signature) ON audit_archives FROM fleetkeeper_audit_keeper;
REVOKE EXECUTE ON FUNCTION drop_archived_audit_month(date), record_audit_event(text, text, text, text, uuid, jsonb)
FROM fleetkeeper_audit_keeper;
REVOKE ALL ON SCHEMA public FROM fleetkeeper_audit_keeper;
GRANT INSERT ON audit_seals TO fleetkeeper_app, fleetkeeper_whole_fleet;
GRANT INSERT, UPDATE (removed_at, signature) ON audit_archives TO fleetkeeper_app, fleetkeeper_whole_fleet;
GRANT EXECUTE ON FUNCTION drop_archived_audit_month(date) TO fleetkeeper_app, fleetkeeper_whole_fleet;
