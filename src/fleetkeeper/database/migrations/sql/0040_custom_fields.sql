-- Fields that administrators give to a kind of object.
CREATE TABLE custom_fields (
    id uuid NOT NULL CONSTRAINT pk_custom_fields PRIMARY KEY,
    object_type varchar(63) NOT NULL,
    name varchar(60) NOT NULL,
    label varchar(100) NOT NULL,
    description varchar(2000) NOT NULL DEFAULT '',
    kind varchar(10) NOT NULL,
    choices jsonb NOT NULL DEFAULT '[]',
    is_required boolean NOT NULL DEFAULT false,
    is_sensitive boolean NOT NULL DEFAULT false,
    pattern varchar(200) NOT NULL DEFAULT '',
    default_text varchar(500) NOT NULL DEFAULT '',
    position integer NOT NULL DEFAULT 100,
    department_id uuid CONSTRAINT fk_custom_fields_department_id_departments REFERENCES departments,
    version integer NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT uq_custom_fields_object_type_name UNIQUE (object_type, name)
);
CREATE INDEX ix_custom_fields_department_id ON custom_fields (department_id);

-- Objects of all rooms, so the database knows no foreign key of them. One of the values is there.
CREATE TABLE custom_values (
    object_id uuid NOT NULL,
    field_id uuid NOT NULL CONSTRAINT fk_custom_values_field_id_custom_fields REFERENCES custom_fields ON DELETE CASCADE,
    object_type varchar(63) NOT NULL,
    field_name varchar(60) NOT NULL,
    value_text varchar(500),
    value_number double precision,
    value_boolean boolean,
    value_date date,
    value_sealed bytea,
    CONSTRAINT pk_custom_values PRIMARY KEY (object_id, field_id),
    CONSTRAINT ck_custom_values_value
        CHECK (num_nonnulls(value_text, value_number, value_boolean, value_date, value_sealed) = 1)
);
CREATE INDEX ix_custom_values_field_id ON custom_values (field_id);
CREATE INDEX ix_custom_values_text ON custom_values (field_id, value_text) WHERE value_text IS NOT NULL;
CREATE INDEX ix_custom_values_number ON custom_values (field_id, value_number) WHERE value_number IS NOT NULL;
CREATE INDEX ix_custom_values_date ON custom_values (field_id, value_date) WHERE value_date IS NOT NULL;

-- A field of a department is seen there. Who may change it is asked by the room's services.
ALTER TABLE custom_fields ENABLE ROW LEVEL SECURITY;
CREATE POLICY whole_fleet ON custom_fields TO fleetkeeper_whole_fleet USING (true) WITH CHECK (true);
CREATE POLICY department ON custom_fields TO fleetkeeper_app
    USING (department_id IS NULL OR department_id = ANY ((SELECT visible_departments())::uuid[]))
    WITH CHECK (department_id IS NULL OR department_id = ANY ((SELECT visible_departments())::uuid[]));

-- As tags of objects: each kind of object has its own policies.
ALTER TABLE custom_values ENABLE ROW LEVEL SECURITY;
CREATE POLICY whole_fleet ON custom_values TO fleetkeeper_whole_fleet USING (true) WITH CHECK (true);
CREATE POLICY device_read ON custom_values FOR SELECT TO fleetkeeper_app
    USING (object_type = 'devices' AND object_id IN (SELECT id FROM devices));
CREATE POLICY device_insert ON custom_values FOR INSERT TO fleetkeeper_app
    WITH CHECK (object_type = 'devices' AND object_id IN
                (SELECT id FROM devices WHERE department_id = ANY (changeable_departments())));
CREATE POLICY device_update ON custom_values FOR UPDATE TO fleetkeeper_app
    USING (object_type = 'devices' AND object_id IN
           (SELECT id FROM devices WHERE department_id = ANY (changeable_departments())));
CREATE POLICY device_delete ON custom_values FOR DELETE TO fleetkeeper_app
    USING (object_type = 'devices' AND object_id IN
           (SELECT id FROM devices WHERE department_id = ANY (changeable_departments())));

GRANT SELECT, INSERT, UPDATE, DELETE ON custom_fields, custom_values TO fleetkeeper_app, fleetkeeper_whole_fleet;

SELECT audit_table('custom_fields', '{id}', 'label', NULL, '{updated_at,created_at,version}');
SELECT audit_table('custom_values', '{object_id,field_id}', 'field_name', 'object_id', '{}', '{value_sealed}');

-- The built-in roles, as the list in the code has them.
INSERT INTO role_permissions (id, role_id, permission)
SELECT gen_random_uuid(), r.id, p.permission
FROM (VALUES
    ('admin', 'fields:read'), ('admin', 'fields:reveal'), ('admin', 'fields:write'), ('analyst', 'fields:read'),
    ('manager', 'fields:read'), ('manager', 'fields:reveal'), ('manager', 'fields:write'),
    ('operator', 'fields:read'), ('viewer', 'fields:read')
) AS p(role, permission)
JOIN roles r ON r.name = p.role AND r.is_builtin;
