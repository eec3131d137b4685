UPDATE telemetry_deletions SET state = 'failed', problem = 'It was cancelled.' WHERE state = 'cancelled';
ALTER TABLE telemetry_deletions
    DROP CONSTRAINT ck_telemetry_deletions_state,
    ADD CONSTRAINT ck_telemetry_deletions_state CHECK (state IN ('waiting', 'running', 'done', 'failed'));
