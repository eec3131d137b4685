-- Devices from files.
CREATE TABLE device_imports (
    id uuid NOT NULL CONSTRAINT pk_device_imports PRIMARY KEY,
    owner_id uuid CONSTRAINT fk_device_imports_owner_id_users REFERENCES users ON DELETE CASCADE,
    owner varchar(255) NOT NULL DEFAULT '',
    file_name varchar(255) NOT NULL,
    file_format varchar(10) NOT NULL,
    columns jsonb NOT NULL,
    notes jsonb NOT NULL DEFAULT '[]',
    row_count integer NOT NULL,
    mapping jsonb NOT NULL,
    identify_by varchar(20) NOT NULL DEFAULT 'name',
    existing varchar(10) NOT NULL DEFAULT 'update',
    empty_cells varchar(10) NOT NULL DEFAULT 'keep',
    all_or_nothing varchar(10) NOT NULL DEFAULT 'row',
    status varchar(20) NOT NULL DEFAULT 'uploaded' CONSTRAINT ck_device_imports_status
        CHECK (status IN ('uploaded', 'checked', 'applying', 'applied', 'failed', 'undoing', 'undone')),
    reason text NOT NULL DEFAULT '',
    problem text NOT NULL DEFAULT '',
    grants jsonb NOT NULL DEFAULT '{}',
    applied_at timestamptz,
    undone_at timestamptz,
    version integer NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX ix_device_imports_owner_id ON device_imports (owner_id);
CREATE TABLE device_import_rows (
    id uuid NOT NULL CONSTRAINT pk_device_import_rows PRIMARY KEY,
    import_id uuid NOT NULL CONSTRAINT fk_device_import_rows_import_id_device_imports
        REFERENCES device_imports ON DELETE CASCADE,
    position integer NOT NULL,
    cells jsonb NOT NULL,
    name varchar(255) NOT NULL DEFAULT '',
    device_id uuid,
    outcome varchar(20) NOT NULL DEFAULT '',
    result varchar(20) NOT NULL DEFAULT '',
    undone varchar(20) NOT NULL DEFAULT '',
    changes jsonb NOT NULL DEFAULT '[]',
    problems jsonb NOT NULL DEFAULT '[]',
    detail text NOT NULL DEFAULT '',
    made jsonb NOT NULL DEFAULT '{}'
);
CREATE UNIQUE INDEX uq_device_import_rows_import_id_position ON device_import_rows (import_id, position);

-- One's own. Services let those who change devices everywhere see the others'.
ALTER TABLE device_imports ENABLE ROW LEVEL SECURITY;
CREATE POLICY whole_fleet ON device_imports TO fleetkeeper_whole_fleet USING (true) WITH CHECK (true);
CREATE POLICY own ON device_imports TO fleetkeeper_app
    USING (owner_id = (SELECT (nullif(current_setting('fleetkeeper.audit', true), '')::jsonb ->> 'user')::uuid));
GRANT SELECT, INSERT, UPDATE, DELETE ON device_imports TO fleetkeeper_app, fleetkeeper_whole_fleet;
ALTER TABLE device_import_rows ENABLE ROW LEVEL SECURITY;
CREATE POLICY whole_fleet ON device_import_rows TO fleetkeeper_whole_fleet USING (true) WITH CHECK (true);
CREATE POLICY own ON device_import_rows TO fleetkeeper_app
    USING (import_id IN (SELECT id FROM device_imports));
GRANT SELECT, INSERT, UPDATE, DELETE ON device_import_rows TO fleetkeeper_app, fleetkeeper_whole_fleet;
SELECT audit_table('device_imports', '{id}', 'file_name', NULL, '{updated_at,created_at,version,columns,notes,grants,problem}');
