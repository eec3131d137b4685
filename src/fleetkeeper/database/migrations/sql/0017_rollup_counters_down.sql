ALTER TABLE rollups DROP COLUMN counters;
