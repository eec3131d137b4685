DROP FUNCTION text_around(text, text);
DROP FUNCTION search_fleet(text, jsonb, uuid[], integer);
DROP INDEX ix_devices_lower_name, ix_devices_lower_serial_number, ix_devices_lower_asset_tag,
    ix_hardware_components_lower_serial_number, ix_ip_addresses_host, ix_ip_addresses_alone, ix_hardware_components_search, ix_ip_addresses_dns_name,
    ix_network_interfaces_description, ix_notes_search, ix_attachments_search;
DROP FUNCTION component_text(varchar, varchar, varchar, varchar, varchar);
