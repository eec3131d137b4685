-- What happens before the worker has made the month's partition is kept all the same.
CREATE TABLE audit_log_default PARTITION OF audit_log DEFAULT;

-- Makes the partition of a month (UTC). Safe to call again, and from many sessions at once.
CREATE FUNCTION create_audit_partition(month date) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp SET timezone = 'UTC' AS $$
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
    RETURN ROW(left(given ->> 'kind', 20), left(given ->> 'name', 255), (given ->> 'user')::uuid,
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
CREATE FUNCTION audit_table(
    target text, key_columns text[], name_column text DEFAULT NULL, device_column text DEFAULT NULL,
    skipped text[] DEFAULT '{}', secret text[] DEFAULT '{}'
) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    listed text[];
    changed text;
    olds text;
    news text;
    whole text := format('%L::text[]', skipped || secret);
    keys text;
    joined text;
    -- For an update, an insert and a delete.
    named text[] := '{NULL,NULL,NULL}';
    device text[] := '{c.device_id,c.device_id,c.device_id}';
BEGIN
    SELECT array_agg(attname::text ORDER BY attnum) INTO listed FROM pg_attribute
    WHERE attrelid = target::regclass AND attnum > 0 AND NOT attisdropped AND attgenerated = ''
      AND attname <> ALL (skipped);
    SELECT string_agg(format('o.%1$I IS DISTINCT FROM n.%1$I', name), ' OR '),
           string_agg(format('CASE WHEN o.%1$I IS DISTINCT FROM n.%1$I THEN jsonb_build_object(%1$L, %2$s) ELSE ''{}'' END',
                             name, CASE WHEN name = ANY (secret) THEN '''[secret]''::text' ELSE format('o.%I', name) END),
                      E'\n            || '),
           string_agg(format('CASE WHEN o.%1$I IS DISTINCT FROM n.%1$I THEN jsonb_build_object(%1$L, %2$s) ELSE ''{}'' END',
                             name, CASE WHEN name = ANY (secret) THEN '''[secret]''::text' ELSE format('n.%I', name) END),
                      E'\n            || ')
    INTO changed, olds, news FROM unnest(listed) AS name;
    SELECT string_agg(format('o.%1$I = n.%1$I', key), ' AND '),
           string_agg(format('coalesce(n.%1$I, o.%1$I)::text', key), ' || '':'' || ')
    INTO joined, keys FROM unnest(key_columns) AS key;
    IF name_column IS NOT NULL THEN
        named := ARRAY[format('left(coalesce(n.%1$I, o.%1$I)::text, 300)', name_column),
                       format('left(n.%I::text, 300)', name_column), format('left(o.%I::text, 300)', name_column)];
    END IF;
    IF device_column IS NOT NULL THEN
        device := ARRAY[format('coalesce(n.%1$I, o.%1$I)', device_column), format('n.%I', device_column),
                        format('o.%I', device_column)];
    END IF;
    EXECUTE format($made$
CREATE OR REPLACE FUNCTION %1$I() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $body$
DECLARE
    c audit_context;
BEGIN
    IF TG_OP = 'UPDATE' THEN
        IF NOT EXISTS (SELECT FROM new_rows n FULL JOIN old_rows o ON %5$s WHERE %6$s) THEN
            RETURN NULL;
        END IF;
        c := current_audit_context();
        INSERT INTO audit_log (action, actor_kind, actor_name, user_id, token_id, session_id, device_id, resource_type,
            record_id, record_name, old_values, new_values, ip_address, user_agent, request_id, change_reason)
        SELECT %2$L || '.update', c.actor_kind, c.actor_name, c.user_id, c.token_id, c.session_id, %9$s, %2$L,
            %3$s, %4$s,
            %7$s,
            %8$s,
            c.ip_address, c.user_agent, c.request_id, c.reason
        FROM new_rows n FULL JOIN old_rows o ON %5$s WHERE %6$s;
    ELSIF TG_OP = 'INSERT' THEN
        IF NOT EXISTS (SELECT FROM new_rows) THEN
            RETURN NULL;
        END IF;
        c := current_audit_context();
        INSERT INTO audit_log (action, actor_kind, actor_name, user_id, token_id, session_id, device_id, resource_type,
            record_id, record_name, new_values, ip_address, user_agent, request_id, change_reason)
        SELECT %2$L || '.insert', c.actor_kind, c.actor_name, c.user_id, c.token_id, c.session_id, %10$s, %2$L,
            %11$s, %12$s, jsonb_strip_nulls(to_jsonb(n) - %15$s), c.ip_address, c.user_agent, c.request_id, c.reason
        FROM new_rows n;
    ELSE
        IF NOT EXISTS (SELECT FROM old_rows) THEN
            RETURN NULL;
        END IF;
        c := current_audit_context();
        INSERT INTO audit_log (action, actor_kind, actor_name, user_id, token_id, session_id, device_id, resource_type,
            record_id, record_name, old_values, ip_address, user_agent, request_id, change_reason)
        SELECT %2$L || '.delete', c.actor_kind, c.actor_name, c.user_id, c.token_id, c.session_id, %13$s, %2$L,
            %14$s, %16$s, jsonb_strip_nulls(to_jsonb(o) - %15$s), c.ip_address, c.user_agent, c.request_id, c.reason
        FROM old_rows o;
    END IF;
    RETURN NULL;
END
$body$
$made$,
        'audit_' || target, target, keys, coalesce(named[1], 'NULL'), joined, changed, olds, news, device[1], device[2],
        (SELECT string_agg(format('n.%I::text', key), ' || '':'' || ') FROM unnest(key_columns) AS key),
        coalesce(named[2], 'NULL'), device[3],
        (SELECT string_agg(format('o.%I::text', key), ' || '':'' || ') FROM unnest(key_columns) AS key),
        whole, coalesce(named[3], 'NULL'));
    EXECUTE format('CREATE OR REPLACE TRIGGER audit_insert AFTER INSERT ON %I REFERENCING NEW TABLE AS new_rows '
                   'FOR EACH STATEMENT EXECUTE FUNCTION %I()', target, 'audit_' || target);
    EXECUTE format('CREATE OR REPLACE TRIGGER audit_update AFTER UPDATE ON %I REFERENCING OLD TABLE AS old_rows '
                   'NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION %I()', target, 'audit_' || target);
    EXECUTE format('CREATE OR REPLACE TRIGGER audit_delete AFTER DELETE ON %I REFERENCING OLD TABLE AS old_rows '
                   'FOR EACH STATEMENT EXECUTE FUNCTION %I()', target, 'audit_' || target);
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
SELECT audit_table('sessions', '{id}', NULL, NULL, '{last_used_at,provider_checked_at}',
                   '{secret_hash,csrf_token,provider_tokens}');
SELECT audit_table('totp_devices', '{id}', NULL, NULL, '{last_step}', '{secret_sealed}');
SELECT audit_table('user_identities', '{id}', 'subject', NULL, '{last_login}');
SELECT audit_table('users', '{id}', 'username', NULL, '{last_login,updated_at}', '{password_hash}');

-- Document 001's shape of the same.
CREATE VIEW audit_logs WITH (security_invoker = true) AS
SELECT id, resource_type AS table_name, upper(split_part(action, '.', 2)) AS operation, record_id, user_id,
       old_values, new_values, change_reason, ip_address, "timestamp" AS created_at
FROM audit_log WHERE old_values IS NOT NULL OR new_values IS NOT NULL;
