-- Files on objects of all rooms, so the database knows no foreign key of them.
CREATE TABLE attachments (
    id uuid NOT NULL CONSTRAINT pk_attachments PRIMARY KEY,
    object_type varchar(63) NOT NULL,
    object_id uuid NOT NULL,
    name varchar(255) NOT NULL,
    media_type varchar(100) NOT NULL,
    size_bytes integer NOT NULL,
    sha256 bytea NOT NULL,
    author_id uuid CONSTRAINT fk_attachments_author_id_users REFERENCES users ON DELETE SET NULL,
    author varchar(300) NOT NULL DEFAULT '',
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX ix_attachments_object_id ON attachments (object_id, object_type, created_at, id);
CREATE INDEX ix_attachments_author_id ON attachments (author_id);

-- Their content in parts, so that nobody holds a whole file to read it. Most files are compressed already.
CREATE TABLE attachment_parts (
    attachment_id uuid NOT NULL CONSTRAINT fk_attachment_parts_attachment_id_attachments REFERENCES attachments
        ON DELETE CASCADE,
    number integer NOT NULL,
    data bytea NOT NULL,
    CONSTRAINT pk_attachment_parts PRIMARY KEY (attachment_id, number)
);
ALTER TABLE attachment_parts ALTER COLUMN data SET STORAGE EXTERNAL;

-- As tags of objects: each kind of object has its own policies.
ALTER TABLE attachments ENABLE ROW LEVEL SECURITY;
CREATE POLICY whole_fleet ON attachments TO fleetkeeper_whole_fleet USING (true) WITH CHECK (true);
CREATE POLICY device_read ON attachments FOR SELECT TO fleetkeeper_app
    USING (object_type = 'devices' AND object_id IN (SELECT id FROM devices));
CREATE POLICY device_insert ON attachments FOR INSERT TO fleetkeeper_app
    WITH CHECK (object_type = 'devices' AND object_id IN
                (SELECT id FROM devices WHERE department_id = ANY (changeable_departments())));
CREATE POLICY device_delete ON attachments FOR DELETE TO fleetkeeper_app
    USING (object_type = 'devices' AND object_id IN
           (SELECT id FROM devices WHERE department_id = ANY (changeable_departments())));

-- What a file holds is seen with it, and never changes.
ALTER TABLE attachment_parts ENABLE ROW LEVEL SECURITY;
CREATE POLICY whole_fleet ON attachment_parts TO fleetkeeper_whole_fleet USING (true) WITH CHECK (true);
CREATE POLICY file_read ON attachment_parts FOR SELECT TO fleetkeeper_app
    USING (attachment_id IN (SELECT id FROM attachments));
CREATE POLICY file_insert ON attachment_parts FOR INSERT TO fleetkeeper_app
    WITH CHECK (attachment_id IN
                (SELECT a.id FROM attachments a JOIN devices d ON d.id = a.object_id
                 WHERE a.object_type = 'devices' AND d.department_id = ANY (changeable_departments())));

GRANT SELECT, INSERT, DELETE ON attachments TO fleetkeeper_app, fleetkeeper_whole_fleet;
GRANT SELECT, INSERT ON attachment_parts TO fleetkeeper_app, fleetkeeper_whole_fleet;

-- The bound of all files counts those that one does not see.
CREATE FUNCTION attachment_bytes() RETURNS bigint
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT coalesce(sum(size_bytes), 0)::bigint FROM attachments
$$;
REVOKE EXECUTE ON FUNCTION attachment_bytes() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION attachment_bytes() TO fleetkeeper_app, fleetkeeper_whole_fleet;

SELECT audit_table('attachments', '{id}', 'name', 'object_id', '{created_at}');
