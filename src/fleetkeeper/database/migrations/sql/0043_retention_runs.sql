-- Runs of the retention policies are runs of a job like all others.
INSERT INTO job_runs
    (id, job, state, outcome, error, requested_by, requested_at, started_at, finished_at, attempts)
SELECT id, 'telemetry.retain',
    CASE WHEN state IN ('done', 'failed') THEN state ELSE 'failed' END,
    outcome || jsonb_build_object('errors', errors),
    CASE WHEN state IN ('waiting', 'running') THEN 'It was interrupted by an upgrade.' ELSE left(coalesce(errors ->> 0, ''), 500) END,
    CASE requested_by WHEN '' THEN 'schedule' ELSE requested_by END,
    requested_at, started_at, coalesce(finished_at, now()), 1
FROM archive_runs;
DROP TABLE archive_runs;
