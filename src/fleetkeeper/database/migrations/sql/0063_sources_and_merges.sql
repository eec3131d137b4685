-- What each source says of a device and which source counts, devices that turn out to be one, and what people decide.

-- A device that was merged into another one stays, unseen: its telemetry is read with the other's, and it comes back
-- when the merge is undone.
ALTER TABLE devices ADD COLUMN merged_into uuid
    CONSTRAINT fk_devices_merged_into_devices REFERENCES devices ON DELETE CASCADE,
    ADD CONSTRAINT ck_devices_merged_into CHECK (merged_into <> id);
CREATE INDEX ix_devices_merged_into ON devices (merged_into) WHERE merged_into IS NOT NULL;

CREATE FUNCTION keep_merged_together() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    UPDATE devices SET department_id = NEW.department_id WHERE merged_into = NEW.id;
    RETURN NULL;
END
$$;
REVOKE EXECUTE ON FUNCTION keep_merged_together() FROM PUBLIC;
CREATE TRIGGER keep_merged_together AFTER UPDATE OF department_id ON devices
    FOR EACH ROW WHEN (OLD.department_id IS DISTINCT FROM NEW.department_id) EXECUTE FUNCTION keep_merged_together();

-- Evidence as each source gave it; device_identities has what is known of a device in all.
ALTER TABLE device_sources
    ADD COLUMN evidence jsonb NOT NULL DEFAULT '[]',
    -- A person said that it is this device; nothing takes it away by itself.
    ADD COLUMN is_confirmed boolean NOT NULL DEFAULT false;
ALTER TABLE device_identities
    ADD COLUMN strength real NOT NULL DEFAULT 0,
    ADD COLUMN source_system varchar(50) NOT NULL DEFAULT '';
UPDATE device_identities SET strength = CASE kind
    WHEN 'smbios_uuid' THEN 60 WHEN 'serial' THEN 60 WHEN 'machine_id' THEN 40 WHEN 'fqdn' THEN 25 WHEN 'hostname' THEN 10
    WHEN 'mac' THEN CASE WHEN value ~ '^.[26ae]' THEN 0 WHEN value ~ '^(00:05:69|00:0c:29|00:1c:14|00:50:56|00:15:5d|00:16:3e|08:00:27|52:54:00|bc:24:11)' THEN 10 ELSE 25 END
    ELSE 0 END;
SELECT audit_table('device_identities', '{id}', 'value', 'device_id', '{last_seen,strength,source_system}');
SELECT audit_table('device_sources', '{id}', 'source_id', 'device_id', '{last_seen}');
-- A source that goes to another device may leave one that it was the first of.
CREATE TRIGGER name_first_moved_from AFTER UPDATE ON device_sources REFERENCING OLD TABLE AS changed_rows
    FOR EACH STATEMENT EXECUTE FUNCTION name_first_source();
CREATE TRIGGER name_first_moved_to AFTER UPDATE ON device_sources REFERENCING NEW TABLE AS changed_rows
    FOR EACH STATEMENT EXECUTE FUNCTION name_first_source();

-- Host names are compared by their first part.
CREATE INDEX ix_device_identities_names ON device_identities (split_part(value, '.', 1)) WHERE kind IN ('hostname', 'fqdn');

-- What agents have said so far.
INSERT INTO device_sources (id, device_id, source_system, source_instance, source_id, attributes, first_seen, last_seen, evidence)
SELECT gen_random_uuid(), d.id, 'agent', '', d.id::text,
       jsonb_strip_nulls(jsonb_build_object(
           'hostname', d.hostname, 'fqdn', d.fqdn, 'domain', d.domain, 'os_name', d.os_name, 'os_version', d.os_version,
           'os_build', d.os_build, 'kernel', d.kernel, 'architecture', d.architecture, 'manufacturer', d.manufacturer,
           'model', d.model, 'serial_number', d.serial_number, 'virtualization', d.virtualization,
           'cpu_model', d.cpu_model, 'cpu_cores', d.cpu_cores, 'cpu_threads', d.cpu_threads,
           'memory_total_bytes', d.memory_total_bytes, 'device_type', d.device_type)),
       a.enrolled_at, coalesce(d.last_seen, a.enrolled_at),
       coalesce((SELECT jsonb_agg(jsonb_build_array(i.kind, i.value) ORDER BY i.kind, i.value)
                 FROM device_identities i WHERE i.device_id = d.id), '[]')
