-- Rules over telemetry. `rule_id` is document 002's name of the key. Rules of one `unit` are evaluated one after the
-- other at the same instant, as a group of a Prometheus rule file is; any other rule is a unit of its own.
CREATE TABLE alert_rules (
    id uuid NOT NULL CONSTRAINT pk_alert_rules PRIMARY KEY,
    rule_id uuid GENERATED ALWAYS AS (id) STORED,
    unit uuid NOT NULL,
    position integer NOT NULL DEFAULT 0,
    name varchar(100) NOT NULL,
    description varchar(2000) NOT NULL DEFAULT '',
    origin varchar(10) NOT NULL DEFAULT 'person' CONSTRAINT ck_alert_rules_origin CHECK (origin IN ('builtin', 'person', 'file')),
    -- Of a built-in rule, by which an upgrade knows it; of one from a file, the file and the group.
    origin_key varchar(300),
    enabled boolean NOT NULL DEFAULT true,
    kind varchar(10) NOT NULL CONSTRAINT ck_alert_rules_kind CHECK (kind IN ('threshold', 'no_report', 'state', 'promql')),
    condition jsonb NOT NULL,
    severity varchar(10) NOT NULL CONSTRAINT ck_alert_rules_severity CHECK (severity IN ('info', 'warning', 'high', 'critical')),
    for_seconds integer NOT NULL DEFAULT 0 CONSTRAINT ck_alert_rules_for_seconds CHECK (for_seconds BETWEEN 0 AND 31536000),
    keep_firing_seconds integer NOT NULL DEFAULT 0
        CONSTRAINT ck_alert_rules_keep_firing_seconds CHECK (keep_firing_seconds BETWEEN 0 AND 31536000),
    interval_seconds integer NOT NULL DEFAULT 60
        CONSTRAINT ck_alert_rules_interval_seconds CHECK (interval_seconds BETWEEN 1 AND 86400),
    no_data varchar(10) NOT NULL DEFAULT 'ok' CONSTRAINT ck_alert_rules_no_data CHECK (no_data IN ('ok', 'keep', 'alert')),
    detects_flapping boolean NOT NULL DEFAULT true,
    quiets_device boolean NOT NULL DEFAULT false,
    labels jsonb NOT NULL DEFAULT '{}',
    annotations jsonb NOT NULL DEFAULT '{}',
    runbook_url varchar(2000) NOT NULL DEFAULT '',
    scope jsonb NOT NULL DEFAULT '{}',
    department_id uuid CONSTRAINT fk_alert_rules_department_id_departments REFERENCES departments,
    version integer NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX ix_alert_rules_department_id ON alert_rules (department_id);
CREATE INDEX ix_alert_rules_unit ON alert_rules (unit, position);
CREATE UNIQUE INDEX uq_alert_rules_name ON alert_rules (department_id, name) NULLS NOT DISTINCT WHERE origin <> 'file';
CREATE UNIQUE INDEX uq_alert_rules_origin_key ON alert_rules (origin_key) WHERE origin = 'builtin';

-- What is different for a device, or for those with a tag, without a copy of the rule. NULL is as the rule has it.
CREATE TABLE alert_overrides (
    id uuid NOT NULL CONSTRAINT pk_alert_overrides PRIMARY KEY,
    alert_rule_id uuid NOT NULL CONSTRAINT fk_alert_overrides_alert_rule_id_alert_rules REFERENCES alert_rules ON DELETE CASCADE,
    device_id uuid CONSTRAINT fk_alert_overrides_device_id_devices REFERENCES devices ON DELETE CASCADE,
    tag_id uuid CONSTRAINT fk_alert_overrides_tag_id_tags REFERENCES tags ON DELETE CASCADE,
    enabled boolean NOT NULL DEFAULT true,
    threshold double precision,
    recovery double precision,
    for_seconds integer CONSTRAINT ck_alert_overrides_for_seconds CHECK (for_seconds BETWEEN 0 AND 31536000),
    severity varchar(10) CONSTRAINT ck_alert_overrides_severity CHECK (severity IN ('info', 'warning', 'high', 'critical')),
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT ck_alert_overrides_whom CHECK (num_nonnulls(device_id, tag_id) = 1),
    CONSTRAINT uq_alert_overrides_alert_rule_id_device_id_tag_id UNIQUE NULLS NOT DISTINCT (alert_rule_id, device_id, tag_id)
);
CREATE INDEX ix_alert_overrides_device_id ON alert_overrides (device_id);
CREATE INDEX ix_alert_overrides_tag_id ON alert_overrides (tag_id);

-- When each unit is due, and how its last evaluation went. Whoever evaluates one holds its row locked.
CREATE TABLE alert_evaluations (
    unit uuid NOT NULL CONSTRAINT pk_alert_evaluations PRIMARY KEY,
    next_at timestamptz NOT NULL,
    evaluated_at timestamptz,
    -- Since when it is evaluated without a gap: silence counts from here at the earliest.
    running_since timestamptz,
    duration_seconds real,
    series integer NOT NULL DEFAULT 0,
    failing_since timestamptz,
    error varchar(1000) NOT NULL DEFAULT ''
);
CREATE INDEX ix_alert_evaluations_next_at ON alert_evaluations (next_at);

-- What is true now: one row for each set of labels that a rule finds. `rule_id` is all zeros for what came by the API.
CREATE TABLE alert_instances (
    rule_id uuid NOT NULL,
    fingerprint bytea NOT NULL,
    state varchar(10) NOT NULL CONSTRAINT ck_alert_instances_state CHECK (state IN ('pending', 'firing', 'inactive')),
    labels jsonb NOT NULL,
    device_id uuid CONSTRAINT fk_alert_instances_device_id_devices REFERENCES devices ON DELETE CASCADE,
    department_id uuid,
    value double precision,
    active_at timestamptz NOT NULL,
    fired_at timestamptz,
    keep_since timestamptz,
    resolved_at timestamptz,
    -- When it began to fire, of late: by these it counts as flapping.
    fires timestamptz[] NOT NULL DEFAULT '{}',
    is_flapping boolean NOT NULL DEFAULT false,
    -- Its row of the log, while it fires.
    alert_id bigint,
    triggered_at timestamptz,
    -- Of what came by the API: when it is over unless it comes again.
    expires_at timestamptz,
    CONSTRAINT pk_alert_instances PRIMARY KEY (rule_id, fingerprint)
) WITH (fillfactor = 70);
CREATE INDEX ix_alert_instances_device_id ON alert_instances (device_id);
CREATE INDEX ix_alert_instances_expires_at ON alert_instances (expires_at) WHERE expires_at IS NOT NULL;

-- Document 002's log of alerts, from trigger to resolution, in partitions of a week.
CREATE TABLE alert_logs (
    alert_id bigint GENERATED BY DEFAULT AS IDENTITY,
    rule_id uuid CONSTRAINT fk_alert_logs_rule_id_alert_rules REFERENCES alert_rules ON DELETE SET NULL,
    system_id uuid CONSTRAINT fk_alert_logs_system_id_devices REFERENCES devices ON DELETE CASCADE,
    department_id uuid,
    triggered_at timestamptz NOT NULL,
    resolved_at timestamptz,
    metric_name varchar(200) NOT NULL DEFAULT '',
    actual_value double precision,
    threshold_value double precision,
    is_acknowledged boolean NOT NULL DEFAULT false,
    acknowledged_by uuid CONSTRAINT fk_alert_logs_acknowledged_by_users REFERENCES users ON DELETE SET NULL,
    acknowledged_at timestamptz,
    acknowledged_until timestamptz,
    status varchar(15) NOT NULL DEFAULT 'firing'
        CONSTRAINT ck_alert_logs_status CHECK (status IN ('firing', 'acknowledged', 'snoozed', 'resolved')),
    snoozed_until timestamptz,
    name varchar(200) NOT NULL,
    severity varchar(10) NOT NULL CONSTRAINT ck_alert_logs_severity CHECK (severity IN ('info', 'warning', 'high', 'critical')),
    labels jsonb NOT NULL DEFAULT '{}',
    annotations jsonb NOT NULL DEFAULT '{}',
    fingerprint bytea NOT NULL,
    source varchar(10) NOT NULL DEFAULT 'rule' CONSTRAINT ck_alert_logs_source CHECK (source IN ('rule', 'api')),
    generator_url varchar(2000) NOT NULL DEFAULT '',
    pending_since timestamptz,
    last_value double precision,
    is_flapping boolean NOT NULL DEFAULT false,
    quiets_device boolean NOT NULL DEFAULT false,
    assignee_id uuid CONSTRAINT fk_alert_logs_assignee_id_users REFERENCES users ON DELETE SET NULL,
    -- Silences by ID, and the alert that quiets its device.
    suppressed_by jsonb,
    resolution varchar(20) NOT NULL DEFAULT '',
    resolved_by uuid CONSTRAINT fk_alert_logs_resolved_by_users REFERENCES users ON DELETE SET NULL,
    needs_routing boolean NOT NULL DEFAULT true,
    escalated_at timestamptz,
    device_name varchar(255) NOT NULL DEFAULT '',
    search_text text GENERATED ALWAYS AS (name || ' ' || device_name || ' ' || metric_name) STORED,
    CONSTRAINT pk_alert_logs PRIMARY KEY (alert_id, triggered_at)
) PARTITION BY RANGE (triggered_at);
CREATE INDEX ix_alert_logs_triggered_at ON alert_logs (triggered_at DESC);
CREATE INDEX ix_alert_logs_system_id ON alert_logs (system_id, triggered_at DESC);
CREATE INDEX ix_alert_logs_rule_id ON alert_logs (rule_id, triggered_at DESC);
CREATE INDEX ix_alert_logs_status ON alert_logs (status, triggered_at DESC);
CREATE INDEX ix_alert_logs_department_id ON alert_logs (department_id, triggered_at DESC);
CREATE INDEX ix_alert_logs_active ON alert_logs (triggered_at DESC) WHERE resolved_at IS NULL;
CREATE INDEX ix_alert_logs_needs_routing ON alert_logs (alert_id) WHERE needs_routing;
CREATE INDEX ix_alert_logs_search ON alert_logs USING gin (search_text gin_trgm_ops);

-- What happened to an alert: transitions, acts of people, comments, whom it was told.
CREATE TABLE alert_events (
    id uuid NOT NULL,
    alert_id bigint NOT NULL,
    triggered_at timestamptz NOT NULL,
    at timestamptz NOT NULL DEFAULT now(),
    kind varchar(20) NOT NULL,
    actor varchar(255) NOT NULL DEFAULT '',
    user_id uuid CONSTRAINT fk_alert_events_user_id_users REFERENCES users ON DELETE SET NULL,
    note varchar(2000) NOT NULL DEFAULT '',
    details jsonb NOT NULL DEFAULT '{}',
    CONSTRAINT pk_alert_events PRIMARY KEY (id, triggered_at)
) PARTITION BY RANGE (triggered_at);
CREATE INDEX ix_alert_events_alert_id ON alert_events (alert_id, at);
CREATE INDEX ix_alert_events_silence ON alert_events ((details ->> 'silence')) WHERE kind = 'silenced';

-- Silences, once or by a recurrence rule (RFC 5545) in a time zone.
CREATE TABLE alert_silences (
    id uuid NOT NULL CONSTRAINT pk_alert_silences PRIMARY KEY,
    name varchar(100) NOT NULL,
    comment varchar(2000) NOT NULL DEFAULT '',
    matchers jsonb NOT NULL DEFAULT '[]',
    device_id uuid CONSTRAINT fk_alert_silences_device_id_devices REFERENCES devices ON DELETE CASCADE,
    tag_id uuid CONSTRAINT fk_alert_silences_tag_id_tags REFERENCES tags ON DELETE CASCADE,
    department_id uuid CONSTRAINT fk_alert_silences_department_id_departments REFERENCES departments,
    starts_at timestamptz NOT NULL,
    -- NULL: a recurring one goes on until it is ended.
    ends_at timestamptz,
    recurrence varchar(500),
    time_zone varchar(60) NOT NULL DEFAULT 'UTC',
    duration_seconds integer CONSTRAINT ck_alert_silences_duration_seconds CHECK (duration_seconds BETWEEN 60 AND 2678400),
    created_by varchar(255) NOT NULL DEFAULT '',
    version integer NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT ck_alert_silences_span CHECK (ends_at IS NULL OR ends_at >= starts_at),
    CONSTRAINT ck_alert_silences_recurrence CHECK ((recurrence IS NULL) = (duration_seconds IS NULL)
                                                   AND (recurrence IS NOT NULL OR ends_at IS NOT NULL))
);
CREATE INDEX ix_alert_silences_department_id ON alert_silences (department_id);
CREATE INDEX ix_alert_silences_device_id ON alert_silences (device_id);
CREATE INDEX ix_alert_silences_tag_id ON alert_silences (tag_id);
CREATE INDEX ix_alert_silences_ends_at ON alert_silences (ends_at);

-- Who is told, and by which channels.
CREATE TABLE alert_receivers (
    id uuid NOT NULL CONSTRAINT pk_alert_receivers PRIMARY KEY,
    name varchar(100) NOT NULL,
    channel_ids uuid[] NOT NULL DEFAULT '{}',
    user_ids uuid[] NOT NULL DEFAULT '{}',
    group_ids uuid[] NOT NULL DEFAULT '{}',
    addresses varchar(255)[] NOT NULL DEFAULT '{}',
    sends_resolved boolean NOT NULL DEFAULT true,
    department_id uuid CONSTRAINT fk_alert_receivers_department_id_departments REFERENCES departments,
    version integer NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT uq_alert_receivers_department_id_name UNIQUE NULLS NOT DISTINCT (department_id, name)
);

-- The tree of routes, as Alertmanager's. NULL is as the route above has it.
CREATE TABLE alert_routes (
    id uuid NOT NULL CONSTRAINT pk_alert_routes PRIMARY KEY,
    parent_id uuid CONSTRAINT fk_alert_routes_parent_id_alert_routes REFERENCES alert_routes ON DELETE CASCADE,
    position integer NOT NULL DEFAULT 0,
    name varchar(100) NOT NULL,
    matchers jsonb NOT NULL DEFAULT '[]',
    receiver_id uuid CONSTRAINT fk_alert_routes_receiver_id_alert_receivers REFERENCES alert_receivers,
    group_by varchar(100)[],
    group_wait_seconds integer CONSTRAINT ck_alert_routes_group_wait_seconds CHECK (group_wait_seconds BETWEEN 0 AND 86400),
    group_interval_seconds integer
        CONSTRAINT ck_alert_routes_group_interval_seconds CHECK (group_interval_seconds BETWEEN 1 AND 604800),
    repeat_interval_seconds integer
        CONSTRAINT ck_alert_routes_repeat_interval_seconds CHECK (repeat_interval_seconds BETWEEN 60 AND 31536000),
    continues boolean NOT NULL DEFAULT false,
    escalate_after_seconds integer
        CONSTRAINT ck_alert_routes_escalate_after_seconds CHECK (escalate_after_seconds BETWEEN 60 AND 604800),
    escalate_to_id uuid CONSTRAINT fk_alert_routes_escalate_to_id_alert_receivers REFERENCES alert_receivers,
    department_id uuid CONSTRAINT fk_alert_routes_department_id_departments REFERENCES departments,
    version integer NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
);
CREATE UNIQUE INDEX uq_alert_routes_root ON alert_routes ((true)) WHERE parent_id IS NULL;
CREATE INDEX ix_alert_routes_parent_id ON alert_routes (parent_id, position);
CREATE INDEX ix_alert_routes_receiver_id ON alert_routes (receiver_id);
CREATE INDEX ix_alert_routes_escalate_to_id ON alert_routes (escalate_to_id);
CREATE INDEX ix_alert_routes_department_id ON alert_routes (department_id);
INSERT INTO alert_receivers (id, name) VALUES ('00000000-0000-7000-8000-000000000001', 'Default');
INSERT INTO alert_routes (id, name, receiver_id, group_by, group_wait_seconds, group_interval_seconds, repeat_interval_seconds)
VALUES ('00000000-0000-7000-8000-000000000002', 'Everything', '00000000-0000-7000-8000-000000000001',
        '{alertname,department}', 10, 300, 14400);

-- Alerts that are told together, and what was told of them. Whoever tells holds the row locked.
CREATE TABLE alert_groups (
    route_id uuid NOT NULL CONSTRAINT fk_alert_groups_route_id_alert_routes REFERENCES alert_routes ON DELETE CASCADE,
    key bytea NOT NULL,
    labels jsonb NOT NULL,
    next_at timestamptz NOT NULL,
    notified_at timestamptz,
    told_firing bigint[] NOT NULL DEFAULT '{}',
    CONSTRAINT pk_alert_groups PRIMARY KEY (route_id, key)
);
CREATE INDEX ix_alert_groups_next_at ON alert_groups (next_at);
CREATE TABLE alert_group_members (
    route_id uuid NOT NULL,
    key bytea NOT NULL,
    alert_id bigint NOT NULL,
    triggered_at timestamptz NOT NULL,
    CONSTRAINT pk_alert_group_members PRIMARY KEY (route_id, key, alert_id),
    CONSTRAINT fk_alert_group_members_alert_groups FOREIGN KEY (route_id, key) REFERENCES alert_groups ON DELETE CASCADE
);
CREATE INDEX ix_alert_group_members_alert_id ON alert_group_members (alert_id);

-- A week's partitions, from Monday in UTC, of the log and of what happened to its alerts.
CREATE FUNCTION create_alert_partition(day date) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp SET timezone = 'UTC' AS $$
DECLARE
    monday date := date_trunc('week', day)::date;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('create_alert_partition'));
    EXECUTE format('CREATE TABLE IF NOT EXISTS %I PARTITION OF alert_logs FOR VALUES FROM (%L) TO (%L)',
                   'alert_logs_' || to_char(monday, 'YYYYMMDD'), monday, monday + 7);
    EXECUTE format('CREATE TABLE IF NOT EXISTS %I PARTITION OF alert_events FOR VALUES FROM (%L) TO (%L)',
                   'alert_events_' || to_char(monday, 'YYYYMMDD'), monday, monday + 7);
