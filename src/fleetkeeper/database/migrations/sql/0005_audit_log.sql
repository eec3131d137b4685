-- What happens before the worker has made the month's partition is kept all the same.
CREATE TABLE audit_log_default PARTITION OF audit_log DEFAULT;

-- Makes the partition of a month (UTC). Safe to call again, and from many sessions at once.
CREATE FUNCTION create_audit_partition(month date) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp SET timezone = 'UTC' SET lock_timeout = '5s' AS $$
DECLARE
    first_day date := date_trunc('month', month);
    partition text := 'audit_log_' || to_char(first_day, 'YYYY_MM');
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('fleetkeeper.audit_partitions'));
    IF to_regclass(quote_ident(partition)) IS NULL THEN
        EXECUTE format('CREATE TABLE %I PARTITION OF audit_log FOR VALUES FROM (%L) TO (%L)',
                       partition, first_day::timestamptz, (first_day + interval '1 month')::timestamptz);
    END IF;
END
$$;

-- This month and the two after it; a month that the default partition has entries of stays there.
CREATE FUNCTION manage_audit_partitions() RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp SET timezone = 'UTC' AS $$
BEGIN
    FOR ahead IN 0..2 LOOP
        BEGIN
            PERFORM create_audit_partition((CURRENT_DATE + make_interval(months => ahead))::date);
        EXCEPTION WHEN check_violation THEN
            NULL;
        END;
    END LOOP;
END
$$;

SELECT manage_audit_partitions();

-- Begins to count from above all transactions of the log when the database was restored into another cluster, where
-- their numbers begin anew. Does nothing in the cluster that it knows. Returns whether there is a new epoch.
CREATE FUNCTION begin_audit_epoch() RETURNS boolean LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE
    here bigint := system_identifier FROM pg_control_system();
    latest audit_epochs;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('fleetkeeper.audit_epochs'));
    SELECT * INTO latest FROM audit_epochs ORDER BY number DESC LIMIT 1;
    IF latest.system_identifier = here THEN
        RETURN false;
    END IF;
    INSERT INTO audit_epochs (number, system_identifier, transaction_offset)
    SELECT coalesce(latest.number, 0) + 1, here,
           greatest(coalesce(latest.transaction_offset, 0), (SELECT coalesce(max(transaction_id), 0) FROM audit_log),
                    (SELECT coalesce(max(to_transaction), 0) FROM audit_seals));
    RETURN true;
END
$$;
SELECT begin_audit_epoch();

-- Every transaction with a smaller number is over, and its entries are there to be seen or never will be.
CREATE FUNCTION audit_transactions_over() RETURNS bigint LANGUAGE sql STABLE AS $$
    SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint
           + coalesce((SELECT max(transaction_offset) FROM public.audit_epochs), 0)
$$;

-- Takes a month out of the log that stands in a file, whole and unchanged. Refuses everything else.
CREATE FUNCTION drop_archived_audit_month(wanted date) RETURNS bigint
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

-- Who acts, as the transaction's setting `fleetkeeper.audit` says (JSON); without one it is somebody with SQL.
CREATE TYPE audit_context AS (
    actor_kind text, actor_name text, user_id uuid, token_id uuid, session_id uuid, device_id uuid,
    ip_address inet, user_agent text, request_id text, reason text
);

CREATE FUNCTION current_audit_context() RETURNS audit_context LANGUAGE plpgsql STABLE AS $$
DECLARE
    given jsonb := nullif(current_setting('fleetkeeper.audit', true), '')::jsonb;
BEGIN
    IF given IS NULL THEN
        RETURN ROW('database', session_user::text, NULL, NULL, NULL, NULL, inet_client_addr(),
                   left(current_setting('application_name'), 300), NULL, NULL)::audit_context;
    END IF;
    RETURN ROW(nullif(left(given ->> 'kind', 20), ''), left(given ->> 'name', 255), (given ->> 'user')::uuid,
               (given ->> 'token')::uuid, (given ->> 'session')::uuid, (given ->> 'device')::uuid,
               (given ->> 'address')::inet, left(given ->> 'agent', 300), left(given ->> 'request', 100),
               given ->> 'reason')::audit_context;
