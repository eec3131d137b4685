-- Up to which change of devices a job has told people.
CREATE TABLE device_change_cursors (
    id uuid NOT NULL CONSTRAINT pk_device_change_cursors PRIMARY KEY,
    name varchar(50) NOT NULL CONSTRAINT uq_device_change_cursors_name UNIQUE,
    xact bigint NOT NULL,
    revision_id bigint NOT NULL
);
GRANT SELECT, INSERT, UPDATE ON device_change_cursors TO fleetkeeper_app, fleetkeeper_whole_fleet;
ALTER TABLE device_change_cursors ENABLE ROW LEVEL SECURITY;
CREATE POLICY whole_fleet ON device_change_cursors TO fleetkeeper_whole_fleet USING (true) WITH CHECK (true);
INSERT INTO device_change_cursors (id, name, xact, revision_id)
SELECT gen_random_uuid(), 'notifications', coalesce(max(xact), 0), coalesce(max(id), 0) FROM device_revisions;
