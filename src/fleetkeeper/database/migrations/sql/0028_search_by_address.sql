-- Devices are found by the addresses of their interfaces too; a MAC address with and without its colons.
ALTER TABLE devices ALTER COLUMN search_text SET EXPRESSION AS (
    name || ' ' || hostname || ' ' || coalesce(serial_number, '') || ' ' || coalesce(location, '')
    || ' ' || jsonb_path_query_array(interfaces, '$[*].ip_addresses[*]')::text
    || ' ' || jsonb_path_query_array(interfaces, '$[*].mac_address')::text
    || ' ' || replace(jsonb_path_query_array(interfaces, '$[*].mac_address')::text, ':', '')
);
