-- One search over names, serial numbers, addresses, parts, configurations and what people wrote.

-- Exactly, or by how it begins.
CREATE INDEX ix_devices_lower_name ON devices (lower(name) text_pattern_ops);
CREATE INDEX ix_devices_lower_serial_number ON devices (lower(serial_number) text_pattern_ops) WHERE serial_number IS NOT NULL;
CREATE INDEX ix_devices_lower_asset_tag ON devices (lower(asset_tag) text_pattern_ops) WHERE asset_tag IS NOT NULL;
CREATE INDEX ix_hardware_components_lower_serial_number ON hardware_components (lower(serial_number) text_pattern_ops)
    WHERE serial_number IS NOT NULL;
CREATE INDEX ix_ip_addresses_host ON ip_addresses (host(address) text_pattern_ops);
-- Addresses without the lengths of their prefixes, which a network's first and last one part from others.
CREATE INDEX ix_ip_addresses_alone ON ip_addresses ((host(address)::inet));

-- By any part.
CREATE FUNCTION component_text(name varchar, manufacturer varchar, model varchar, serial_number varchar, part_number varchar)
RETURNS text LANGUAGE sql IMMUTABLE AS $$
    SELECT name || ' ' || coalesce(manufacturer, '') || ' ' || coalesce(model, '') || ' ' || coalesce(serial_number, '')
           || ' ' || coalesce(part_number, '')
$$;
CREATE INDEX ix_hardware_components_search ON hardware_components
    USING gin (component_text(name, manufacturer, model, serial_number, part_number) gin_trgm_ops);
CREATE INDEX ix_ip_addresses_dns_name ON ip_addresses USING gin (dns_name gin_trgm_ops) WHERE dns_name <> '';
CREATE INDEX ix_network_interfaces_description ON network_interfaces USING gin (description gin_trgm_ops) WHERE description <> '';
CREATE INDEX ix_notes_search ON notes USING gin (body gin_trgm_ops);
CREATE INDEX ix_attachments_search ON attachments USING gin (name gin_trgm_ops);
-- How common a text is decides whether an index or the table itself is faster: look at more of them.
ALTER INDEX ix_hardware_components_search ALTER COLUMN 1 SET STATISTICS 500;

-- What a search finds among devices and what hangs off them, with 0 for what is it exactly, 1 for what begins so, and
-- 2 for what has it in it. Where row-level security looks at each row before its text may be read, no index of texts
-- serves; so this function asks the indexes and leaves out itself what the policies would: other departments than the
-- transaction's, and those that `within` leaves out. The caller joins devices, under their policy.
CREATE FUNCTION search_fleet(kind text, asked jsonb, within uuid[], most integer)
RETURNS TABLE (id uuid, device_id uuid, rank integer, title text, texts jsonb)
-- What is common is found soon along any index; in the order of the table rows that are alike may stand together at its end.
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp SET enable_seqscan = off AS $$
DECLARE
    whole text := asked ->> 'text';
    begins text := asked ->> 'begins';
    source text := 'devices d';
    searched text;
    -- What is told of a row: its title, and the texts in which the words may stand.
    shown text;
    besides text := '';
    seen text := 'd.merged_into IS NULL';
    -- Conditions with their ranks, the best first; one that is null is left out.
    stages text[] := '{}';
    ranks integer[] := '{}';
    words text;
    found integer := 0;
    added integer;
