-- Days from before have none: percentiles of their hours are read from samples, those of days from sketches.
ALTER TABLE rollups ADD COLUMN medians bytea, ADD COLUMN p95s bytea;
