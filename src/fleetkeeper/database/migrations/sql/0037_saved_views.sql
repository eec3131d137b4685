-- Search, filters, order and columns of a list, under a name.
CREATE TABLE saved_views (
    id uuid NOT NULL CONSTRAINT pk_saved_views PRIMARY KEY,
    owner_id uuid NOT NULL CONSTRAINT fk_saved_views_owner_id_users REFERENCES users ON DELETE CASCADE,
    path varchar(200) NOT NULL,
    name varchar(100) NOT NULL,
    query text NOT NULL DEFAULT '',
    is_shared boolean NOT NULL DEFAULT false,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT uq_saved_views_owner_id_path_name UNIQUE (owner_id, path, name)
);
CREATE INDEX ix_saved_views_path ON saved_views (path, name);

-- One's own; of others only what they share. The room's services ask for the permission before one of those is deleted.
ALTER TABLE saved_views ENABLE ROW LEVEL SECURITY;
CREATE POLICY whole_fleet ON saved_views TO fleetkeeper_whole_fleet USING (true) WITH CHECK (true);
CREATE POLICY own ON saved_views TO fleetkeeper_app
    USING (owner_id = (SELECT (nullif(current_setting('fleetkeeper.audit', true), '')::jsonb ->> 'user')::uuid));
CREATE POLICY shared_read ON saved_views FOR SELECT TO fleetkeeper_app USING (is_shared);
CREATE POLICY shared_delete ON saved_views FOR DELETE TO fleetkeeper_app USING (is_shared);
GRANT SELECT, INSERT, UPDATE, DELETE ON saved_views TO fleetkeeper_app, fleetkeeper_whole_fleet;

SELECT audit_table('saved_views', '{id}', 'name', NULL, '{updated_at,created_at}');

-- The built-in roles, as the list in the code has them.
INSERT INTO role_permissions (id, role_id, permission)
SELECT gen_random_uuid(), r.id, p.permission
FROM (VALUES ('admin', 'views:share'), ('manager', 'views:share')) AS p(role, permission)
JOIN roles r ON r.name = p.role AND r.is_builtin;