FROM agents a JOIN devices d ON d.id = a.device_id;

-- One row, locked by whoever decides what belongs together, so that two who come at once see each other's.
CREATE TABLE identity_turns (id integer NOT NULL CONSTRAINT pk_identity_turns PRIMARY KEY);
INSERT INTO identity_turns VALUES (1);
GRANT SELECT, UPDATE ON identity_turns TO fleetkeeper_app, fleetkeeper_whole_fleet;

CREATE TABLE identity_reviews (
    id uuid NOT NULL CONSTRAINT pk_identity_reviews PRIMARY KEY,
    device_id uuid NOT NULL CONSTRAINT fk_identity_reviews_device_id_devices REFERENCES devices ON DELETE CASCADE,
    other_device_id uuid NOT NULL CONSTRAINT fk_identity_reviews_other_device_id_devices REFERENCES devices ON DELETE CASCADE,
    score real NOT NULL,
    -- [{"kind", "points", "sentence"}]
    explanation jsonb NOT NULL,
    status varchar(20) NOT NULL DEFAULT 'open'
        CONSTRAINT ck_identity_reviews_status CHECK (status IN ('open', 'merged', 'different')),
    reason text NOT NULL DEFAULT '',
    decided_at timestamptz,
    decided_by varchar(255) NOT NULL DEFAULT '',
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    version integer NOT NULL DEFAULT 1,
    CONSTRAINT ck_identity_reviews_other CHECK (device_id < other_device_id),
    CONSTRAINT uq_identity_reviews_devices UNIQUE (device_id, other_device_id)
);
CREATE INDEX ix_identity_reviews_other_device_id ON identity_reviews (other_device_id);
CREATE INDEX ix_identity_reviews_open ON identity_reviews (score DESC, id) WHERE status = 'open';
ALTER TABLE identity_reviews ENABLE ROW LEVEL SECURITY;
CREATE POLICY whole_fleet ON identity_reviews TO fleetkeeper_whole_fleet USING (true) WITH CHECK (true);
CREATE POLICY device_read ON identity_reviews FOR SELECT TO fleetkeeper_app
    USING (device_id IN (SELECT id FROM devices) AND other_device_id IN (SELECT id FROM devices));
CREATE POLICY device_write ON identity_reviews TO fleetkeeper_app
    USING (device_id IN (SELECT id FROM devices WHERE department_id = ANY ((SELECT changeable_departments())::uuid[]))
           AND other_device_id IN (SELECT id FROM devices WHERE department_id = ANY ((SELECT changeable_departments())::uuid[])));
GRANT SELECT, INSERT, UPDATE, DELETE ON identity_reviews TO fleetkeeper_app, fleetkeeper_whole_fleet;
SELECT audit_table('identity_reviews', '{id}', 'status', 'device_id', '{updated_at,created_at,version,score,explanation}');

-- What people added to a device goes along with it.
GRANT UPDATE (object_id) ON attachments TO fleetkeeper_whole_fleet;

CREATE TABLE device_merges (
    id uuid NOT NULL CONSTRAINT pk_device_merges PRIMARY KEY,
    device_id uuid NOT NULL CONSTRAINT fk_device_merges_device_id_devices REFERENCES devices ON DELETE CASCADE,
    merged_device_id uuid NOT NULL CONSTRAINT fk_device_merges_merged_device_id_devices REFERENCES devices ON DELETE CASCADE,
    merged_name varchar(255) NOT NULL,
    merged_at timestamptz NOT NULL,
    merged_by varchar(255) NOT NULL DEFAULT '',
    is_automatic boolean NOT NULL DEFAULT false,
    reason text NOT NULL DEFAULT '',
    -- What went from the one to the other: {"table.column": [keys]}.
    moved jsonb NOT NULL DEFAULT '{}',
    -- Attributes of the kept device that changed by the merge: {"name": {"before", "after"}}.
    changed jsonb NOT NULL DEFAULT '{}',
    undone_at timestamptz,
    undone_by varchar(255) NOT NULL DEFAULT ''
);
CREATE INDEX ix_device_merges_device_id ON device_merges (device_id, merged_at DESC);
CREATE INDEX ix_device_merges_merged_device_id ON device_merges (merged_device_id);
SELECT secure_device_table('device_merges');
REVOKE ALL ON device_merges FROM dashboard_readonly, analyst;
SELECT audit_table('device_merges', '{id}', 'merged_name', 'device_id', '{moved}');

