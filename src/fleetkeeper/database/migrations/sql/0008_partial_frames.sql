-- Senders that know nothing of frames deliver one moment of a device in several requests, each with other channels.
-- A channel that came that way has a home: a layout of up to 60 channels, and a frame's part is that layout.
-- Whole frames, as agents send them, have part 0: one for each device and moment.
ALTER TABLE frames ADD COLUMN part integer NOT NULL DEFAULT 0;
ALTER TABLE frames DROP CONSTRAINT pk_frames, ADD CONSTRAINT pk_frames PRIMARY KEY (device_id, ts, part);
ALTER TABLE latest ADD COLUMN part integer NOT NULL DEFAULT 0;
ALTER TABLE latest DROP CONSTRAINT pk_latest, ADD CONSTRAINT pk_latest PRIMARY KEY (device_id, part);

ALTER TABLE channels ADD COLUMN home_layout_id integer, ADD COLUMN home_position smallint;
-- A bit for each position of a layout that the device has; NULL is all of them.
ALTER TABLE device_layouts ADD COLUMN present bigint;
-- Which devices have the channels of a layout.
CREATE INDEX ix_device_layouts_layout_id ON device_layouts (layout_id);
-- A later request completes what an earlier one began.
GRANT UPDATE ("values") ON frames TO fleetkeeper_whole_fleet;

-- The values of `a`, and of `b` where `a` has none.
CREATE FUNCTION merged_values(a double precision[], b double precision[]) RETURNS double precision[]
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT array_agg(coalesce(x, y) ORDER BY n) FROM unnest(a, b) WITH ORDINALITY AS pair (x, y, n)
$$;

-- Whether `b` has a value where `a` has none.
CREATE FUNCTION adds_values(a double precision[], b double precision[]) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT array_position(a, NULL) IS NOT NULL
       AND EXISTS (SELECT FROM unnest(a, b) AS pair (x, y) WHERE x IS NULL AND y IS NOT NULL)
$$;
