CREATE TABLE dashboards (
    id uuid NOT NULL CONSTRAINT pk_dashboards PRIMARY KEY,
    slug character varying(80) NOT NULL CONSTRAINT uq_dashboards_slug UNIQUE,
    name character varying(120) NOT NULL,
    description character varying(500) DEFAULT '' NOT NULL,
    definition jsonb NOT NULL,
    owner_id uuid CONSTRAINT fk_dashboards_owner_id_users REFERENCES users ON DELETE SET NULL,
    visibility character varying(20) DEFAULT 'private' NOT NULL,
    default_for character varying(50),
    version integer DEFAULT 1 NOT NULL,
    created_by character varying(300) DEFAULT '' NOT NULL,
    updated_by character varying(300) DEFAULT '' NOT NULL,
    created_at timestamptz DEFAULT now() NOT NULL,
    updated_at timestamptz DEFAULT now() NOT NULL,
    CONSTRAINT ck_dashboards_visibility CHECK (visibility IN ('private', 'everyone')),
    CONSTRAINT ck_dashboards_default_is_shared CHECK (default_for IS NULL OR visibility = 'everyone')
);
CREATE INDEX ix_dashboards_name ON dashboards (name, id);
CREATE INDEX ix_dashboards_owner_id ON dashboards (owner_id);
CREATE UNIQUE INDEX uq_dashboards_default_for ON dashboards (default_for) WHERE default_for IS NOT NULL;

-- Whose dashboards somebody sees does not follow from departments, so no row security stands here: the room's queries
-- choose. Who reads the database by SQL gets nothing of it.
GRANT SELECT, INSERT, UPDATE, DELETE ON dashboards TO fleetkeeper_whole_fleet, fleetkeeper_app;

SELECT audit_table('dashboards', ARRAY['id'], 'name', skipped => ARRAY['created_at', 'updated_at']);

-- The built-in roles, as the list in the code has them.
INSERT INTO role_permissions (id, role_id, permission)
SELECT gen_random_uuid(), r.id, p.permission
FROM (VALUES
    ('admin', 'dashboards:share'), ('admin', 'dashboards:write'), ('manager', 'dashboards:share'),
    ('manager', 'dashboards:write'), ('operator', 'dashboards:write'), ('analyst', 'dashboards:write')
) AS p(role, permission)
JOIN roles r ON r.name = p.role AND r.is_builtin;
