-- Document 000 has one role for each user: here the mightiest that their memberships give, kept by triggers.
ALTER TABLE users
    ADD COLUMN role varchar(20) NOT NULL DEFAULT 'viewer',
    ADD COLUMN is_active boolean GENERATED ALWAYS AS (enabled) STORED,
    ADD COLUMN oauth_provider varchar(100) NOT NULL DEFAULT 'local',
    ADD COLUMN oauth_id varchar(300),
    ADD CONSTRAINT ck_users_role CHECK (role IN ('admin', 'operator', 'viewer'));
CREATE INDEX ix_users_role ON users (role);
SELECT audit_table('users', '{id}', 'username', NULL, '{last_login,updated_at,role,oauth_provider,oauth_id}', '{password_hash}');

CREATE FUNCTION refresh_user_roles(wanted uuid[]) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
    UPDATE users u SET role = found.role
    FROM (
        SELECT w.id,
               CASE WHEN bool_or(given.is_admin) THEN 'admin' WHEN bool_or(given.changes) THEN 'operator' ELSE 'viewer' END AS role
        FROM unnest(wanted) AS w (id)
        LEFT JOIN LATERAL (
            SELECT r.name = 'admin' AND r.is_builtin AND m.department_id IS NULL AS is_admin,
                   EXISTS (SELECT FROM role_permissions p WHERE p.role_id = r.id AND p.permission !~ ':read$') AS changes
            FROM memberships m
            JOIN roles r ON r.id = m.role_id
            WHERE m.user_id = w.id OR m.group_id IN (SELECT group_id FROM group_members g WHERE g.user_id = w.id)
            UNION ALL
            SELECT false, true FROM departments d WHERE d.manager_id = w.id
        ) AS given ON true
        GROUP BY w.id
    ) AS found
    WHERE u.id = found.id AND u.role <> found.role
$$;

CREATE FUNCTION keep_user_roles() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    -- Either is NULL where there was or will be none.
    changed jsonb[] := ARRAY[to_jsonb(OLD), to_jsonb(NEW)];
BEGIN
    PERFORM refresh_user_roles(ARRAY(
        SELECT (c ->> 'user_id')::uuid FROM unnest(changed) AS c WHERE TG_TABLE_NAME IN ('memberships', 'group_members')
        UNION
        SELECT (c ->> 'manager_id')::uuid FROM unnest(changed) AS c WHERE TG_TABLE_NAME = 'departments'
        UNION
        SELECT g.user_id FROM unnest(changed) AS c JOIN group_members g ON g.group_id = (c ->> 'group_id')::uuid
        WHERE TG_TABLE_NAME = 'memberships'
        UNION
        SELECT m.user_id FROM memberships m JOIN roles r ON r.id = m.role_id
        WHERE TG_TABLE_NAME = 'role_permissions' AND NOT r.is_builtin
        UNION
        SELECT g.user_id FROM memberships m JOIN roles r ON r.id = m.role_id JOIN group_members g ON g.group_id = m.group_id
        WHERE TG_TABLE_NAME = 'role_permissions' AND NOT r.is_builtin
    ));
    RETURN NULL;
END
$$;
CREATE TRIGGER keep_user_roles AFTER INSERT OR UPDATE OR DELETE ON memberships
    FOR EACH ROW EXECUTE FUNCTION keep_user_roles();
CREATE TRIGGER keep_user_roles AFTER INSERT OR UPDATE OR DELETE ON group_members
    FOR EACH ROW EXECUTE FUNCTION keep_user_roles();
CREATE TRIGGER keep_user_roles AFTER INSERT OR DELETE OR UPDATE OF manager_id ON departments
    FOR EACH ROW EXECUTE FUNCTION keep_user_roles();
-- A role has many permissions: its holders are looked at once for all that change.
CREATE TRIGGER keep_user_roles AFTER INSERT OR UPDATE OR DELETE ON role_permissions
    FOR EACH STATEMENT EXECUTE FUNCTION keep_user_roles();
SELECT refresh_user_roles(ARRAY(SELECT id FROM users));

CREATE FUNCTION keep_user_provider() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    UPDATE users u SET oauth_provider = coalesce(found.slug, 'local'), oauth_id = found.subject
    FROM (SELECT coalesce(NEW.user_id, OLD.user_id) AS id) AS w
    LEFT JOIN LATERAL (
        SELECT p.slug, i.subject FROM user_identities i JOIN identity_providers p ON p.id = i.provider_id
        WHERE i.user_id = w.id ORDER BY i.created_at, i.id LIMIT 1
    ) AS found ON true
    WHERE u.id = w.id;
    RETURN NULL;
END
$$;
CREATE TRIGGER keep_user_provider AFTER INSERT OR UPDATE OR DELETE ON user_identities
    FOR EACH ROW EXECUTE FUNCTION keep_user_provider();
UPDATE user_identities SET subject = subject;
REVOKE EXECUTE ON FUNCTION refresh_user_roles(uuid[]), keep_user_roles(), keep_user_provider() FROM PUBLIC;

-- Whose login it is where an account has that name; no proof that it is the same person.
ALTER TABLE user_sessions ADD COLUMN user_id uuid
    CONSTRAINT fk_user_sessions_user_id_users REFERENCES users (id) ON DELETE SET NULL;
CREATE INDEX ix_user_sessions_user ON user_sessions (user_id) WHERE user_id IS NOT NULL;
CREATE FUNCTION find_session_user() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    NEW.user_id := (SELECT id FROM users WHERE lower(username) = lower(NEW.username));
    RETURN NEW;
END
$$;
REVOKE EXECUTE ON FUNCTION find_session_user() FROM PUBLIC;
CREATE TRIGGER find_session_user BEFORE INSERT ON user_sessions FOR EACH ROW EXECUTE FUNCTION find_session_user();
UPDATE user_sessions s SET user_id = u.id FROM users u WHERE lower(u.username) = lower(s.username);

-- Columns that only repeat another under a document's name. Where the server computes them as they are read, nothing
-- is written anew for them; version 16 and 17 cannot.
DO $$
DECLARE
    how text := CASE WHEN current_setting('server_version_num')::int >= 180000 THEN 'VIRTUAL' ELSE 'STORED' END;
BEGIN
    EXECUTE format('ALTER TABLE user_sessions ADD COLUMN system_id uuid GENERATED ALWAYS AS (device_id) %s', how);
    EXECUTE format('ALTER TABLE process_snapshots ADD COLUMN "timestamp" timestamptz GENERATED ALWAYS AS (ts) %s', how);
    EXECUTE format($column$
        ALTER TABLE audit_log ADD COLUMN resource_id uuid GENERATED ALWAYS AS (
            CASE WHEN record_id ~ '^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$' THEN record_id::uuid END
        ) %s $column$, how);
END
$$;