BEGIN
    IF most NOT BETWEEN 1 AND 100 THEN
        RAISE EXCEPTION 'a search finds 1 to 100, not %', most;
    END IF;
    IF current_setting('role') <> 'fleetkeeper_whole_fleet' THEN
        within := ARRAY(SELECT unnest(visible_departments())
                        INTERSECT SELECT unnest(coalesce(within, visible_departments())));
    END IF;
    IF within IS NOT NULL THEN
        seen := seen || format(' AND d.department_id = ANY (%L::uuid[])', within);
    END IF;
    CASE kind
    WHEN 'device' THEN
        searched := 'd.search_text';
        shown := $s$d.name::text, jsonb_build_object('hostname', d.hostname, 'serial_number', d.serial_number,
            'asset_tag', d.asset_tag, 'fqdn', d.fqdn, 'location', d.location, 'interfaces', d.interfaces)$s$;
        stages := ARRAY[
            format($s$lower(d.name) = %1$L OR lower(d.serial_number) = %1$L OR lower(d.asset_tag) = %1$L
                      OR d.id = ANY (ARRAY(SELECT i.device_id FROM device_identities i WHERE i.value IN (%1$L, %2$L) AND i.kind IN
                                   ('smbios_uuid', 'serial', 'machine_id', 'mac', 'fqdn', 'hostname') LIMIT 100))$s$,
                   whole, coalesce(asked ->> 'mac', whole)),
            format('lower(d.name) LIKE %L', begins),
            format('lower(d.serial_number) LIKE %1$L OR lower(d.asset_tag) LIKE %1$L', begins),
            'd.search_text ILIKE ' || quote_literal('%' || (asked ->> 'mac_begins') || '%')];
        ranks := '{0,1,1,1}';
    WHEN 'component' THEN
        source := 'hardware_components t JOIN devices d ON d.id = t.device_id';
        searched := 'component_text(t.name, t.manufacturer, t.model, t.serial_number, t.part_number)';
        shown := $s$coalesce(nullif(t.name, ''), t.model, t.kind)::text, jsonb_build_object('kind', t.kind, 'slot', t.slot,
            'name', t.name, 'manufacturer', t.manufacturer, 'model', t.model, 'serial_number', t.serial_number,
            'part_number', t.part_number)$s$;
        stages := ARRAY[format('lower(t.serial_number) = %L', whole), format('lower(t.serial_number) LIKE %L', begins)];
        ranks := '{0,1}';
    WHEN 'interface' THEN
        source := 'network_interfaces t JOIN devices d ON d.id = t.device_id';
        searched := 't.description';
        besides := $s$ AND t.description <> ''$s$;
        shown := $s$t.interface_name::text, jsonb_build_object('mac_address', t.mac_address, 'description', left(t.description, 200))$s$;
        stages := ARRAY['t.mac_address = ' || quote_literal(asked ->> 'mac'),
                        't.mac_address BETWEEN ' || quote_literal(asked ->> 'mac_from') || ' AND ' || quote_literal(asked ->> 'mac_to')];
        ranks := '{0,1}';
    WHEN 'address' THEN
        source := 'ip_addresses t JOIN devices d ON d.id = t.device_id';
        searched := 't.dns_name';
        besides := $s$ AND t.dns_name <> ''$s$;
        shown := $s$host(t.address), jsonb_build_object('address', t.address, 'dns_name', t.dns_name)$s$;
        stages := ARRAY['host(t.address) = ' || quote_literal(asked ->> 'address'),
                        'host(t.address)::inet BETWEEN ' || quote_literal(asked ->> 'network_from')
                        || ' AND ' || quote_literal(asked ->> 'network_to'),
                        'host(t.address) LIKE ' || quote_literal(asked ->> 'address_begins')];
        ranks := '{0,1,1}';
    WHEN 'config' THEN
        source := 'device_configs t JOIN devices d ON d.id = t.device_id';
        searched := 't.config_text';
        -- The newest of each.
        besides := $s$ AND NOT EXISTS (SELECT FROM device_configs n WHERE n.device_id = t.device_id
            AND n.config_type = t.config_type AND n.version > t.version)$s$;
        shown := $s$t.config_type || ' ' || t.version, jsonb_build_object('line', text_around(t.config_text, $1))$s$;
    WHEN 'note' THEN
        source := $s$notes t JOIN devices d ON t.object_type = 'devices' AND d.id = t.object_id$s$;
        searched := 't.body';
        shown := $s$t.author::text, jsonb_build_object('text', text_around(t.body, $1))$s$;
    WHEN 'file' THEN
        source := $s$attachments t JOIN devices d ON t.object_type = 'devices' AND d.id = t.object_id$s$;
        searched := 't.name';
        shown := $s$t.name::text, jsonb_build_object('name', t.name)$s$;
    END CASE;
    SELECT string_agg(format('%s ILIKE %L', searched, one), ' AND ') INTO words
    FROM jsonb_array_elements_text(asked -> 'words') AS one;
    stages := stages || (words || besides);
    ranks := ranks || 2;
    FOR stage IN 1 .. cardinality(stages) LOOP
        CONTINUE WHEN stages[stage] IS NULL;
        RETURN QUERY EXECUTE format('SELECT %s.id, d.id, %s, %s FROM %s WHERE (%s) AND %s LIMIT %s',
                                    CASE kind WHEN 'device' THEN 'd' ELSE 't' END, ranks[stage], shown, source, stages[stage],
                                    seen, most) USING asked ->> 'first';
        GET DIAGNOSTICS added = ROW_COUNT;
        found := found + added;
        EXIT WHEN found >= most;
    END LOOP;
END
$$;
-- The first place of a word in a text that may be long, with what stands around it.
CREATE FUNCTION text_around(content text, word text) RETURNS text LANGUAGE sql IMMUTABLE AS $$
    SELECT substr(content, greatest(1, position(word IN lower(content)) - 80), 240)
$$;
REVOKE EXECUTE ON FUNCTION search_fleet(text, jsonb, uuid[], integer), text_around(text, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION search_fleet(text, jsonb, uuid[], integer) TO fleetkeeper_app, fleetkeeper_whole_fleet;
