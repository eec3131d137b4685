-- A row of rollups holds channels whose numbers lie side by side; slice -1 is a row from before, with all of them.
ALTER TABLE rollups ADD COLUMN slice smallint NOT NULL DEFAULT -1;
ALTER TABLE rollups DROP CONSTRAINT pk_rollups, ADD CONSTRAINT pk_rollups PRIMARY KEY (device_id, tier, start, slice);
-- A slice fits into a page: what is read as a whole is stored as a whole.
ALTER TABLE rollups SET (toast_tuple_target = 8160);