END
$$;

-- Makes this week's partitions and the next two, and drops those that ended before a day, unless one of their alerts
-- is not over yet. Returns how many weeks went.
CREATE FUNCTION manage_alert_partitions(everything_before date) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp SET timezone = 'UTC' AS $$
DECLARE
    part record;
    is_open boolean;
    dropped integer := 0;
BEGIN
    FOR week IN 0..2 LOOP
        PERFORM create_alert_partition(CURRENT_DATE + 7 * week);
    END LOOP;
    FOR part IN
        SELECT c.relname AS name, substring(c.relname FROM '\d{8}$') AS week
        FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
        WHERE i.inhparent = 'alert_logs'::regclass
    LOOP
        CONTINUE WHEN to_date(part.week, 'YYYYMMDD') + 7 > least(everything_before, CURRENT_DATE);
        EXECUTE format('SELECT EXISTS (SELECT FROM %I WHERE resolved_at IS NULL)', part.name) INTO is_open;
        CONTINUE WHEN is_open;
        EXECUTE format('DROP TABLE IF EXISTS %I', 'alert_events_' || part.week);
        EXECUTE format('DROP TABLE IF EXISTS %I', part.name);
        dropped := dropped + 1;
    END LOOP;
    RETURN dropped;
END
$$;
SELECT manage_alert_partitions('-infinity');

