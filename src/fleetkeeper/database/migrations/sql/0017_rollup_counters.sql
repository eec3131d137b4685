-- Days from before have none: their rates are read from samples.
ALTER TABLE rollups ADD COLUMN counters bytea;
