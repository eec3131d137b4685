-- Slices cannot be put together in SQL: their days are made anew from samples.
INSERT INTO rollup_changes (device_id, day)
SELECT DISTINCT device_id, (start AT TIME ZONE 'UTC')::date FROM rollups WHERE tier = 1 AND slice >= 0
ON CONFLICT DO NOTHING;
DELETE FROM rollups WHERE slice >= 0;
ALTER TABLE rollups RESET (toast_tuple_target);
ALTER TABLE rollups DROP CONSTRAINT pk_rollups, ADD CONSTRAINT pk_rollups PRIMARY KEY (device_id, tier, start);
ALTER TABLE rollups DROP COLUMN slice;