-- Alerts go with their device, and what happened to them with the alerts.
CREATE FUNCTION forget_alert_events() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    DELETE FROM alert_events WHERE alert_id = OLD.alert_id AND triggered_at = OLD.triggered_at;
    DELETE FROM alert_group_members WHERE alert_id = OLD.alert_id;
    RETURN NULL;
END
$$;
CREATE TRIGGER forget_events AFTER DELETE ON alert_logs FOR EACH ROW EXECUTE FUNCTION forget_alert_events();
CREATE FUNCTION move_alerts_of_device() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    UPDATE alert_logs SET department_id = NEW.department_id, needs_routing = needs_routing OR resolved_at IS NULL
    WHERE system_id = NEW.id;
    UPDATE alert_instances SET department_id = NEW.department_id WHERE device_id = NEW.id;
    RETURN NULL;
END
$$;
CREATE TRIGGER move_alerts AFTER UPDATE OF department_id ON devices
    FOR EACH ROW WHEN (OLD.department_id IS DISTINCT FROM NEW.department_id) EXECUTE FUNCTION move_alerts_of_device();

SELECT secure_table(name) FROM unnest('{alert_rules,alert_silences,alert_receivers,alert_routes,alert_logs,alert_instances}'::text[]) AS name;
-- What holds for the whole installation is read by whoever has alerts there: it says why they were told.
CREATE POLICY of_all ON alert_rules FOR SELECT TO fleetkeeper_app USING (department_id IS NULL);
CREATE POLICY of_all ON alert_silences FOR SELECT TO fleetkeeper_app USING (department_id IS NULL);
CREATE POLICY of_all ON alert_receivers FOR SELECT TO fleetkeeper_app USING (department_id IS NULL);
CREATE POLICY of_all ON alert_routes FOR SELECT TO fleetkeeper_app USING (department_id IS NULL);
DO $$
DECLARE
    target text;
    seen text;
