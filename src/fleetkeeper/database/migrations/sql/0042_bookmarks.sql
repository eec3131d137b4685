-- Pages of the console that people mark for themselves.
CREATE TABLE bookmarks (
    id uuid NOT NULL CONSTRAINT pk_bookmarks PRIMARY KEY,
    owner_id uuid NOT NULL CONSTRAINT fk_bookmarks_owner_id_users REFERENCES users ON DELETE CASCADE,
    path varchar(2000) NOT NULL,
    title varchar(255) NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT uq_bookmarks_owner_id_path UNIQUE (owner_id, path)
);

ALTER TABLE bookmarks ENABLE ROW LEVEL SECURITY;
CREATE POLICY whole_fleet ON bookmarks TO fleetkeeper_whole_fleet USING (true) WITH CHECK (true);
CREATE POLICY own ON bookmarks TO fleetkeeper_app
    USING (owner_id = (SELECT (nullif(current_setting('fleetkeeper.audit', true), '')::jsonb ->> 'user')::uuid));
GRANT SELECT, INSERT, DELETE ON bookmarks TO fleetkeeper_app, fleetkeeper_whole_fleet;

SELECT audit_table('bookmarks', '{id}', 'title', NULL, '{created_at}');
