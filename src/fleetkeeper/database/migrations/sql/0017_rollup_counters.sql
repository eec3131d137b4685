-- Days from before have none: their rates are read from samples.
ALTER TABLE rollups ADD COLUMN counters bytea;
-- A change that is noted twice is written anew.
GRANT UPDATE (day) ON rollup_changes TO fleetkeeper_whole_fleet;
