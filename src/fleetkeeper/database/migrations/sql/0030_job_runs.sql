-- What the worker does, run by run: who asked, how far it is, how it ended.
CREATE TABLE job_runs (
    id uuid NOT NULL,
    job varchar(80) NOT NULL,
    key varchar(200) NOT NULL DEFAULT '',
    args jsonb NOT NULL DEFAULT '{}',
    state varchar(10) NOT NULL DEFAULT 'waiting',
    phase varchar(80) NOT NULL DEFAULT '',
    done bigint NOT NULL DEFAULT 0,
    total bigint,
    outcome jsonb NOT NULL DEFAULT '{}',
    error varchar(500) NOT NULL DEFAULT '',
    requested_by varchar(255) NOT NULL DEFAULT '',
    reason varchar(500) NOT NULL DEFAULT '',
    requested_at timestamptz NOT NULL DEFAULT now(),
    started_at timestamptz,
    finished_at timestamptz,
    cancel_requested_at timestamptz,
    attempts integer NOT NULL DEFAULT 0,
    queue_job_id bigint,
    CONSTRAINT pk_job_runs PRIMARY KEY (id)
);
CREATE INDEX ix_job_runs_requested_at ON job_runs (requested_at, id);
CREATE INDEX ix_job_runs_job ON job_runs (job, requested_at);
CREATE INDEX ix_job_runs_queue_job_id ON job_runs (queue_job_id);
CREATE UNIQUE INDEX uq_job_runs_job_key ON job_runs (job, key) WHERE state = 'waiting';
GRANT SELECT, INSERT, UPDATE, DELETE ON job_runs TO fleetkeeper_app, fleetkeeper_whole_fleet;
