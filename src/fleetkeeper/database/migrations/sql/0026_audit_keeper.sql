-- Roles belong to the whole cluster, so another database of it may have made it already.
DO $$
BEGIN
    IF to_regrole('fleetkeeper_audit_keeper') IS NULL THEN
        CREATE ROLE fleetkeeper_audit_keeper NOLOGIN;
    END IF;
EXCEPTION WHEN duplicate_object OR unique_violation THEN
    NULL;
END
$$;

-- What the application does to the log is to add entries, by triggers and by record_audit_event().
REVOKE INSERT ON audit_seals FROM fleetkeeper_app, fleetkeeper_whole_fleet;
REVOKE INSERT, UPDATE (removed_at, signature) ON audit_archives FROM fleetkeeper_app, fleetkeeper_whole_fleet;
REVOKE EXECUTE ON FUNCTION drop_archived_audit_month(date) FROM fleetkeeper_app, fleetkeeper_whole_fleet;

GRANT USAGE ON SCHEMA public TO fleetkeeper_audit_keeper;
GRANT SELECT ON alembic_version, audit_archives, audit_epochs, audit_log, audit_seals, config TO fleetkeeper_audit_keeper;
GRANT INSERT ON audit_archives, audit_seals TO fleetkeeper_audit_keeper;
GRANT UPDATE (removed_at, signature) ON audit_archives TO fleetkeeper_audit_keeper;
GRANT EXECUTE ON FUNCTION drop_archived_audit_month(date), record_audit_event(text, text, text, text, uuid, jsonb)
TO fleetkeeper_audit_keeper;
CREATE POLICY keeper ON audit_log FOR SELECT TO fleetkeeper_audit_keeper USING (true);
DO $$
BEGIN
    IF (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) THEN
        -- Readers may take all ordinary connections; some are kept for the product.
        GRANT pg_use_reserved_connections TO fleetkeeper_audit_keeper;
    END IF;
END
$$;

-- One sealer or archiver at a time. Nobody else may lock this table so that it would have to wait for them.
CREATE FUNCTION lock_audit_seals() RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    LOCK TABLE audit_epochs IN SHARE ROW EXCLUSIVE MODE;
END
$$;
REVOKE EXECUTE ON FUNCTION lock_audit_seals() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION lock_audit_seals() TO fleetkeeper_audit_keeper;

-- Takes a month out of the log that stands in a file, whole and sealed. Refuses everything else. Whether the file is
-- there, and whether the signatures are genuine, cannot be known here: the keeper's program sees to that before.
CREATE OR REPLACE FUNCTION drop_archived_audit_month(wanted date) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp SET timezone = 'UTC' SET lock_timeout = '5s' AS $$
DECLARE
    first_day date := date_trunc('month', wanted);
    next_day date := first_day + interval '1 month';
    month text := to_char(first_day, 'YYYY-MM');
    archive audit_archives;
    present bigint;
    first_present bigint;
    last_present bigint;
BEGIN
    SELECT * INTO archive FROM audit_archives a WHERE a.month = first_day AND a.removed_at IS NULL;
    IF archive IS NULL THEN
        RAISE EXCEPTION 'the month % of the audit log has no archive', month;
    END IF;
    IF first_day > date_trunc('month', now()) - interval '2 months' THEN
        RAISE EXCEPTION 'the month % of the audit log is too young to go', month;
    END IF;
    SELECT count(*), min(id), max(id) INTO present, first_present, last_present
    FROM audit_log WHERE "timestamp" >= first_day AND "timestamp" < next_day;
    IF (present, first_present, last_present) IS DISTINCT FROM (archive.entries, archive.first_id, archive.last_id) THEN
        RAISE EXCEPTION 'the month % of the audit log has % entries and its archive %', month, present, archive.entries;
    END IF;
    -- Seals come one after another without a gap, so the next to end is the only one that an entry can be in.
    IF EXISTS (
        SELECT FROM (SELECT DISTINCT transaction_id FROM audit_log
                     WHERE "timestamp" >= first_day AND "timestamp" < next_day) AS e
        LEFT JOIN LATERAL (SELECT from_transaction, entries FROM audit_seals WHERE to_transaction > e.transaction_id
                           ORDER BY to_transaction LIMIT 1) AS s ON true
        WHERE s.entries IS NULL OR s.entries = 0 OR s.from_transaction > e.transaction_id
    ) THEN
        RAISE EXCEPTION 'the month % of the audit log has entries that are in no seal', month;
    END IF;
    EXECUTE format('DROP TABLE IF EXISTS %I', 'audit_log_' || to_char(first_day, 'YYYY_MM'));
    DELETE FROM audit_log_default WHERE "timestamp" >= first_day AND "timestamp" < next_day;
    RETURN present;
END
$$;

-- Whoever can change one of these can sign in, go on being signed in, or use a code or a key again.
SELECT audit_table('passkeys', '{id}', 'name', NULL, '{last_used_at}', '{credential_id}');
SELECT audit_table('sessions', '{id}', NULL, NULL, '{last_used_at,provider_checked_at,provider_asked_at}',
                   '{secret_hash,csrf_token,provider_tokens}');
SELECT audit_table('totp_devices', '{id}', NULL, NULL, '{}', '{secret_sealed}');
-- What columns had come to it later was not told of.
SELECT audit_table('archive_policy', '{id}', 'name', NULL, '{last_archive_run,updated_at}');
