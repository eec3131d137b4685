CREATE TABLE archive_runs (
    id uuid NOT NULL,
    state varchar(10) DEFAULT 'waiting' NOT NULL,
    requested_by varchar(255) DEFAULT '' NOT NULL,
    requested_at timestamptz DEFAULT now() NOT NULL,
    started_at timestamptz,
    finished_at timestamptz,
    outcome jsonb DEFAULT '{}' NOT NULL,
    errors jsonb DEFAULT '[]' NOT NULL,
    CONSTRAINT pk_archive_runs PRIMARY KEY (id),
    CONSTRAINT ck_archive_runs_state CHECK (state IN ('waiting', 'running', 'done', 'failed'))
);
CREATE INDEX ix_archive_runs_requested_at ON archive_runs (requested_at, id);
GRANT SELECT, INSERT, UPDATE, DELETE ON archive_runs TO fleetkeeper_whole_fleet;
GRANT SELECT, INSERT ON archive_runs TO fleetkeeper_app;
INSERT INTO archive_runs (id, state, requested_by, requested_at, started_at, finished_at, outcome, errors)
SELECT id, CASE WHEN state = 'done' THEN state ELSE 'failed' END,
    CASE requested_by WHEN 'schedule' THEN '' ELSE requested_by END,
    requested_at, started_at, coalesce(finished_at, now()), outcome - 'errors',
    coalesce(outcome -> 'errors', jsonb_build_array(error))
FROM job_runs WHERE job = 'telemetry.retain' AND outcome ? 'lines';
