-- Each move of a status: who made it, when and why. Objects of all rooms.
CREATE TABLE status_history (
    id uuid NOT NULL,
    resource_type varchar(63) NOT NULL,
    record_id uuid NOT NULL,
    old_status varchar(30) NOT NULL,
    new_status varchar(30) NOT NULL,
    changed_at timestamptz NOT NULL DEFAULT now(),
    changed_by varchar(255) NOT NULL DEFAULT '',
    user_id uuid,
    reason varchar(500) NOT NULL DEFAULT '',
    CONSTRAINT pk_status_history PRIMARY KEY (id)
);
CREATE INDEX ix_status_history_record_id ON status_history (record_id, changed_at, id);
CREATE INDEX ix_status_history_changed_at ON status_history (changed_at);
-- Nothing in it is ever changed; what is old goes with the worker's upkeep.
GRANT SELECT, INSERT ON status_history TO fleetkeeper_app;
GRANT SELECT, INSERT, DELETE ON status_history TO fleetkeeper_whole_fleet;