END
$$;

-- An event of the domain: a sign-in, an export, a refusal.
CREATE FUNCTION record_audit_event(
    event_action text, event_resource_type text, event_record_id text, event_record_name text,
    event_device_id uuid, event_details jsonb
) RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    c audit_context := current_audit_context();
BEGIN
    INSERT INTO audit_log (action, actor_kind, actor_name, user_id, token_id, session_id, device_id, resource_type,
                           record_id, record_name, details, ip_address, user_agent, request_id, change_reason)
    VALUES (left(event_action, 100), c.actor_kind, c.actor_name, c.user_id, c.token_id, c.session_id,
            coalesce(event_device_id, c.device_id), left(event_resource_type, 50), left(event_record_id, 300),
            left(event_record_name, 300), event_details, c.ip_address, c.user_agent, c.request_id, c.reason);
END
$$;

-- Lets a table be audited: makes the function `audit_<table>` for its columns, and the triggers that call it once per
-- statement. `skipped` columns change too often to be worth an entry; of `secret` ones only the change is told.
-- Call it again after a column came or went.
--
-- An update compares each column once and keeps the outcome, as comparing costs more than anything else here. Where
-- the key itself changed, one entry has the old values and one the new ones.
CREATE FUNCTION audit_table(
    target text, key_columns text[], name_column text DEFAULT NULL, device_column text DEFAULT NULL,
    skipped text[] DEFAULT '{}', secret text[] DEFAULT '{}'
) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    made text := 'audit_' || target;
    body text;
    part record;
    piece record;
