-- Requests of devices that ended long ago: where they are, and what lists know of them.
CREATE TABLE request_archives (
    id uuid NOT NULL CONSTRAINT pk_request_archives PRIMARY KEY,
    store varchar(20) NOT NULL,
    path varchar(200) NOT NULL,
    state varchar(20) NOT NULL DEFAULT 'writing' CONSTRAINT ck_request_archives_state CHECK (state IN ('writing', 'live')),
    row_count integer NOT NULL DEFAULT 0,
    size_bytes bigint NOT NULL DEFAULT 0,
    sha256 bytea,
    created_at timestamptz NOT NULL
);
GRANT SELECT ON request_archives TO fleetkeeper_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON request_archives TO fleetkeeper_whole_fleet;

CREATE TABLE archived_requests (
    id uuid NOT NULL CONSTRAINT pk_archived_requests PRIMARY KEY,
    device_id uuid NOT NULL,
    device_name varchar(255) NOT NULL,
    department_id uuid CONSTRAINT fk_archived_requests_department_id_departments REFERENCES departments,
    request_type varchar(50) NOT NULL,
    status varchar(30) NOT NULL,
    payload_hash varchar(64),
    created_at timestamptz NOT NULL,
    archived_at timestamptz NOT NULL,
    archive_id uuid NOT NULL CONSTRAINT fk_archived_requests_archive_id_request_archives REFERENCES request_archives,
    position integer NOT NULL
);
CREATE INDEX ix_archived_requests_created_at ON archived_requests (created_at, id);
CREATE INDEX ix_archived_requests_device_id_created_at ON archived_requests (device_id, created_at);
CREATE INDEX ix_archived_requests_department_id ON archived_requests (department_id);
CREATE INDEX ix_archived_requests_payload_hash ON archived_requests (payload_hash);
CREATE INDEX ix_archived_requests_archive_id ON archived_requests (archive_id);
SELECT secure_table('archived_requests'), secure_readers('archived_requests', false);
-- Only retention writes here.
REVOKE INSERT, DELETE ON archived_requests FROM fleetkeeper_app;

-- They belong where their device does, for as long as there is one.
CREATE FUNCTION move_archived_requests() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    UPDATE archived_requests SET department_id = NEW.department_id WHERE device_id = NEW.id;
    RETURN NULL;
END
$$;
REVOKE EXECUTE ON FUNCTION move_archived_requests() FROM PUBLIC;
CREATE TRIGGER move_archived_requests AFTER UPDATE OF department_id ON devices
    FOR EACH ROW WHEN (OLD.department_id IS DISTINCT FROM NEW.department_id) EXECUTE FUNCTION move_archived_requests();
