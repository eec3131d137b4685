CREATE TABLE tags (
    id uuid NOT NULL CONSTRAINT pk_tags PRIMARY KEY,
    name varchar(100) NOT NULL CONSTRAINT uq_tags_name UNIQUE,
    slug varchar(60) NOT NULL CONSTRAINT uq_tags_slug UNIQUE,
    color varchar(10) NOT NULL DEFAULT 'gray',
    description varchar(2000) NOT NULL DEFAULT '',
    version integer NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
);

-- Which object has which tag. Objects of all rooms, so the database knows no foreign key of them.
CREATE TABLE tagged (
    tag_id uuid NOT NULL CONSTRAINT fk_tagged_tag_id_tags REFERENCES tags ON DELETE CASCADE,
    object_type varchar(63) NOT NULL,
    object_id uuid NOT NULL,
    CONSTRAINT pk_tagged PRIMARY KEY (tag_id, object_type, object_id)
);
CREATE INDEX ix_tagged_object_id ON tagged (object_id, object_type);

-- Tags belong to the whole installation. Which object has one is seen with the object: each kind of object has its
-- own policies, and a kind without them is seen by nobody whom departments limit.
ALTER TABLE tagged ENABLE ROW LEVEL SECURITY;
CREATE POLICY whole_fleet ON tagged TO fleetkeeper_whole_fleet USING (true) WITH CHECK (true);
CREATE POLICY device_read ON tagged FOR SELECT TO fleetkeeper_app
    USING (object_type = 'devices' AND object_id IN (SELECT id FROM devices));
CREATE POLICY device_insert ON tagged FOR INSERT TO fleetkeeper_app
    WITH CHECK (object_type = 'devices' AND object_id IN
                (SELECT id FROM devices WHERE department_id = ANY (changeable_departments())));
CREATE POLICY device_delete ON tagged FOR DELETE TO fleetkeeper_app
    USING (object_type = 'devices' AND object_id IN
           (SELECT id FROM devices WHERE department_id = ANY (changeable_departments())));

GRANT SELECT, INSERT, UPDATE, DELETE ON tags, tagged TO fleetkeeper_app, fleetkeeper_whole_fleet;

SELECT audit_table('tags', '{id}', 'name', NULL, '{updated_at,created_at,version}');
SELECT audit_table('tagged', '{tag_id,object_id}', NULL, 'object_id');

-- The built-in roles, as the list in the code has them.
INSERT INTO role_permissions (id, role_id, permission)
SELECT gen_random_uuid(), r.id, p.permission
FROM (VALUES
    ('admin', 'tags:read'), ('admin', 'tags:write'), ('analyst', 'tags:read'), ('manager', 'tags:read'),
    ('manager', 'tags:write'), ('operator', 'tags:read'), ('viewer', 'tags:read')
) AS p(role, permission)
JOIN roles r ON r.name = p.role AND r.is_builtin;
