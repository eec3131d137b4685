-- Notes on objects of all rooms, so the database knows no foreign key of them.
CREATE TABLE notes (
    id uuid NOT NULL CONSTRAINT pk_notes PRIMARY KEY,
    object_type varchar(63) NOT NULL,
    object_id uuid NOT NULL,
    body text NOT NULL,
    author_id uuid CONSTRAINT fk_notes_author_id_users REFERENCES users ON DELETE SET NULL,
    author varchar(300) NOT NULL DEFAULT '',
    created_at timestamptz NOT NULL DEFAULT now(),
    edited_at timestamptz
);
CREATE INDEX ix_notes_object_id ON notes (object_id, object_type, created_at, id);
CREATE INDEX ix_notes_author_id ON notes (author_id);

-- As tags of objects: each kind of object has its own policies.
ALTER TABLE notes ENABLE ROW LEVEL SECURITY;
CREATE POLICY whole_fleet ON notes TO fleetkeeper_whole_fleet USING (true) WITH CHECK (true);
CREATE POLICY device_read ON notes FOR SELECT TO fleetkeeper_app
    USING (object_type = 'devices' AND object_id IN (SELECT id FROM devices));
CREATE POLICY device_insert ON notes FOR INSERT TO fleetkeeper_app
    WITH CHECK (object_type = 'devices' AND object_id IN
                (SELECT id FROM devices WHERE department_id = ANY (changeable_departments())));
CREATE POLICY device_update ON notes FOR UPDATE TO fleetkeeper_app
    USING (object_type = 'devices' AND object_id IN
           (SELECT id FROM devices WHERE department_id = ANY (changeable_departments())));
CREATE POLICY device_delete ON notes FOR DELETE TO fleetkeeper_app
    USING (object_type = 'devices' AND object_id IN
           (SELECT id FROM devices WHERE department_id = ANY (changeable_departments())));

GRANT SELECT, INSERT, UPDATE, DELETE ON notes TO fleetkeeper_app, fleetkeeper_whole_fleet;

SELECT audit_table('notes', '{id}', NULL, 'object_id');

-- The built-in roles, as the list in the code has them.
INSERT INTO role_permissions (id, role_id, permission)
SELECT gen_random_uuid(), r.id, p.permission
FROM (VALUES ('admin', 'notes:write'), ('manager', 'notes:write')) AS p(role, permission)
JOIN roles r ON r.name = p.role AND r.is_builtin;