BEGIN
    FOREACH target IN ARRAY ARRAY['alert_events', 'alert_overrides', 'alert_groups', 'alert_group_members', 'alert_evaluations'] LOOP
        seen := CASE target
            WHEN 'alert_events' THEN 'EXISTS (SELECT FROM alert_logs l WHERE l.alert_id = alert_events.alert_id '
                                     'AND l.triggered_at = alert_events.triggered_at)'
            WHEN 'alert_group_members' THEN 'EXISTS (SELECT FROM alert_logs l WHERE l.alert_id = alert_group_members.alert_id '
                                            'AND l.triggered_at = alert_group_members.triggered_at)'
            WHEN 'alert_overrides' THEN 'alert_rule_id IN (SELECT id FROM alert_rules)'
            ELSE 'true' END;
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', target);
        EXECUTE format('CREATE POLICY whole_fleet ON %I TO fleetkeeper_whole_fleet USING (true) WITH CHECK (true)', target);
        EXECUTE format('CREATE POLICY seen ON %I TO fleetkeeper_app USING (%s) WITH CHECK (%s)', target, seen, seen);
        EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %I TO fleetkeeper_app, fleetkeeper_whole_fleet', target);
    END LOOP;
    FOREACH target IN ARRAY ARRAY['alert_rules', 'alert_logs'] LOOP
        EXECUTE format('CREATE POLICY reader ON %I FOR SELECT TO dashboard_readonly, analyst USING ((SELECT reader_sees_all()) '
                       'OR department_id = ANY ((SELECT reader_departments())::uuid[]))', target);
    END LOOP;
