"""A made-up inventory in SQL: each device with its components, interfaces, an address, relations and revisions."""

from bench.server import Server

SITES = 100
COMPONENTS = 20
INTERFACES = 4
# Of ten devices in a row one is a switch, two are servers with three virtual machines each, and one is storage.
_TYPES = "ARRAY['network_device', 'server', 'vm', 'vm', 'vm', 'server', 'vm', 'vm', 'vm', 'storage']"
_SKIPPED = (
    "'{search_text,interfaces,first_seen,last_seen,status,created_at,updated_at,version,"
    "source_system,source_id,number}'"
)  # fmt: skip

# Triggers would make revisions, vital signs and audit entries row by row; the first two are inserted here instead.
_PLACES = """
SET session_replication_role = replica;
-- Indexes of texts are made at the end, which takes a tenth of the time.
CREATE TEMP TABLE kept AS SELECT indexname, indexdef FROM pg_indexes WHERE indexdef LIKE '%USING gin%'
    AND tablename IN ('devices', 'hardware_components', 'network_interfaces', 'ip_addresses', 'device_configs',
                      'notes');
SELECT format('DROP INDEX %I', indexname) FROM kept \\gexec
INSERT INTO departments (id, name)
SELECT md5('department ' || n)::uuid, 'Bench ' || n FROM generate_series(0, 9) AS n;
INSERT INTO locations (id, name, location_type, department_id)
SELECT md5('site ' || n)::uuid, 'Site ' || lpad(n::text, 3, '0'), 'site', NULL
FROM generate_series(0, {sites} - 1) AS n;
INSERT INTO devices (id, name, hostname, device_type, status, serial_number, asset_tag, manufacturer, model, os_name,
                     location_id, location, department_id, last_seen, first_seen)
SELECT md5('device ' || n)::uuid, kind || '-' || lpad(n::text, 6, '0'), kind || '-' || lpad(n::text, 6, '0'),
       kind,
       (ARRAY['online', 'online', 'online', 'offline'])[1 + n % 4], upper(substr(md5('serial ' || n), 1, 10)),
       'A-' || lpad(n::text, 7, '0'), (ARRAY['Dell Inc.', 'HPE', 'Lenovo', 'Cisco'])[1 + n % 4],
       'Model ' || n % 40, (ARRAY['Debian GNU/Linux', 'Ubuntu', 'Windows Server 2025'])[1 + n % 3],
       md5('site ' || n * {sites} / {devices})::uuid, 'Site ' || lpad((n * {sites} / {devices})::text, 3, '0'),
       md5('department ' || n % 10)::uuid, now() - n % 3600 * interval '1 second', now() - interval '1 year'
FROM (SELECT n, ({types})[1 + n % 10] AS kind FROM generate_series(0, {devices} - 1) AS n) AS made;
INSERT INTO device_vitals (device_id, ts, cpu_percent, memory_percent, disk_percent)
SELECT id, last_seen, random() * 100, random() * 100, random() * 100 FROM devices ON CONFLICT DO NOTHING;
"""
_PARTS = """
INSERT INTO hardware_components (id, device_id, kind, slot, name, manufacturer, model, serial_number, part_number,
                                 capacity_bytes)
SELECT gen_random_uuid(), md5('device ' || n)::uuid,
       (ARRAY['memory', 'disk', 'processor', 'network_card', 'fan'])[1 + p % 5],
       'slot ' || p,
       (ARRAY['DDR5 DIMM 32 GiB', 'NVMe SSD 1.9 TB', 'Xeon Gold 6430', 'ConnectX-6 Lx', 'System fan'])[1 + p % 5],
       (ARRAY['Samsung', 'Intel', 'Intel', 'NVIDIA', 'Delta'])[1 + p % 5], 'M' || n % 20 || '-' || p,
       upper(substr(md5('part ' || n || '.' || p), 1, 12)), 'P' || (n + p) % 500, 34359738368
FROM generate_series(0, {devices} - 1) AS n, generate_series(1, {components}) AS p;
INSERT INTO network_interfaces (id, device_id, interface_name, mac_address, ip_addresses, speed_mbps, status,
                                description)
SELECT md5('interface ' || n || '.' || p)::uuid, md5('device ' || n)::uuid, 'eth' || p,
       ('02' || lpad(to_hex(n * 4 + p), 10, '0'))::macaddr,
       CASE WHEN p = 0 THEN
           ARRAY[('10.' || n / 65536 || '.' || n / 256 % 256 || '.' || n % 256 || '/16')::inet] ELSE '{{}}' END,
       10000, 'up', CASE WHEN p = 1 THEN 'uplink to switch ' || n / 10 ELSE '' END
FROM generate_series(0, {devices} - 1) AS n, generate_series(0, {interfaces} - 1) AS p;
INSERT INTO ip_addresses (id, device_id, interface_id, address, dns_name, is_primary)
SELECT gen_random_uuid(), md5('device ' || n)::uuid, md5('interface ' || n || '.0')::uuid,
       ('10.' || n / 65536 || '.' || n / 256 % 256 || '.' || n % 256 || '/16')::inet,
       'host-' || n || '.bench.example', true
FROM generate_series(0, {devices} - 1) AS n;
INSERT INTO device_configs (id, device_id, config_text, config_hash, version, retrieved_at, confirmed_at)
SELECT gen_random_uuid(), md5('device ' || n)::uuid,
       'hostname network_device-' || n || E'\\n' || (
           SELECT string_agg('interface Ethernet' || i || E'\\n description port ' || i || ' of ' || n
                             || E'\\n no shutdown', E'\\n')
           FROM generate_series(1, 24) AS i) || E'\\nsnmp-server location ' || md5(n::text) || E'\\n',
       repeat('0', 64), 1, now(), now()
FROM generate_series(0, {devices} - 1, 10) AS n;
INSERT INTO notes (id, object_type, object_id, body, author)
SELECT gen_random_uuid(), 'devices', md5('device ' || n)::uuid,
       'Replaced the power supply under ticket INC' || lpad(n::text, 7, '0') || '; next check in spring.', 'admin'
FROM generate_series(0, {devices} - 1, 4) AS n;
-- Switches connect servers, servers host the virtual machines after them, storage backs servers up.
INSERT INTO device_relationships (id, parent_device_id, child_device_id, relationship_type, valid_from)
SELECT gen_random_uuid(), md5('device ' || parent)::uuid, md5('device ' || child)::uuid, type, now() - interval '1 year'
FROM generate_series(0, {devices} - 10, 10) AS n, LATERAL (VALUES
    (n, n + 1, 'connects_to'), (n, n + 5, 'connects_to'), (n + 1, n + 2, 'hosts'), (n + 1, n + 3, 'hosts'),
    (n + 1, n + 4, 'hosts'), (n + 5, n + 6, 'hosts'), (n + 5, n + 7, 'hosts'), (n + 5, n + 8, 'hosts'),
    (n + 9, n + 1, 'backs_up'), (n + 9, n + 5, 'backs_up'), (n, n + 9, 'connects_to'),
    (n, (n + 10) % ({devices} / 10 * 10), 'connects_to')) AS one(parent, child, type)
WHERE parent <> child ON CONFLICT DO NOTHING;
"""
_PAST = """
INSERT INTO device_revisions (device_id, object_type, object_id, operation, valid_from, content)
SELECT d.id, 'devices', d.id, 'insert', now() - interval '1 year', to_jsonb(d) - {skipped}::text[] FROM devices d
ON CONFLICT DO NOTHING;
INSERT INTO device_revisions (device_id, object_type, object_id, operation, valid_from, content)
SELECT t.device_id, 'hardware_components', t.id, 'insert', now() - interval '1 year', to_jsonb(t) - {skipped}::text[]
FROM hardware_components t;
INSERT INTO device_revisions (device_id, object_type, object_id, operation, valid_from, content)
SELECT t.device_id, 'network_interfaces', t.id, 'insert', now() - interval '1 year', to_jsonb(t) - {skipped}::text[]
FROM network_interfaces t;
SELECT indexdef FROM kept \\gexec
VACUUM ANALYZE;
"""


def insert_inventory(server: Server, devices: int) -> None:
    """Insert devices with all that hangs off them."""
    server.sql(
        (_PLACES + _PARTS + _PAST).format(
            devices=devices,
            sites=SITES,
            components=COMPONENTS,
            interfaces=INTERFACES,
            types=_TYPES,
            skipped=_SKIPPED,
        )
    )
