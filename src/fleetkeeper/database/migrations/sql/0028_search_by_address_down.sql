ALTER TABLE devices ALTER COLUMN search_text SET EXPRESSION AS (
    name || ' ' || hostname || ' ' || coalesce(serial_number, '') || ' ' || coalesce(location, '')
);