END
$$;
GRANT USAGE ON SEQUENCE alert_logs_alert_id_seq TO fleetkeeper_app, fleetkeeper_whole_fleet;
GRANT SELECT ON alert_rules, alert_logs TO dashboard_readonly, analyst;
GRANT EXECUTE ON FUNCTION create_alert_partition(date), manage_alert_partitions(date) TO fleetkeeper_app, fleetkeeper_whole_fleet;

SELECT audit_table('alert_rules', '{id}', 'name', NULL, '{updated_at,created_at,version}');
SELECT audit_table('alert_overrides', '{id}', NULL, 'device_id', '{updated_at,created_at}');
SELECT audit_table('alert_silences', '{id}', 'name', 'device_id', '{updated_at,created_at,version}');
SELECT audit_table('alert_receivers', '{id}', 'name', NULL, '{updated_at,created_at,version}');
SELECT audit_table('alert_routes', '{id}', 'name', NULL, '{updated_at,created_at,version}');

-- A notification can name its way, and carry what a receiver of a known format is told.
ALTER TABLE notification_events
    ADD COLUMN to_channels uuid[] NOT NULL DEFAULT '{}',
    ADD COLUMN to_groups uuid[] NOT NULL DEFAULT '{}',
    ADD COLUMN to_addresses varchar(255)[] NOT NULL DEFAULT '{}',
    ADD COLUMN payload jsonb;
ALTER TABLE notification_channels
    ADD COLUMN format varchar(20) NOT NULL DEFAULT 'standard'
        CONSTRAINT ck_notification_channels_format CHECK (format IN ('standard', 'alertmanager'));
SELECT audit_table('notification_channels', '{id}', 'name', NULL, '{updated_at,created_at,version}',
                   '{secret_sealed,previous_secret_sealed}');

-- The built-in roles, as the list in the code has them.
INSERT INTO role_permissions (id, role_id, permission)
SELECT gen_random_uuid(), r.id, p.permission
FROM (VALUES
    ('admin', 'alerts:read'), ('admin', 'alerts:respond'), ('admin', 'alerts:write'),
    ('manager', 'alerts:read'), ('manager', 'alerts:respond'), ('manager', 'alerts:write'),
    ('operator', 'alerts:read'), ('operator', 'alerts:respond'),
    ('analyst', 'alerts:read'), ('viewer', 'alerts:read')
) AS p(role, permission)
JOIN roles r ON r.name = p.role AND r.is_builtin;