BEGIN
    WITH columns AS (
        SELECT attname::text AS name, attname = ANY (secret) AS is_secret, row_number() OVER (ORDER BY attnum) AS number
        FROM pg_attribute
        WHERE attrelid = target::regclass AND attnum > 0 AND NOT attisdropped AND attgenerated = ''
          AND attname <> ALL (skipped)
    )
    SELECT string_agg(format('o.%1$I AS o%2$s, n.%1$I AS n%2$s, o.%1$I IS DISTINCT FROM n.%1$I AS c%2$s', name, number),
                      E',\n                ' ORDER BY number) AS compared,
           string_agg(format('c%s', number), ' OR ' ORDER BY number) AS changed,
           string_agg(format('CASE WHEN c%s THEN jsonb_build_object(%L, %s) ELSE ''{}'' END', number, name,
                             CASE WHEN is_secret THEN '''[secret]''::text' ELSE format('o%s', number) END),
                      E'\n                || ' ORDER BY number) AS olds,
           string_agg(format('CASE WHEN c%s THEN jsonb_build_object(%L, %s) ELSE ''{}'' END', number, name,
                             CASE WHEN is_secret THEN '''[secret]''::text' ELSE format('n%s', number) END),
                      E'\n                || ' ORDER BY number) AS news,
           'JSON_OBJECT(' || string_agg(format('%L: r.%I', name, name), ', ' ORDER BY number) FILTER (WHERE NOT is_secret)
                          || ' ABSENT ON NULL RETURNING jsonb)' AS whole
    INTO part FROM columns;
    body := $made$
DECLARE
    c audit_context;
    transaction bigint;
BEGIN
    IF TG_OP = 'UPDATE' THEN
        -- A statement of a foreign key may have found nothing to do.
        IF NOT EXISTS (SELECT FROM new_rows) THEN
            RETURN NULL;
        END IF;
        c := current_audit_context();
        transaction := audit_transaction_id();
        INSERT INTO audit_log (transaction_id, action, actor_kind, actor_name, user_id, token_id, session_id, device_id,
            resource_type, record_id, record_name, old_values, new_values, ip_address, user_agent, request_id,
            change_reason)
        SELECT transaction, {table} || '.update', c.actor_kind, c.actor_name, c.user_id, c.token_id, c.session_id,
            {device}, {table}, record, name,
            CASE WHEN had_old THEN {olds} END,
            CASE WHEN has_new THEN {news} END,
            c.ip_address, c.user_agent, c.request_id, c.reason
        FROM (
            SELECT {update_key} AS record, {update_name} AS name, {update_device} AS device,
                o.{first_key} IS NOT NULL AS had_old, n.{first_key} IS NOT NULL AS has_new,
                {compared}
            FROM new_rows n FULL JOIN old_rows o ON {joined} OFFSET 0
        ) d WHERE {changed};
    ELSIF TG_OP = 'INSERT' THEN
        IF NOT EXISTS (SELECT FROM new_rows) THEN
            RETURN NULL;
        END IF;
        c := current_audit_context();
        transaction := audit_transaction_id();
        INSERT INTO audit_log (transaction_id, action, actor_kind, actor_name, user_id, token_id, session_id, device_id,
            resource_type, record_id, record_name, new_values, ip_address, user_agent, request_id, change_reason)
        SELECT transaction, {table} || '.insert', c.actor_kind, c.actor_name, c.user_id, c.token_id, c.session_id,
            {row_device}, {table}, {row_key}, {row_name}, {whole},
            c.ip_address, c.user_agent, c.request_id, c.reason
        FROM new_rows r;
    ELSIF TG_OP = 'DELETE' THEN
        IF NOT EXISTS (SELECT FROM old_rows) THEN
            RETURN NULL;
        END IF;
        c := current_audit_context();
        transaction := audit_transaction_id();
        INSERT INTO audit_log (transaction_id, action, actor_kind, actor_name, user_id, token_id, session_id, device_id,
            resource_type, record_id, record_name, old_values, ip_address, user_agent, request_id, change_reason)
        SELECT transaction, {table} || '.delete', c.actor_kind, c.actor_name, c.user_id, c.token_id, c.session_id,
            {row_device}, {table}, {row_key}, {row_name}, {whole},
            c.ip_address, c.user_agent, c.request_id, c.reason
        FROM old_rows r;
    ELSE
        c := current_audit_context();
        INSERT INTO audit_log (action, actor_kind, actor_name, user_id, token_id, session_id, device_id, resource_type,
            ip_address, user_agent, request_id, change_reason)
        VALUES ({table} || '.truncate', c.actor_kind, c.actor_name, c.user_id, c.token_id, c.session_id, c.device_id,
            {table}, c.ip_address, c.user_agent, c.request_id, c.reason);
    END IF;
    RETURN NULL;
END
$made$;
    FOR piece IN
        SELECT * FROM (VALUES
            ('table', quote_literal(target)), ('compared', part.compared), ('changed', part.changed),
            ('olds', part.olds), ('news', part.news), ('whole', part.whole),
            ('first_key', quote_ident(key_columns[1])),
            ('joined', (SELECT string_agg(format('o.%1$I = n.%1$I', key), ' AND ') FROM unnest(key_columns) AS key)),
            ('update_key', (SELECT string_agg(format('coalesce(n.%1$I, o.%1$I)::text', key), ' || '':'' || ')
                            FROM unnest(key_columns) AS key)),
            ('row_key', (SELECT string_agg(format('r.%I::text', key), ' || '':'' || ') FROM unnest(key_columns) AS key)),
            ('update_name', CASE WHEN name_column IS NULL THEN 'NULL::text'
                                 ELSE format('left(coalesce(n.%1$I, o.%1$I)::text, 300)', name_column) END),
            ('row_name', CASE WHEN name_column IS NULL THEN 'NULL' ELSE format('left(r.%I::text, 300)', name_column) END),
            ('update_device', CASE WHEN device_column IS NULL THEN 'NULL::uuid'
                                   ELSE format('coalesce(n.%1$I, o.%1$I)', device_column) END),
            ('device', CASE WHEN device_column IS NULL THEN 'c.device_id' ELSE 'device' END),
            ('row_device', CASE WHEN device_column IS NULL THEN 'c.device_id' ELSE format('r.%I', device_column) END)
        ) AS parts (token, text)
    LOOP
        body := replace(body, '{' || piece.token || '}', piece.text);
    END LOOP;
    EXECUTE format('CREATE OR REPLACE FUNCTION %I() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER '
                   'SET search_path = public, pg_temp AS %L', made, body);
    -- Whoever may run it could tie it to a table of their own, and forge entries with that.
    EXECUTE format('REVOKE EXECUTE ON FUNCTION %I() FROM PUBLIC', made);
    EXECUTE format('CREATE OR REPLACE TRIGGER audit_insert AFTER INSERT ON %I REFERENCING NEW TABLE AS new_rows '
                   'FOR EACH STATEMENT EXECUTE FUNCTION %I()', target, made);
    EXECUTE format('CREATE OR REPLACE TRIGGER audit_update AFTER UPDATE ON %I REFERENCING OLD TABLE AS old_rows '
                   'NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION %I()', target, made);
    EXECUTE format('CREATE OR REPLACE TRIGGER audit_delete AFTER DELETE ON %I REFERENCING OLD TABLE AS old_rows '
                   'FOR EACH STATEMENT EXECUTE FUNCTION %I()', target, made);
    EXECUTE format('CREATE OR REPLACE TRIGGER audit_truncate AFTER TRUNCATE ON %I '
                   'FOR EACH STATEMENT EXECUTE FUNCTION %I()', target, made);
END
$$;

SELECT audit_table('agents', '{device_id}', NULL, 'device_id', '{last_contact}');
SELECT audit_table('api_tokens', '{id}', 'name', NULL, '{last_used_at,last_used_address}',
                   '{secret_hash,previous_secret_hash}');
SELECT audit_table('archive_policy', '{id}', NULL, NULL, '{last_archive_run,updated_at}');
SELECT audit_table('audit_archives', '{id}', 'file_name');
SELECT audit_table('config', '{key}', 'key', NULL, '{updated_at}');
SELECT audit_table('database_readers', '{login}', 'login');
SELECT audit_table('departments', '{id}', 'name', NULL, '{updated_at}');
SELECT audit_table('device_identities', '{id}', 'value', 'device_id', '{last_seen}');
SELECT audit_table('device_keys', '{id}', NULL, 'device_id', '{last_used_at}', '{secret_hash}');
SELECT audit_table('device_sources', '{id}', 'source_id', 'device_id', '{last_seen}');
SELECT audit_table('devices', '{id}', 'name', 'id', '{first_seen,last_seen,status,updated_at,version,search_text}');
SELECT audit_table('enrollment_tokens', '{id}', 'name', NULL, '{last_used_at}', '{secret_hash}');
SELECT audit_table('group_members', '{group_id,user_id}');
SELECT audit_table('groups', '{id}', 'name', NULL, '{updated_at}');
SELECT audit_table('identity_providers', '{id}', 'name', NULL, '{updated_at}', '{client_secret_sealed}');
SELECT audit_table('installation', '{instance_id}');
SELECT audit_table('memberships', '{id}');
SELECT audit_table('passkeys', '{id}', 'name', NULL, '{last_used_at,sign_count,public_key}', '{credential_id}');
SELECT audit_table('recovery_codes', '{id}', NULL, NULL, '{}', '{code_hash}');
SELECT audit_table('role_permissions', '{id}', 'permission');
SELECT audit_table('roles', '{id}', 'name', NULL, '{updated_at}');
SELECT audit_table('sessions', '{id}', NULL, NULL,
                   '{last_used_at,provider_checked_at,provider_asked_at,confirmed_at}',
                   '{secret_hash,csrf_token,provider_tokens}');
SELECT audit_table('totp_devices', '{id}', NULL, NULL, '{last_step}', '{secret_sealed}');
SELECT audit_table('user_identities', '{id}', 'subject', NULL, '{last_login}');
SELECT audit_table('users', '{id}', 'username', NULL, '{last_login,updated_at}', '{password_hash}');

-- Document 001's shape of the same.
CREATE VIEW audit_logs WITH (security_invoker = true) AS
SELECT id, resource_type AS table_name, upper(split_part(action, '.', 2)) AS operation, record_id, user_id,
       old_values, new_values, change_reason, ip_address, "timestamp" AS created_at
FROM audit_log WHERE old_values IS NOT NULL OR new_values IS NOT NULL;
