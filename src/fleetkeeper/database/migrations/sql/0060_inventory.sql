-- Inventory: places, parts, connections, configurations and facts of devices (document 003), and what each was when.

-- Places, a tree. Documents 001 and 003 share it; one of no department is everybody's.
CREATE TABLE locations (
    id uuid NOT NULL CONSTRAINT pk_locations PRIMARY KEY,
    name varchar(100) NOT NULL,
    parent_id uuid CONSTRAINT fk_locations_parent_id_locations REFERENCES locations,
    location_type varchar(30) NOT NULL DEFAULT 'site'
        CONSTRAINT ck_locations_location_type CHECK (location_type IN ('region', 'site', 'building', 'floor', 'room', 'rack', 'depot', 'vehicle', 'other')),
    department_id uuid CONSTRAINT fk_locations_department_id_departments REFERENCES departments,
    dept_id uuid GENERATED ALWAYS AS (department_id) STORED,
    address text NOT NULL DEFAULT '',
    description text NOT NULL DEFAULT '',
    is_active boolean NOT NULL DEFAULT true,
    version integer NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT uq_locations_parent_id_name UNIQUE NULLS NOT DISTINCT (parent_id, name)
);
CREATE INDEX ix_locations_department_id ON locations (department_id);
SELECT secure_table('locations');
CREATE POLICY shared ON locations FOR SELECT TO fleetkeeper_app USING (department_id IS NULL);
SELECT audit_table('locations', '{id}', 'name', NULL, '{updated_at,created_at,version}');

ALTER TABLE devices
    ADD COLUMN location_id uuid CONSTRAINT fk_devices_location_id_locations REFERENCES locations ON DELETE SET NULL,
    ADD COLUMN asset_tag varchar(100),
    ADD COLUMN owner varchar(255),
    ADD COLUMN description text,
    ADD COLUMN purchased_on date,
    ADD COLUMN warranty_until date,
    ADD COLUMN end_of_support_on date,
    -- The source that knew it first, as document 003 has it; all of them are in device_sources.
    ADD COLUMN source_system varchar(50),
    ADD COLUMN source_id varchar(300);
CREATE INDEX ix_devices_location_id ON devices (location_id, name, id) WHERE location_id IS NOT NULL;
CREATE INDEX ix_devices_asset_tag ON devices (asset_tag) WHERE asset_tag IS NOT NULL;
CREATE INDEX ix_devices_source ON devices (source_system, source_id);
CREATE INDEX ix_devices_warranty_until ON devices (warranty_until, id) WHERE warranty_until IS NOT NULL;
SELECT audit_table('devices', '{id}', 'name', 'id',
                   '{first_seen,last_seen,status,updated_at,version,search_text,source_system,source_id}');

