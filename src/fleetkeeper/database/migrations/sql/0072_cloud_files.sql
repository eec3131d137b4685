-- Files of device requests and responses, and the stores that they are copied to (document 001).

CREATE TABLE cloud_stores (
    id uuid NOT NULL CONSTRAINT pk_cloud_stores PRIMARY KEY,
    name varchar(100) NOT NULL CONSTRAINT uq_cloud_stores_name UNIQUE,
    provider varchar(50) NOT NULL
        CONSTRAINT ck_cloud_stores_provider CHECK (provider IN ('local', 's3', 'sharepoint', 'google-drive')),
    -- Files of this department and those below it; null: of all.
    department_id uuid CONSTRAINT fk_cloud_stores_department_id_departments REFERENCES departments,
    is_active boolean NOT NULL DEFAULT true,
    -- A folder's path, a prefix of keys, or the ID of a folder, as the provider has it.
    folder varchar(300) NOT NULL DEFAULT '',
    bucket varchar(63) NOT NULL DEFAULT '',
    endpoint varchar(300) NOT NULL DEFAULT '',
    region varchar(50) NOT NULL DEFAULT '',
    drive_id varchar(200) NOT NULL DEFAULT '',
    tenant_id varchar(100) NOT NULL DEFAULT '',
    -- Who signs in: an access key's ID, or an application's.
    client_id varchar(255) NOT NULL DEFAULT '',
    api_url varchar(300) NOT NULL DEFAULT '',
    login_url varchar(300) NOT NULL DEFAULT '',
    secret_sealed bytea,
    version integer NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX ix_cloud_stores_department_id ON cloud_stores (department_id);
SELECT secure_table('cloud_stores');
-- What serves the whole installation is read by whoever has requests there.
CREATE POLICY of_all ON cloud_stores FOR SELECT TO fleetkeeper_app USING (department_id IS NULL);
SELECT audit_table('cloud_stores', '{id}', 'name', NULL, '{updated_at,created_at,version}', '{secret_sealed}');

-- So that files can be kept before anybody has set up a store.
INSERT INTO cloud_stores (id, name, provider) VALUES (gen_random_uuid(), 'This server', 'local');

CREATE TABLE cloud_file_refs (
    id uuid NOT NULL CONSTRAINT pk_cloud_file_refs PRIMARY KEY,
    request_id uuid NOT NULL CONSTRAINT fk_cloud_file_refs_request_id_device_requests
        REFERENCES device_requests ON DELETE CASCADE,
    -- Of a file that belongs to the answer, once there is one.
    response_id uuid CONSTRAINT fk_cloud_file_refs_response_id_responses REFERENCES responses ON DELETE CASCADE,
    -- The request's, kept in step by triggers.
    department_id uuid CONSTRAINT fk_cloud_file_refs_department_id_departments REFERENCES departments,
    store_id uuid NOT NULL CONSTRAINT fk_cloud_file_refs_store_id_cloud_stores REFERENCES cloud_stores,
    name varchar(255) NOT NULL,
    media_type varchar(100) NOT NULL DEFAULT 'application/octet-stream',
    file_type varchar(50) NOT NULL DEFAULT 'request'
        CONSTRAINT ck_cloud_file_refs_file_type CHECK (file_type IN ('request', 'response')),
    cloud_provider varchar(50) NOT NULL
        CONSTRAINT ck_cloud_file_refs_cloud_provider CHECK (cloud_provider IN ('local', 's3', 'sharepoint', 'google-drive')),
    cloud_path varchar(500) NOT NULL,
    -- What the store itself calls it, where that is not its path.
    remote_id varchar(200) NOT NULL DEFAULT '',
    file_size_bytes bigint NOT NULL CONSTRAINT ck_cloud_file_refs_file_size_bytes CHECK (file_size_bytes > 0),
    sha256 varchar(64) NOT NULL CONSTRAINT ck_cloud_file_refs_sha256 CHECK (sha256 ~ '^[0-9a-f]{64}$'),
    uploaded_by varchar(255) NOT NULL DEFAULT '',
    -- When the store had all of it.
    uploaded_at timestamptz,
    sync_status varchar(50) NOT NULL DEFAULT 'pending'
        CONSTRAINT ck_cloud_file_refs_sync_status CHECK (sync_status IN ('pending', 'synced', 'failed')),
    -- Since it came, since a part of it was taken, or since a person tried again.
    attempts integer NOT NULL DEFAULT 0,
    next_attempt_at timestamptz NOT NULL DEFAULT now(),
    problem varchar(500) NOT NULL DEFAULT '',
    lease_token uuid,
    lease_until timestamptz,
    -- Where an upload goes on: a store's session, sealed, and how far it is.
    upload_sealed bytea,
    uploaded_bytes bigint NOT NULL DEFAULT 0,
    version integer NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT ck_cloud_file_refs_lease CHECK ((lease_token IS NULL) = (lease_until IS NULL)),
    CONSTRAINT ck_cloud_file_refs_response CHECK (response_id IS NULL OR file_type = 'response'),
    CONSTRAINT ck_cloud_file_refs_uploaded_at CHECK ((uploaded_at IS NOT NULL) = (sync_status = 'synced'))
);
CREATE INDEX ix_cloud_file_refs_request_id ON cloud_file_refs (request_id, created_at, id);
CREATE INDEX ix_cloud_file_refs_response_id ON cloud_file_refs (response_id);
CREATE INDEX ix_cloud_file_refs_department_id ON cloud_file_refs (department_id);
CREATE INDEX ix_cloud_file_refs_store_id ON cloud_file_refs (store_id);
CREATE INDEX ix_cloud_file_refs_cloud_provider ON cloud_file_refs (cloud_provider);
CREATE INDEX ix_cloud_file_refs_sync_status ON cloud_file_refs (sync_status, created_at, id);
CREATE INDEX ix_cloud_file_refs_created_at ON cloud_file_refs (created_at, id);
CREATE INDEX ix_cloud_file_refs_due ON cloud_file_refs (next_attempt_at, id) WHERE sync_status = 'pending';

-- A file belongs where its request does, whoever writes it.
CREATE FUNCTION place_cloud_file() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    NEW.department_id := (SELECT department_id FROM device_requests WHERE id = NEW.request_id);
    RETURN NEW;
END
$$;
CREATE FUNCTION move_cloud_files() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    UPDATE cloud_file_refs SET department_id = NEW.department_id WHERE request_id = NEW.id;
    RETURN NULL;
END
$$;
-- Files that came before the answer are part of it.
CREATE FUNCTION answer_cloud_files() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    UPDATE cloud_file_refs SET response_id = NEW.id
    WHERE request_id = NEW.request_id AND file_type = 'response' AND response_id IS NULL;
    RETURN NULL;
END
$$;
CREATE TRIGGER place_file BEFORE INSERT OR UPDATE OF request_id ON cloud_file_refs
    FOR EACH ROW EXECUTE FUNCTION place_cloud_file();
CREATE TRIGGER move_files AFTER UPDATE OF department_id ON device_requests
    FOR EACH ROW WHEN (OLD.department_id IS DISTINCT FROM NEW.department_id) EXECUTE FUNCTION move_cloud_files();
CREATE TRIGGER answer_files AFTER INSERT ON responses FOR EACH ROW EXECUTE FUNCTION answer_cloud_files();

SELECT secure_table('cloud_file_refs');
CREATE POLICY reader ON cloud_file_refs FOR SELECT TO dashboard_readonly, analyst
    USING ((SELECT reader_sees_all()) OR department_id = ANY ((SELECT reader_departments())::uuid[]));
GRANT SELECT (id, request_id, response_id, department_id, store_id, name, media_type, file_type, cloud_provider, cloud_path,
              file_size_bytes, sha256, uploaded_by, uploaded_at, sync_status, attempts, next_attempt_at, problem, uploaded_bytes,
              version, created_at, updated_at) ON cloud_file_refs TO dashboard_readonly, analyst;
SELECT audit_table('cloud_file_refs', '{id}', 'name', NULL,
                   '{updated_at,created_at,version,attempts,next_attempt_at,problem,lease_token,lease_until,upload_sealed,uploaded_bytes,remote_id}');

-- What a store still holds of files that are gone here.
CREATE TABLE cloud_file_removals (
    -- The file's.
    id uuid NOT NULL CONSTRAINT pk_cloud_file_removals PRIMARY KEY,
    store_id uuid NOT NULL CONSTRAINT fk_cloud_file_removals_store_id_cloud_stores REFERENCES cloud_stores ON DELETE CASCADE,
    cloud_path varchar(500) NOT NULL,
    remote_id varchar(200) NOT NULL DEFAULT '',
    attempts integer NOT NULL DEFAULT 0,
    next_attempt_at timestamptz NOT NULL DEFAULT now(),
    problem varchar(500) NOT NULL DEFAULT '',
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX ix_cloud_file_removals_store_id ON cloud_file_removals (store_id);
CREATE INDEX ix_cloud_file_removals_next_attempt_at ON cloud_file_removals (next_attempt_at, id);
ALTER TABLE cloud_file_removals ENABLE ROW LEVEL SECURITY;
CREATE POLICY whole_fleet ON cloud_file_removals TO fleetkeeper_whole_fleet USING (true) WITH CHECK (true);
GRANT SELECT ON cloud_file_removals TO fleetkeeper_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON cloud_file_removals TO fleetkeeper_whole_fleet;

CREATE FUNCTION remember_cloud_files() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    INSERT INTO cloud_file_removals (id, store_id, cloud_path, remote_id)
    SELECT id, store_id, cloud_path, remote_id FROM gone ON CONFLICT DO NOTHING;
    RETURN NULL;
END
$$;
CREATE TRIGGER remember_files AFTER DELETE ON cloud_file_refs REFERENCING OLD TABLE AS gone
    FOR EACH STATEMENT EXECUTE FUNCTION remember_cloud_files();

-- Where a file of a department goes: to a store of the nearest department, and of several to one in the cloud first.
-- It may lie above what the asker sees.
CREATE FUNCTION cloud_store_for(place uuid) RETURNS TABLE (id uuid, provider varchar, folder varchar)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    WITH RECURSIVE above (id, parent_id, distance) AS (
        SELECT d.id, d.parent_id, 0 FROM departments d WHERE d.id = place
        UNION ALL
        SELECT d.id, d.parent_id, a.distance + 1 FROM departments d JOIN above a ON d.id = a.parent_id
    )
    SELECT s.id, s.provider, s.folder FROM cloud_stores s LEFT JOIN above a ON a.id = s.department_id
    WHERE s.is_active AND (s.department_id IS NULL OR a.id IS NOT NULL)
    ORDER BY a.distance NULLS LAST, s.provider = 'local', s.created_at, s.id LIMIT 1
$$;
-- What lies on this server: files that wait for their store, and those in local folders.
CREATE FUNCTION cloud_local_bytes() RETURNS bigint
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT coalesce(sum(file_size_bytes), 0)::bigint FROM cloud_file_refs
    WHERE sync_status <> 'synced' OR cloud_provider = 'local'
$$;
REVOKE EXECUTE ON FUNCTION place_cloud_file(), move_cloud_files(), answer_cloud_files(), remember_cloud_files(),
    cloud_store_for(uuid), cloud_local_bytes() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION cloud_store_for(uuid), cloud_local_bytes() TO fleetkeeper_app, fleetkeeper_whole_fleet;