-- Which source is believed about an attribute, or about any (*): the lowest rank, while it is not too old.
CREATE TABLE attribute_rules (
    id uuid NOT NULL CONSTRAINT pk_attribute_rules PRIMARY KEY,
    attribute varchar(50) NOT NULL,
    source_system varchar(50) NOT NULL,
    rank integer NOT NULL CONSTRAINT ck_attribute_rules_rank CHECK (rank BETWEEN 1 AND 1000),
    max_age_days integer CONSTRAINT ck_attribute_rules_max_age_days CHECK (max_age_days BETWEEN 1 AND 3650),
    version integer NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT uq_attribute_rules_attribute_source_system UNIQUE (attribute, source_system)
);
ALTER TABLE attribute_rules ENABLE ROW LEVEL SECURITY;
CREATE POLICY whole_fleet ON attribute_rules TO fleetkeeper_whole_fleet USING (true) WITH CHECK (true);
CREATE POLICY everybody ON attribute_rules FOR SELECT TO fleetkeeper_app USING (true);
CREATE POLICY everywhere ON attribute_rules TO fleetkeeper_app USING ((SELECT acts_everywhere()));
GRANT SELECT, INSERT, UPDATE, DELETE ON attribute_rules TO fleetkeeper_app, fleetkeeper_whole_fleet;
SELECT audit_table('attribute_rules', '{id}', 'attribute', NULL, '{updated_at,created_at,version}');
INSERT INTO attribute_rules (id, attribute, source_system, rank, max_age_days) VALUES
    (gen_random_uuid(), '*', 'agent', 10, 30),
    (gen_random_uuid(), '*', 'vcenter', 20, 7),
    (gen_random_uuid(), '*', 'foreman', 30, 7),
    (gen_random_uuid(), '*', 'puppet', 40, 7),
    (gen_random_uuid(), '*', 'manual', 100, NULL);

CREATE TABLE attribute_pins (
    id uuid NOT NULL CONSTRAINT pk_attribute_pins PRIMARY KEY,
    device_id uuid NOT NULL CONSTRAINT fk_attribute_pins_device_id_devices REFERENCES devices ON DELETE CASCADE,
    attribute varchar(50) NOT NULL,
    value jsonb NOT NULL,
    reason text NOT NULL DEFAULT '',
    pinned_by varchar(255) NOT NULL DEFAULT '',
    pinned_at timestamptz NOT NULL,
    CONSTRAINT uq_attribute_pins_device_id_attribute UNIQUE (device_id, attribute)
);
SELECT secure_device_table('attribute_pins');
REVOKE ALL ON attribute_pins FROM dashboard_readonly, analyst;
SELECT audit_table('attribute_pins', '{id}', 'attribute', 'device_id', '{}');

-- Whose readers see devices see each once.
CREATE OR REPLACE VIEW systems WITH (security_barrier = true) AS
SELECT d.id AS system_id, d.hostname, d.fqdn, d.cpu_model, d.cpu_cores, d.cpu_threads,
       round(d.memory_total_bytes / 1073741824.0, 2) AS ram_total_gb, d.gpu_models ->> 0 AS gpu_model,
       jsonb_array_length(d.gpu_models) AS gpu_count, d.os_name, d.os_version, d.location, d.department_id,
       CASE WHEN d.lifecycle IN ('maintenance', 'retired') THEN d.lifecycle
            WHEN d.status = 'online' THEN 'active' ELSE 'offline' END AS status,
       d.first_seen, d.last_seen, d.created_at, d.updated_at
FROM devices d
WHERE d.merged_into IS NULL
  AND (reader_sees_all() OR d.department_id = ANY (reader_departments())
       OR pg_has_role(session_user, (SELECT relowner FROM pg_class WHERE oid = 'devices'::regclass), 'USAGE'));

SELECT revise_table('devices', '{id}',
                    '{search_text,interfaces,first_seen,last_seen,status,created_at,updated_at,version,source_system,source_id}');
