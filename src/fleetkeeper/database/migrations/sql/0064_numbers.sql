-- Numbers and slugs by which clients that know no UUIDs, such as those of NetBox, call objects.

ALTER TABLE departments ADD COLUMN number bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT uq_departments_number UNIQUE;
ALTER TABLE tags ADD COLUMN number bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT uq_tags_number UNIQUE;
ALTER TABLE custom_fields ADD COLUMN number bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT uq_custom_fields_number UNIQUE;
ALTER TABLE devices ADD COLUMN number bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT uq_devices_number UNIQUE;
ALTER TABLE network_interfaces
    ADD COLUMN number bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT uq_network_interfaces_number UNIQUE;
ALTER TABLE ip_addresses ADD COLUMN number bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT uq_ip_addresses_number UNIQUE;
ALTER TABLE locations
    ADD COLUMN number bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT uq_locations_number UNIQUE,
    -- Null: made from the name.
    ADD COLUMN slug varchar(100);
CREATE UNIQUE INDEX uq_locations_slug ON locations (slug) WHERE slug IS NOT NULL;

SELECT audit_table('departments', '{id}', 'name', NULL, '{updated_at,version,number}');
SELECT audit_table('tags', '{id}', 'name', NULL, '{updated_at,created_at,version,number}');
SELECT audit_table('custom_fields', '{id}', 'label', NULL, '{updated_at,created_at,version,number}');
SELECT audit_table('locations', '{id}', 'name', NULL, '{updated_at,created_at,version,number}');
SELECT audit_table('devices', '{id}', 'name', 'id',
                   '{first_seen,last_seen,status,updated_at,version,search_text,source_system,source_id,number}');
SELECT audit_table('network_interfaces', '{id}', 'interface_name', 'device_id',
                   '{updated_at,created_at,version,ip_addresses,number}');
SELECT audit_table('ip_addresses', '{id}', 'address', 'device_id', '{updated_at,created_at,version,number}');
SELECT revise_table('devices', '{id}',
                    '{search_text,interfaces,first_seen,last_seen,status,created_at,updated_at,version,source_system,source_id,number}');
SELECT revise_table('network_interfaces', '{device_id}', '{created_at,updated_at,version,number}');
SELECT revise_table('ip_addresses', '{device_id}', '{created_at,updated_at,version,number}');

-- What clients of NetBox register before a device has it: manufacturers, device types, roles and platforms. What
-- devices have is listed without a row here.
CREATE TABLE netbox_names (
    id uuid NOT NULL CONSTRAINT pk_netbox_names PRIMARY KEY,
    kind varchar(20) NOT NULL CONSTRAINT ck_netbox_names_kind
        CHECK (kind IN ('manufacturer', 'device_type', 'device_role', 'platform')),
    -- Of the kind, its maker and its name, as `netbox.numbers` has it.
    number bigint NOT NULL,
    -- Whose device type it is; empty for the other kinds.
    maker varchar(300) NOT NULL DEFAULT '',
    name varchar(300) NOT NULL,
    slug varchar(100) NOT NULL,
    description text NOT NULL DEFAULT '',
    attributes jsonb NOT NULL DEFAULT '{}',
    version integer NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT uq_netbox_names_number UNIQUE (kind, number),
    CONSTRAINT uq_netbox_names_name UNIQUE (kind, maker, name),
    CONSTRAINT uq_netbox_names_slug UNIQUE (kind, maker, slug)
);
-- They are of the whole installation, like tags.
GRANT SELECT, INSERT, UPDATE, DELETE ON netbox_names TO fleetkeeper_app, fleetkeeper_whole_fleet;
SELECT audit_table('netbox_names', '{id}', 'name', NULL, '{updated_at,created_at,version}');
