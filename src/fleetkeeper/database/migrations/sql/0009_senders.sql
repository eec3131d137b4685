-- By which label a sample finds its device; the first rule that fits decides.
CREATE TABLE sender_rules (
    id uuid NOT NULL CONSTRAINT pk_sender_rules PRIMARY KEY,
    position integer NOT NULL,
    protocol character varying(20) NOT NULL,
    labels text[] NOT NULL,
    pattern character varying(500) DEFAULT '' NOT NULL,
    description character varying(500) DEFAULT '' NOT NULL,
    enabled boolean DEFAULT true NOT NULL,
    created_at timestamptz DEFAULT now() NOT NULL,
    updated_at timestamptz DEFAULT now() NOT NULL,
    CONSTRAINT ck_sender_rules_protocol CHECK (protocol IN ('any', 'prometheus', 'influx', 'otlp', 'collectd'))
);

-- The names by which senders know devices. The primary one is left out of what is stored, and put back by readers.
CREATE TABLE telemetry_hosts (
    host character varying(300) NOT NULL CONSTRAINT pk_telemetry_hosts PRIMARY KEY,
    device_id uuid NOT NULL
        CONSTRAINT fk_telemetry_hosts_device_id_devices REFERENCES devices ON DELETE CASCADE,
    is_primary boolean NOT NULL,
    protocol character varying(20) DEFAULT '' NOT NULL,
    first_seen timestamptz DEFAULT now() NOT NULL
);
CREATE INDEX ix_telemetry_hosts_device_id ON telemetry_hosts (device_id);
CREATE UNIQUE INDEX ix_telemetry_hosts_primary ON telemetry_hosts (device_id) WHERE is_primary;

-- Counts changes of both, so that processes know when what they remember is out of date.
CREATE TABLE sender_mapping (
    id boolean DEFAULT true NOT NULL CONSTRAINT pk_sender_mapping PRIMARY KEY,
    version bigint NOT NULL,
    CONSTRAINT ck_sender_mapping_one_row CHECK (id)
);
INSERT INTO sender_mapping (version) VALUES (1);
CREATE FUNCTION note_sender_mapping() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    UPDATE sender_mapping SET version = version + 1;
    RETURN NULL;
END
$$;
REVOKE EXECUTE ON FUNCTION note_sender_mapping() FROM PUBLIC;
CREATE TRIGGER note_mapping AFTER INSERT OR UPDATE OR DELETE ON sender_rules
    FOR EACH STATEMENT EXECUTE FUNCTION note_sender_mapping();
-- A new name changes nothing of what is remembered. By row: deleting any device runs a statement here, mostly in vain.
CREATE TRIGGER note_mapping AFTER UPDATE OR DELETE ON telemetry_hosts
    FOR EACH ROW EXECUTE FUNCTION note_sender_mapping();

ALTER TABLE telemetry_hosts ENABLE ROW LEVEL SECURITY;
CREATE POLICY whole_fleet ON telemetry_hosts TO fleetkeeper_whole_fleet USING (true) WITH CHECK (true);
CREATE POLICY device_read ON telemetry_hosts FOR SELECT TO fleetkeeper_app, dashboard_readonly, analyst
    USING (device_id IN (SELECT id FROM devices));
CREATE POLICY device_insert ON telemetry_hosts FOR INSERT TO fleetkeeper_app WITH CHECK
    (device_id IN (SELECT id FROM devices WHERE department_id = ANY (changeable_departments())));
CREATE POLICY device_update ON telemetry_hosts FOR UPDATE TO fleetkeeper_app USING
    (device_id IN (SELECT id FROM devices WHERE department_id = ANY (changeable_departments())));
CREATE POLICY device_delete ON telemetry_hosts FOR DELETE TO fleetkeeper_app USING
    (device_id IN (SELECT id FROM devices WHERE department_id = ANY (changeable_departments())));
GRANT SELECT ON telemetry_hosts, sender_rules, sender_mapping TO fleetkeeper_app, dashboard_readonly, analyst;
GRANT SELECT, INSERT, UPDATE, DELETE ON telemetry_hosts, sender_rules TO fleetkeeper_whole_fleet, fleetkeeper_app;
GRANT SELECT ON sender_mapping TO fleetkeeper_whole_fleet;

SELECT audit_table('sender_rules', ARRAY['id'], 'description', skipped => ARRAY['created_at', 'updated_at']);
SELECT audit_table('telemetry_hosts', ARRAY['host'], 'host', 'device_id', skipped => ARRAY['first_seen']);

INSERT INTO sender_rules (id, position, protocol, labels, pattern, description) VALUES
    ('00000000-0000-7000-8000-000000000101', 1, 'prometheus', '{instance}',
     '^(?:\w+://)?\[?([^\[\]/:]+|[0-9A-Fa-f:.]+)\]?(?::\d+)?(?:/.*)?$',
     'Prometheus: the address of the target without scheme, port and path'),
    ('00000000-0000-7000-8000-000000000102', 2, 'prometheus', '{host_name,host,hostname,nodename,node}', '',
     'Prometheus: samples without an instance'),
    ('00000000-0000-7000-8000-000000000103', 3, 'influx', '{host,hostname}', '', 'Telegraf and other Influx clients'),
    ('00000000-0000-7000-8000-000000000104', 4, 'otlp', '{host.name,k8s.node.name}', '',
     'OpenTelemetry: the host of the resource'),
    ('00000000-0000-7000-8000-000000000105', 5, 'otlp', '{service.instance.id}',
     '^(?:\w+://)?([A-Za-z0-9._-]+):\d+$', 'OpenTelemetry: an instance that is host:port'),
    ('00000000-0000-7000-8000-000000000106', 6, 'collectd', '{host}', '', 'collectd: its Hostname');

-- Who may enrol machines could always make devices.
INSERT INTO role_permissions (id, role_id, permission)
SELECT gen_random_uuid(), role_id, 'devices:create' FROM role_permissions WHERE permission = 'enrollment:write';
