REVOKE UPDATE (day) ON rollup_changes FROM fleetkeeper_whole_fleet;
ALTER TABLE rollups DROP COLUMN counters;