-- What belongs to a device is seen and changed with it. Called by migrations.
CREATE FUNCTION secure_device_table(target text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    own text := 'device_id IN (SELECT id FROM devices WHERE department_id = ANY ((SELECT changeable_departments())::uuid[]))';
BEGIN
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', target);
    EXECUTE format('CREATE POLICY whole_fleet ON %I TO fleetkeeper_whole_fleet USING (true) WITH CHECK (true)', target);
    EXECUTE format('CREATE POLICY device_read ON %I FOR SELECT TO fleetkeeper_app, dashboard_readonly, analyst '
                   'USING (device_id IN (SELECT id FROM devices))', target);
    EXECUTE format('CREATE POLICY device_insert ON %I FOR INSERT TO fleetkeeper_app WITH CHECK (%s)', target, own);
    EXECUTE format('CREATE POLICY device_update ON %I FOR UPDATE TO fleetkeeper_app USING (%s)', target, own);
    EXECUTE format('CREATE POLICY device_delete ON %I FOR DELETE TO fleetkeeper_app USING (%s)', target, own);
    EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %I TO fleetkeeper_app, fleetkeeper_whole_fleet', target);
    EXECUTE format('GRANT SELECT ON %I TO dashboard_readonly, analyst', target);
END
$$;
REVOKE EXECUTE ON FUNCTION secure_device_table(text) FROM PUBLIC;

CREATE TABLE device_relationships (
    id uuid NOT NULL CONSTRAINT pk_device_relationships PRIMARY KEY,
    parent_device_id uuid NOT NULL
        CONSTRAINT fk_device_relationships_parent_device_id_devices REFERENCES devices ON DELETE CASCADE,
    child_device_id uuid NOT NULL
        CONSTRAINT fk_device_relationships_child_device_id_devices REFERENCES devices ON DELETE CASCADE,
    relationship_type varchar(30) NOT NULL CONSTRAINT ck_device_relationships_relationship_type
        CHECK (relationship_type IN ('hosts', 'connects_to', 'backs_up', 'manages', 'powers')),
    metadata jsonb NOT NULL DEFAULT '{}',
    -- Who says so: a source that takes it back takes back nobody else's.
    source_system varchar(50) NOT NULL DEFAULT 'manual',
    valid_from timestamptz NOT NULL DEFAULT now(),
    valid_to timestamptz,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    version integer NOT NULL DEFAULT 1,
    CONSTRAINT ck_device_relationships_other CHECK (parent_device_id <> child_device_id),
    CONSTRAINT ck_device_relationships_valid CHECK (valid_to > valid_from)
);
CREATE INDEX ix_device_relationships_parent_device_id ON device_relationships (parent_device_id);
CREATE INDEX ix_device_relationships_child_device_id ON device_relationships (child_device_id);
CREATE INDEX ix_device_relationships_relationship_type ON device_relationships (relationship_type);
CREATE UNIQUE INDEX uq_device_relationships_current
    ON device_relationships (parent_device_id, child_device_id, relationship_type) WHERE valid_to IS NULL;
-- A cable has two ends and no direction.
CREATE UNIQUE INDEX uq_device_relationships_ends
    ON device_relationships (least(parent_device_id, child_device_id), greatest(parent_device_id, child_device_id))
    WHERE relationship_type = 'connects_to' AND valid_to IS NULL;
-- A machine runs on one host at a time.
CREATE UNIQUE INDEX uq_device_relationships_host ON device_relationships (child_device_id)
    WHERE relationship_type = 'hosts' AND valid_to IS NULL;
ALTER TABLE device_relationships ENABLE ROW LEVEL SECURITY;
CREATE POLICY whole_fleet ON device_relationships TO fleetkeeper_whole_fleet USING (true) WITH CHECK (true);
-- Seen by those who see both ends, and changed by those who may change both.
CREATE POLICY device_read ON device_relationships FOR SELECT TO fleetkeeper_app, dashboard_readonly, analyst
    USING (parent_device_id IN (SELECT id FROM devices) AND child_device_id IN (SELECT id FROM devices));
CREATE POLICY device_write ON device_relationships TO fleetkeeper_app
    USING (parent_device_id IN (SELECT id FROM devices WHERE department_id = ANY ((SELECT changeable_departments())::uuid[]))
           AND child_device_id IN (SELECT id FROM devices WHERE department_id = ANY ((SELECT changeable_departments())::uuid[])));
GRANT SELECT, INSERT, UPDATE, DELETE ON device_relationships TO fleetkeeper_app, fleetkeeper_whole_fleet;
GRANT SELECT ON device_relationships TO dashboard_readonly, analyst;
SELECT audit_table('device_relationships', '{id}', 'relationship_type', 'parent_device_id', '{updated_at,created_at,version}');

CREATE TABLE vms (
    id uuid NOT NULL CONSTRAINT pk_vms PRIMARY KEY,
    device_id uuid NOT NULL CONSTRAINT fk_vms_device_id_devices REFERENCES devices ON DELETE CASCADE,
    source_system varchar(50) NOT NULL DEFAULT 'manual',
    instance_uuid varchar(100),
    guest_os varchar(300),
    cpu_count integer,
    memory_mb bigint,
    power_state varchar(20) CONSTRAINT ck_vms_power_state CHECK (power_state IN ('POWERED_ON', 'POWERED_OFF', 'SUSPENDED')),
    tools_running boolean,
    ip_addresses jsonb NOT NULL DEFAULT '[]',
    -- [{"name", "capacity_bytes", "datastore", "thin_provisioned"}]
    disks jsonb NOT NULL DEFAULT '[]',
    -- [{"name", "created_at", "size_bytes", "description"}]
    snapshots jsonb NOT NULL DEFAULT '[]',
    total_disk_capacity_bytes bigint NOT NULL DEFAULT 0,
    total_snapshot_size_bytes bigint NOT NULL DEFAULT 0,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    version integer NOT NULL DEFAULT 1,
    CONSTRAINT uq_vms_device_id UNIQUE (device_id)
);
CREATE INDEX ix_vms_instance_uuid ON vms (instance_uuid);
CREATE INDEX ix_vms_power_state ON vms (power_state);
SELECT secure_device_table('vms');
SELECT audit_table('vms', '{id}', 'instance_uuid', 'device_id', '{updated_at,created_at,version}');

CREATE TABLE network_interfaces (
    id uuid NOT NULL CONSTRAINT pk_network_interfaces PRIMARY KEY,
    device_id uuid NOT NULL CONSTRAINT fk_network_interfaces_device_id_devices REFERENCES devices ON DELETE CASCADE,
    source_system varchar(50) NOT NULL DEFAULT 'manual',
    interface_name varchar(100) NOT NULL,
    mac_address macaddr,
    -- Its addresses with the length of their prefix; kept in step with the table ip_addresses.
    ip_addresses inet[] NOT NULL DEFAULT '{}',
    speed_mbps integer,
    status varchar(20) CONSTRAINT ck_network_interfaces_status CHECK (status IN ('up', 'down', 'disabled')),
    interface_type varchar(20) NOT NULL DEFAULT 'physical' CONSTRAINT ck_network_interfaces_interface_type
        CHECK (interface_type IN ('physical', 'virtual', 'loopback', 'bridge', 'bond', 'vlan', 'wireless')),
    vlan_id integer CONSTRAINT ck_network_interfaces_vlan_id CHECK (vlan_id BETWEEN 1 AND 4094),
    parent_name varchar(100),
    mtu integer,
    duplex varchar(10),
    description text NOT NULL DEFAULT '',
    metadata jsonb NOT NULL DEFAULT '{}',
    missing_since timestamptz,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    version integer NOT NULL DEFAULT 1,
    CONSTRAINT uq_network_interfaces_device_id_interface_name UNIQUE (device_id, interface_name),
    CONSTRAINT uq_network_interfaces_id_device_id UNIQUE (id, device_id)
);
CREATE INDEX ix_network_interfaces_mac_address ON network_interfaces (mac_address);
CREATE INDEX ix_network_interfaces_status ON network_interfaces (status);
SELECT secure_device_table('network_interfaces');
SELECT audit_table('network_interfaces', '{id}', 'interface_name', 'device_id', '{updated_at,created_at,version,ip_addresses}');

CREATE TABLE ip_addresses (
    id uuid NOT NULL CONSTRAINT pk_ip_addresses PRIMARY KEY,
    device_id uuid NOT NULL CONSTRAINT fk_ip_addresses_device_id_devices REFERENCES devices ON DELETE CASCADE,
    interface_id uuid NOT NULL,
    source_system varchar(50) NOT NULL DEFAULT 'manual',
    address inet NOT NULL,
    dns_name varchar(255) NOT NULL DEFAULT '',
    status varchar(20) NOT NULL DEFAULT 'active'
        CONSTRAINT ck_ip_addresses_status CHECK (status IN ('active', 'reserved', 'deprecated', 'dhcp', 'slaac')),
    is_primary boolean NOT NULL DEFAULT false,
    description text NOT NULL DEFAULT '',
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    version integer NOT NULL DEFAULT 1,
    CONSTRAINT uq_ip_addresses_interface_id_address UNIQUE (interface_id, address),
    -- An address goes with its interface to another device.
    CONSTRAINT fk_ip_addresses_interface_id_device_id_network_interfaces FOREIGN KEY (interface_id, device_id)
        REFERENCES network_interfaces (id, device_id) ON UPDATE CASCADE ON DELETE CASCADE
);
CREATE INDEX ix_ip_addresses_device_id ON ip_addresses (device_id);
CREATE INDEX ix_ip_addresses_address ON ip_addresses (address);
CREATE INDEX ix_ip_addresses_within ON ip_addresses USING gist (address inet_ops);
-- A device is reached by one address of each family.
CREATE UNIQUE INDEX uq_ip_addresses_primary ON ip_addresses (device_id, family(address)) WHERE is_primary;
SELECT secure_device_table('ip_addresses');
SELECT audit_table('ip_addresses', '{id}', 'address', 'device_id', '{updated_at,created_at,version}');

CREATE FUNCTION gather_ip_addresses() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    UPDATE network_interfaces i
    SET ip_addresses = coalesce((SELECT array_agg(a.address ORDER BY family(a.address), a.address)
                                 FROM ip_addresses a WHERE a.interface_id = i.id), '{}')
    WHERE i.id IN (SELECT interface_id FROM changed_rows);
    RETURN NULL;
END
$$;
REVOKE EXECUTE ON FUNCTION gather_ip_addresses() FROM PUBLIC;
CREATE TRIGGER gather_inserted AFTER INSERT ON ip_addresses REFERENCING NEW TABLE AS changed_rows
    FOR EACH STATEMENT EXECUTE FUNCTION gather_ip_addresses();
CREATE TRIGGER gather_deleted AFTER DELETE ON ip_addresses REFERENCING OLD TABLE AS changed_rows
    FOR EACH STATEMENT EXECUTE FUNCTION gather_ip_addresses();
CREATE TRIGGER gather_updated_from AFTER UPDATE ON ip_addresses REFERENCING OLD TABLE AS changed_rows
    FOR EACH STATEMENT EXECUTE FUNCTION gather_ip_addresses();
CREATE TRIGGER gather_updated_to AFTER UPDATE ON ip_addresses REFERENCING NEW TABLE AS changed_rows
    FOR EACH STATEMENT EXECUTE FUNCTION gather_ip_addresses();

CREATE TABLE storage_volumes (
    id uuid NOT NULL CONSTRAINT pk_storage_volumes PRIMARY KEY,
    device_id uuid CONSTRAINT fk_storage_volumes_device_id_devices REFERENCES devices ON DELETE CASCADE,
    source_system varchar(50) NOT NULL DEFAULT 'manual',
    source_instance varchar(100) NOT NULL DEFAULT '',
    source_id varchar(300) NOT NULL,
    name varchar(255) NOT NULL,
    volume_type varchar(30) CONSTRAINT ck_storage_volumes_volume_type
        CHECK (volume_type IN ('lun', 'filesystem', 'datastore', 'qtree', 'disk', 'logical_volume', 'other')),
    capacity_bytes bigint,
    used_bytes bigint,
    storage_array varchar(255),
    raid_level varchar(50),
    thin_provisioned boolean,
    mount_point varchar(1000),
    metadata jsonb NOT NULL DEFAULT '{}',
    missing_since timestamptz,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    version integer NOT NULL DEFAULT 1,
    CONSTRAINT uq_storage_volumes_source UNIQUE (source_system, source_instance, source_id)
);
CREATE INDEX ix_storage_volumes_device_id ON storage_volumes (device_id);
CREATE INDEX ix_storage_volumes_storage_array ON storage_volumes (storage_array);
CREATE INDEX ix_storage_volumes_volume_type ON storage_volumes (volume_type);
SELECT secure_device_table('storage_volumes');
SELECT audit_table('storage_volumes', '{id}', 'name', 'device_id', '{updated_at,created_at,version,used_bytes}');

CREATE TABLE hardware_components (
    id uuid NOT NULL CONSTRAINT pk_hardware_components PRIMARY KEY,
    device_id uuid NOT NULL CONSTRAINT fk_hardware_components_device_id_devices REFERENCES devices ON DELETE CASCADE,
    source_system varchar(50) NOT NULL DEFAULT 'manual',
    kind varchar(30) NOT NULL CONSTRAINT ck_hardware_components_kind
        CHECK (kind IN ('mainboard', 'chassis', 'bios', 'processor', 'memory', 'disk', 'network_card', 'gpu', 'power_supply', 'fan', 'battery', 'other')),
    -- Where it sits, by which it is known again: a slot, a bus address, a device's name.
    slot varchar(200) NOT NULL,
    name varchar(300) NOT NULL DEFAULT '',
    manufacturer varchar(300),
    model varchar(300),
    serial_number varchar(300),
    part_number varchar(300),
    firmware varchar(300),
    capacity_bytes bigint,
    metadata jsonb NOT NULL DEFAULT '{}',
    missing_since timestamptz,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    version integer NOT NULL DEFAULT 1,
    CONSTRAINT uq_hardware_components_place UNIQUE (device_id, kind, slot)
);
CREATE INDEX ix_hardware_components_serial_number ON hardware_components (serial_number) WHERE serial_number IS NOT NULL;
SELECT secure_device_table('hardware_components');

-- One row for each value that a fact had; the newest of each name is current.
CREATE TABLE server_facts (
    id uuid NOT NULL CONSTRAINT pk_server_facts PRIMARY KEY,
    device_id uuid NOT NULL CONSTRAINT fk_server_facts_device_id_devices REFERENCES devices ON DELETE CASCADE,
    source_system varchar(50) NOT NULL DEFAULT 'manual',
    fact_name varchar(200) NOT NULL,
    fact_value jsonb,
    collected_at timestamptz NOT NULL,
    replaced_at timestamptz
);
CREATE INDEX ix_server_facts_device_id_fact_name ON server_facts (device_id, fact_name, collected_at DESC);
CREATE INDEX ix_server_facts_fact_name ON server_facts (fact_name);
CREATE UNIQUE INDEX uq_server_facts_current ON server_facts (device_id, source_system, fact_name) WHERE replaced_at IS NULL;
SELECT secure_device_table('server_facts');

CREATE TABLE device_configs (
    id uuid NOT NULL CONSTRAINT pk_device_configs PRIMARY KEY,
    device_id uuid NOT NULL CONSTRAINT fk_device_configs_device_id_devices REFERENCES devices ON DELETE CASCADE,
    source_system varchar(50) NOT NULL DEFAULT 'manual',
    config_type varchar(50) NOT NULL DEFAULT 'running',
    -- Secrets are masked before it is stored.
    config_text text NOT NULL,
    config_hash char(64) NOT NULL,
    version integer NOT NULL,
    retrieved_at timestamptz NOT NULL,
    -- When the same configuration was seen last.
    confirmed_at timestamptz NOT NULL,
    CONSTRAINT uq_device_configs_version UNIQUE (device_id, config_type, version)
);
CREATE INDEX ix_device_configs_device_id_version ON device_configs (device_id, version DESC);
CREATE INDEX ix_device_configs_config_hash ON device_configs (config_hash);
CREATE INDEX ix_device_configs_retrieved_at ON device_configs (retrieved_at DESC);
CREATE INDEX ix_device_configs_search ON device_configs USING gin (config_text gin_trgm_ops);
SELECT secure_device_table('device_configs');
SELECT audit_table('device_configs', '{id}', 'config_type', 'device_id', '{config_text,confirmed_at}');

-- What each device and part was, and since when. Kept by triggers, whoever changes something; nobody else writes here.
CREATE TABLE device_revisions (
    id bigint NOT NULL GENERATED ALWAYS AS IDENTITY CONSTRAINT pk_device_revisions PRIMARY KEY,
    -- Readers who follow changes take those of transactions that are over, so that none comes late.
    xact bigint NOT NULL DEFAULT (pg_current_xact_id()::text::bigint),
    device_id uuid NOT NULL,
    object_type varchar(30) NOT NULL,
    object_id uuid NOT NULL,
    operation varchar(10) NOT NULL,
    valid_from timestamptz NOT NULL DEFAULT now(),
    valid_to timestamptz NOT NULL DEFAULT 'infinity',
    -- Null for what was deleted, which was valid at no moment.
    content jsonb,
    changed text[] NOT NULL DEFAULT '{}',
    actor_kind varchar(20) NOT NULL DEFAULT '',
    actor_name varchar(255) NOT NULL DEFAULT '',
    reason text NOT NULL DEFAULT ''
);
CREATE UNIQUE INDEX uq_device_revisions_current ON device_revisions (object_id, device_id) WHERE valid_to = 'infinity';
CREATE INDEX ix_device_revisions_device_id ON device_revisions (device_id, valid_from DESC, id DESC);
CREATE INDEX ix_device_revisions_feed ON device_revisions (xact, id);
-- The devices of a past moment in the order of their names then.
CREATE INDEX ix_device_revisions_names ON device_revisions ((content ->> 'name'), object_id, valid_from, valid_to)
    WHERE object_type = 'devices';
ALTER TABLE device_revisions ENABLE ROW LEVEL SECURITY;
CREATE POLICY whole_fleet ON device_revisions FOR SELECT TO fleetkeeper_whole_fleet USING (true);
CREATE POLICY device_read ON device_revisions FOR SELECT TO fleetkeeper_app, dashboard_readonly, analyst
    USING (device_id IN (SELECT id FROM devices));
GRANT SELECT ON device_revisions TO fleetkeeper_app, fleetkeeper_whole_fleet, dashboard_readonly, analyst;

-- Makes the triggers that keep revisions of a table. `devices_of` names the columns of the devices that a row concerns,
-- `skipped` those that say nothing of what is true of it. Called by migrations; again after columns were added.
CREATE FUNCTION revise_table(target text, devices_of text[], skipped text[]) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    made text := 'revise_' || target;
    compared_old text;
    compared_new text;
    of_new text;
    of_old text;
BEGIN
    SELECT string_agg(format('o.%I', attname), ', ' ORDER BY attnum), string_agg(format('n.%I', attname), ', ' ORDER BY attnum)
    INTO compared_old, compared_new
    FROM pg_attribute
    WHERE attrelid = target::regclass AND attnum > 0 AND NOT attisdropped AND attgenerated = '' AND attname <> ALL (skipped);
    SELECT string_agg(format('n.%I', name), ', '), string_agg(format('o.%I', name), ', ') INTO of_new, of_old
    FROM unnest(devices_of) AS name;
    EXECUTE format($made$
        CREATE OR REPLACE FUNCTION %1$I() RETURNS trigger
        LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $body$
        DECLARE
            c audit_context;
        BEGIN
            IF TG_OP = 'UPDATE' THEN
                -- A cached plan of the first call, which had one row, must do for many: hence the full join behind a fence, and arrays.
                IF NOT EXISTS (%3$s) THEN
                    RETURN NULL;
                END IF;
                c := current_audit_context();
                UPDATE device_revisions r SET valid_to = greatest(now(), r.valid_from)
                WHERE r.object_id = ANY (ARRAY(SELECT d.id FROM (%3$s) d)) AND r.valid_to = 'infinity' AND r.object_type = %2$L;
                -- A part that went to another device ends at the one before.
                INSERT INTO device_revisions (device_id, object_type, object_id, operation, valid_to, actor_kind, actor_name, reason)
                SELECT device, %2$L, d.id, 'delete', now(), coalesce(c.actor_kind, ''), coalesce(c.actor_name, ''), coalesce(c.reason, '')
                FROM (%3$s) d, unnest(d.were) AS device WHERE device IS NOT NULL AND device <> ALL (array_remove(d.are, NULL));
                INSERT INTO device_revisions (device_id, object_type, object_id, operation, content, changed, actor_kind, actor_name, reason)
                SELECT device, %2$L, d.id, CASE WHEN device = ANY (d.were) THEN 'update' ELSE 'insert' END, d.new_row - %6$L::text[],
                       (SELECT coalesce(array_agg(key ORDER BY key), '{}') FROM jsonb_each(d.new_row - %6$L::text[])
                        WHERE value IS DISTINCT FROM d.old_row -> key),
                       coalesce(c.actor_kind, ''), coalesce(c.actor_name, ''), coalesce(c.reason, '')
                FROM (%3$s) d, unnest(d.are) AS device WHERE device IS NOT NULL;
            ELSIF TG_OP = 'INSERT' THEN
                IF NOT EXISTS (SELECT FROM new_rows) THEN
                    RETURN NULL;
                END IF;
                c := current_audit_context();
                INSERT INTO device_revisions (device_id, object_type, object_id, operation, content, actor_kind, actor_name, reason)
                SELECT device, %2$L, n.id, 'insert', to_jsonb(n) - %6$L::text[],
                       coalesce(c.actor_kind, ''), coalesce(c.actor_name, ''), coalesce(c.reason, '')
                FROM new_rows n, unnest(ARRAY[%4$s]) AS device WHERE device IS NOT NULL;
            ELSE
                IF NOT EXISTS (SELECT FROM old_rows) THEN
                    RETURN NULL;
                END IF;
                c := current_audit_context();
                UPDATE device_revisions r SET valid_to = greatest(now(), r.valid_from)
                WHERE r.object_id = ANY (ARRAY(SELECT id FROM old_rows)) AND r.valid_to = 'infinity' AND r.object_type = %2$L;
                INSERT INTO device_revisions (device_id, object_type, object_id, operation, valid_to, actor_kind, actor_name, reason)
                SELECT device, %2$L, o.id, 'delete', now(), coalesce(c.actor_kind, ''), coalesce(c.actor_name, ''), coalesce(c.reason, '')
                FROM old_rows o, unnest(ARRAY[%5$s]) AS device WHERE device IS NOT NULL;
            END IF;
            RETURN NULL;
        END
        $body$
    $made$, made, target,
           format('SELECT o.id, to_jsonb(o) AS old_row, to_jsonb(n) AS new_row, ARRAY[%s] AS were, ARRAY[%s] AS are '
                  'FROM new_rows n FULL JOIN old_rows o ON n.id = o.id WHERE (%s) IS DISTINCT FROM (%s) OFFSET 0',
                  of_old, of_new, compared_old, compared_new),
           of_new, of_old, skipped);
    EXECUTE format('REVOKE EXECUTE ON FUNCTION %I() FROM PUBLIC', made);
    EXECUTE format('CREATE OR REPLACE TRIGGER revise_insert AFTER INSERT ON %I REFERENCING NEW TABLE AS new_rows '
                   'FOR EACH STATEMENT EXECUTE FUNCTION %I()', target, made);
    EXECUTE format('CREATE OR REPLACE TRIGGER revise_update AFTER UPDATE ON %I REFERENCING OLD TABLE AS old_rows '
                   'NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION %I()', target, made);
    EXECUTE format('CREATE OR REPLACE TRIGGER revise_delete AFTER DELETE ON %I REFERENCING OLD TABLE AS old_rows '
                   'FOR EACH STATEMENT EXECUTE FUNCTION %I()', target, made);
END
$$;
REVOKE EXECUTE ON FUNCTION revise_table(text, text[], text[]) FROM PUBLIC;

SELECT revise_table('devices', '{id}',
                    '{search_text,interfaces,first_seen,last_seen,status,created_at,updated_at,version,source_system,source_id}');
SELECT revise_table('device_relationships', '{parent_device_id,child_device_id}', '{created_at,updated_at,version}');
SELECT revise_table('vms', '{device_id}', '{created_at,updated_at,version}');
SELECT revise_table('network_interfaces', '{device_id}', '{created_at,updated_at,version}');
SELECT revise_table('ip_addresses', '{device_id}', '{created_at,updated_at,version}');
SELECT revise_table('storage_volumes', '{device_id}', '{created_at,updated_at,version,used_bytes}');
SELECT revise_table('hardware_components', '{device_id}', '{created_at,updated_at,version}');

-- What is there begins its history now.
INSERT INTO device_revisions (device_id, object_type, object_id, operation, valid_from, content)
SELECT d.id, 'devices', d.id, 'insert', d.created_at,
       to_jsonb(d) - '{search_text,interfaces,first_seen,last_seen,status,created_at,updated_at,version,source_system,source_id}'::text[]
FROM devices d;

-- The source that knew a device first, told beside it.
CREATE FUNCTION name_first_source() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    UPDATE devices d SET source_system = first.source_system, source_id = first.source_id
    FROM (
        SELECT DISTINCT ON (c.device_id) c.device_id, s.source_system, s.source_id
        FROM (SELECT DISTINCT device_id FROM changed_rows) c LEFT JOIN device_sources s USING (device_id)
        ORDER BY c.device_id, s.first_seen, s.id
    ) first
    WHERE d.id = first.device_id
      AND (d.source_system, d.source_id) IS DISTINCT FROM (first.source_system, first.source_id);
    RETURN NULL;
END
$$;
REVOKE EXECUTE ON FUNCTION name_first_source() FROM PUBLIC;
CREATE TRIGGER name_first_inserted AFTER INSERT ON device_sources REFERENCING NEW TABLE AS changed_rows
    FOR EACH STATEMENT EXECUTE FUNCTION name_first_source();
CREATE TRIGGER name_first_deleted AFTER DELETE ON device_sources REFERENCING OLD TABLE AS changed_rows
    FOR EACH STATEMENT EXECUTE FUNCTION name_first_source();
UPDATE devices d SET source_system = s.source_system, source_id = s.source_id
FROM (SELECT DISTINCT ON (device_id) device_id, source_system, source_id FROM device_sources ORDER BY device_id, first_seen, id) s
WHERE s.device_id = d.id;
