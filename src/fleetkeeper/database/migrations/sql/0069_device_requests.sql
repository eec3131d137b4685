-- What devices ask for, who answers, and what agents decide about it (document 001).

CREATE TABLE request_handlers (
    id uuid NOT NULL CONSTRAINT pk_request_handlers PRIMARY KEY,
    name varchar(100) NOT NULL CONSTRAINT uq_request_handlers_name UNIQUE,
    kind varchar(20) NOT NULL CONSTRAINT ck_request_handlers_kind CHECK (kind IN ('people', 'webhook', 'agent', 'automation')),
    -- `*` is every type.
    request_types varchar(50)[] NOT NULL DEFAULT '{*}',
    -- Requests of this department and those below it; null: of all.
    department_id uuid CONSTRAINT fk_request_handlers_department_id_departments REFERENCES departments,
    lease_seconds integer NOT NULL DEFAULT 300
        CONSTRAINT ck_request_handlers_lease_seconds CHECK (lease_seconds BETWEEN 5 AND 86400),
    max_attempts integer NOT NULL DEFAULT 3 CONSTRAINT ck_request_handlers_max_attempts CHECK (max_attempts BETWEEN 1 AND 20),
    -- Where a webhook's requests are sent.
    channel_id uuid CONSTRAINT fk_request_handlers_channel_id_notification_channels REFERENCES notification_channels,
    -- Where answers are pushed, besides being there for the device.
    response_channel_id uuid CONSTRAINT fk_request_handlers_response_channel_id_notification_channels
        REFERENCES notification_channels,
    enabled boolean NOT NULL DEFAULT true,
    version integer NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT ck_request_handlers_channel CHECK ((kind = 'webhook') = (channel_id IS NOT NULL))
);
CREATE INDEX ix_request_handlers_department_id ON request_handlers (department_id);
SELECT secure_table('request_handlers');
-- What serves the whole installation is read by whoever has requests there.
CREATE POLICY of_all ON request_handlers FOR SELECT TO fleetkeeper_app USING (department_id IS NULL);
SELECT audit_table('request_handlers', '{id}', 'name', NULL, '{updated_at,created_at,version}');

-- What the product answers by itself.
INSERT INTO request_handlers (id, name, kind, request_types, lease_seconds)
VALUES (gen_random_uuid(), 'Fleetkeeper', 'automation', '{ping}', 60);

CREATE TABLE device_requests (
    id uuid NOT NULL CONSTRAINT pk_device_requests PRIMARY KEY,
    device_id uuid NOT NULL CONSTRAINT fk_device_requests_device_id_devices REFERENCES devices ON DELETE CASCADE,
    -- The device's, kept in step by triggers.
    department_id uuid CONSTRAINT fk_device_requests_department_id_departments REFERENCES departments,
    request_type varchar(50) NOT NULL,
    status varchar(30) NOT NULL DEFAULT 'pending' CONSTRAINT ck_device_requests_status
        CHECK (status IN ('pending', 'processing', 'completed', 'failed', 'cancelled')),
    payload jsonb NOT NULL DEFAULT '{}' CONSTRAINT ck_device_requests_payload CHECK (jsonb_typeof(payload) = 'object'),
    payload_hash varchar(64),
    created_by uuid CONSTRAINT fk_device_requests_created_by_users REFERENCES users ON DELETE SET NULL,
    -- Since it was submitted, or retried by a person.
    attempts integer NOT NULL DEFAULT 0,
    -- Not handed out before.
    available_at timestamptz NOT NULL DEFAULT now(),
    -- A person disagreed with an agent: people answer it.
    needs_person boolean NOT NULL DEFAULT false,
    handler_id uuid CONSTRAINT fk_device_requests_handler_id_request_handlers REFERENCES request_handlers ON DELETE SET NULL,
    handled_by varchar(255) NOT NULL DEFAULT '',
    leased_at timestamptz,
    lease_token uuid,
    lease_expires_at timestamptz,
    -- Why it failed last.
    failure varchar(500) NOT NULL DEFAULT '',
    -- When it failed for good: nobody tries again unless a person says so.
    dead_at timestamptz,
    answered_at timestamptz,
    version integer NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT ck_device_requests_lease CHECK ((lease_token IS NULL) = (lease_expires_at IS NULL))
);
CREATE INDEX ix_device_requests_device_id_status_created_at ON device_requests (device_id, status, created_at DESC);
CREATE INDEX ix_device_requests_department_id ON device_requests (department_id);
CREATE INDEX ix_device_requests_request_type ON device_requests (request_type);
CREATE INDEX ix_device_requests_status ON device_requests (status, created_at, id);
CREATE INDEX ix_device_requests_created_at ON device_requests (created_at, id);
CREATE INDEX ix_device_requests_payload_hash ON device_requests (payload_hash);
CREATE INDEX ix_device_requests_handler_id ON device_requests (handler_id);
CREATE INDEX ix_device_requests_created_by ON device_requests (created_by);
CREATE INDEX ix_device_requests_waiting ON device_requests (created_at, id) WHERE status = 'pending';
CREATE INDEX ix_device_requests_leased ON device_requests (lease_expires_at) WHERE lease_expires_at IS NOT NULL;

-- A request belongs where its device does, whoever writes it.
CREATE FUNCTION place_device_request() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    NEW.department_id := (SELECT department_id FROM devices WHERE id = NEW.device_id);
    RETURN NEW;
END
$$;
CREATE FUNCTION move_device_requests() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    UPDATE device_requests SET department_id = NEW.department_id WHERE device_id = NEW.id;
    RETURN NULL;
END
$$;
REVOKE EXECUTE ON FUNCTION place_device_request(), move_device_requests() FROM PUBLIC;
CREATE TRIGGER place_request BEFORE INSERT OR UPDATE OF device_id ON device_requests
    FOR EACH ROW EXECUTE FUNCTION place_device_request();
CREATE TRIGGER move_requests AFTER UPDATE OF department_id ON devices
    FOR EACH ROW WHEN (OLD.department_id IS DISTINCT FROM NEW.department_id) EXECUTE FUNCTION move_device_requests();

SELECT secure_table('device_requests');
CREATE POLICY reader ON device_requests FOR SELECT TO dashboard_readonly, analyst
    USING ((SELECT reader_sees_all()) OR department_id = ANY ((SELECT reader_departments())::uuid[]));
GRANT SELECT (id, device_id, department_id, request_type, status, payload, payload_hash, created_by, attempts, available_at,
              needs_person, handler_id, handled_by, leased_at, lease_expires_at, failure, dead_at, answered_at, version, created_at,
              updated_at) ON device_requests TO dashboard_readonly, analyst;
-- Only retention deletes requests; those of a device go with it.
REVOKE DELETE ON device_requests FROM fleetkeeper_app;
SELECT audit_table('device_requests', '{id}', 'request_type', 'device_id',
                   '{updated_at,created_at,version,payload,payload_hash,leased_at,lease_token,lease_expires_at,available_at}');

-- What belongs to a request is seen and changed with it. Called by migrations.
CREATE FUNCTION secure_request_table(target text, seen text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', target);
    EXECUTE format('CREATE POLICY whole_fleet ON %I TO fleetkeeper_whole_fleet USING (true) WITH CHECK (true)', target);
    EXECUTE format('CREATE POLICY seen ON %I TO fleetkeeper_app USING (%s) WITH CHECK (%s)', target, seen, seen);
    EXECUTE format('CREATE POLICY reader ON %I FOR SELECT TO dashboard_readonly, analyst USING (%s)', target, seen);
    EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %I TO fleetkeeper_app, fleetkeeper_whole_fleet', target);
    EXECUTE format('GRANT SELECT ON %I TO dashboard_readonly, analyst', target);
END
$$;
REVOKE EXECUTE ON FUNCTION secure_request_table(text, text) FROM PUBLIC;

CREATE TABLE request_metadata (
    id uuid NOT NULL CONSTRAINT pk_request_metadata PRIMARY KEY,
    request_id uuid NOT NULL CONSTRAINT fk_request_metadata_request_id_device_requests
        REFERENCES device_requests ON DELETE CASCADE,
    key varchar(100) NOT NULL,
    value text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT uq_request_metadata_request_id_key UNIQUE (request_id, key)
);
CREATE INDEX ix_request_metadata_key_value ON request_metadata (key, left(value, 200));
SELECT secure_request_table('request_metadata', 'request_id IN (SELECT id FROM device_requests)');

CREATE TABLE responses (
    id uuid NOT NULL CONSTRAINT pk_responses PRIMARY KEY,
    request_id uuid NOT NULL CONSTRAINT uq_responses_request_id UNIQUE CONSTRAINT fk_responses_request_id_device_requests
        REFERENCES device_requests ON DELETE CASCADE,
    status varchar(30) NOT NULL DEFAULT 'processing'
        CONSTRAINT ck_responses_status CHECK (status IN ('processing', 'ready', 'delivered', 'failed')),
    content jsonb NOT NULL,
    ai_processed boolean NOT NULL DEFAULT false,
    answered_by varchar(255) NOT NULL DEFAULT '',
    ready_at timestamptz,
    delivered_at timestamptz,
    -- How often it was handed to the device, and why it was given up.
    delivery_attempts integer NOT NULL DEFAULT 0,
    failure varchar(500) NOT NULL DEFAULT '',
    -- The notification that carries it to the handler's channel.
    event_id uuid,
    version integer NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX ix_responses_status ON responses (status, created_at, id);
CREATE INDEX ix_responses_ai_processed ON responses (ai_processed);
SELECT secure_request_table('responses', 'request_id IN (SELECT id FROM device_requests)');
SELECT audit_table('responses', '{id}', NULL, NULL, '{updated_at,created_at,version,content,delivery_attempts}');

CREATE TABLE response_metadata (
    id uuid NOT NULL CONSTRAINT pk_response_metadata PRIMARY KEY,
    response_id uuid NOT NULL CONSTRAINT fk_response_metadata_response_id_responses REFERENCES responses ON DELETE CASCADE,
    key varchar(100) NOT NULL,
    value text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT uq_response_metadata_response_id_key UNIQUE (response_id, key)
);
CREATE INDEX ix_response_metadata_key_value ON response_metadata (key, left(value, 200));
SELECT secure_request_table('response_metadata', 'response_id IN (SELECT id FROM responses)');

-- Whom a decision or a verdict is by stays as it was written, whatever becomes of the account.
CREATE TABLE agent_decisions (
    id uuid NOT NULL CONSTRAINT pk_agent_decisions PRIMARY KEY,
    request_id uuid NOT NULL CONSTRAINT fk_agent_decisions_request_id_device_requests
        REFERENCES device_requests ON DELETE CASCADE,
    agent_name varchar(100) NOT NULL,
    agent_model varchar(100) NOT NULL DEFAULT '',
    agent_version varchar(100) NOT NULL DEFAULT '',
    decision_type varchar(100) NOT NULL,
    decision_value text NOT NULL,
    reasoning jsonb NOT NULL DEFAULT '{}',
    inputs jsonb NOT NULL DEFAULT '{}',
    evidence jsonb NOT NULL DEFAULT '[]',
    confidence_score numeric(3, 2) NOT NULL
        CONSTRAINT ck_agent_decisions_confidence_score CHECK (confidence_score BETWEEN 0 AND 1),
    -- What it led to: {"table", "id", ...}; null: nothing yet.
    resulting_change jsonb,
    recorded_by varchar(255) NOT NULL DEFAULT '',
    user_id uuid,
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX ix_agent_decisions_request_id ON agent_decisions (request_id, created_at);
CREATE INDEX ix_agent_decisions_agent_name ON agent_decisions (agent_name, created_at);
CREATE INDEX ix_agent_decisions_decision_type ON agent_decisions (decision_type);
CREATE INDEX ix_agent_decisions_created_at ON agent_decisions (created_at, id);

CREATE TABLE agent_decision_verdicts (
    id uuid NOT NULL CONSTRAINT pk_agent_decision_verdicts PRIMARY KEY,
    decision_id uuid NOT NULL CONSTRAINT fk_agent_decision_verdicts_decision_id_agent_decisions
        REFERENCES agent_decisions ON DELETE CASCADE,
    verdict varchar(20) NOT NULL
        CONSTRAINT ck_agent_decision_verdicts_verdict CHECK (verdict IN ('agree', 'disagree', 'outcome')),
    comment varchar(2000) NOT NULL DEFAULT '',
    -- The answer that it was about, where one waited for it.
    answer jsonb,
    user_id uuid,
    user_name varchar(255) NOT NULL DEFAULT '',
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX ix_agent_decision_verdicts_decision_id ON agent_decision_verdicts (decision_id, created_at);

-- What was decided stays as it was said. It goes with its request, which only retention deletes, and with nothing else.
CREATE FUNCTION keep_agent_decisions() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        -- The two tables have different columns, which a record of the other one would lack.
        IF TG_TABLE_NAME = 'agent_decisions'
           AND NOT EXISTS (SELECT FROM device_requests WHERE id = (to_jsonb(OLD) ->> 'request_id')::uuid) THEN
            RETURN OLD;
        END IF;
        IF TG_TABLE_NAME = 'agent_decision_verdicts'
           AND NOT EXISTS (SELECT FROM agent_decisions WHERE id = (to_jsonb(OLD) ->> 'decision_id')::uuid) THEN
            RETURN OLD;
        END IF;
    END IF;
    RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'insufficient_privilege';
END
$$;
REVOKE EXECUTE ON FUNCTION keep_agent_decisions() FROM PUBLIC;
DO $$
DECLARE
    target text;
BEGIN
    FOREACH target IN ARRAY ARRAY['agent_decisions', 'agent_decision_verdicts'] LOOP
        EXECUTE format('CREATE TRIGGER keep_rows BEFORE UPDATE OR DELETE ON %I '
                       'FOR EACH ROW EXECUTE FUNCTION keep_agent_decisions()', target);
        EXECUTE format('CREATE TRIGGER keep_all BEFORE TRUNCATE ON %I '
                       'FOR EACH STATEMENT EXECUTE FUNCTION keep_agent_decisions()', target);
    END LOOP;
END
$$;
SELECT secure_request_table('agent_decisions', 'request_id IN (SELECT id FROM device_requests)');
SELECT secure_request_table('agent_decision_verdicts', 'decision_id IN (SELECT id FROM agent_decisions)');
REVOKE UPDATE, DELETE ON agent_decisions, agent_decision_verdicts FROM fleetkeeper_app, fleetkeeper_whole_fleet;
SELECT audit_table('agent_decisions', '{id}', 'agent_name', NULL, '{created_at}');
SELECT audit_table('agent_decision_verdicts', '{id}', 'verdict', NULL, '{created_at}');

-- When devices were connected for their answers, and how.
CREATE TABLE request_connections (
    id uuid NOT NULL CONSTRAINT pk_request_connections PRIMARY KEY,
    device_id uuid NOT NULL CONSTRAINT fk_request_connections_device_id_devices REFERENCES devices ON DELETE CASCADE,
    user_id uuid CONSTRAINT fk_request_connections_user_id_users REFERENCES users ON DELETE SET NULL,
    connection_type varchar(50) NOT NULL CONSTRAINT ck_request_connections_connection_type
        CHECK (connection_type IN ('websocket', 'polling', 'webhook')),
    ip_address inet,
    connected_at timestamptz NOT NULL DEFAULT now(),
    -- The last sign of life; a connection whose process died ends with it.
    last_seen_at timestamptz NOT NULL DEFAULT now(),
    disconnected_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT ck_request_connections_order CHECK (disconnected_at >= connected_at)
);
CREATE INDEX ix_request_connections_device_id ON request_connections (device_id, connected_at DESC);
CREATE INDEX ix_request_connections_connected_at ON request_connections (connected_at);
CREATE INDEX ix_request_connections_user_id ON request_connections (user_id);
CREATE INDEX ix_request_connections_open ON request_connections (last_seen_at) WHERE disconnected_at IS NULL;
-- One row for the polls of a device that follow one another.
CREATE UNIQUE INDEX uq_request_connections_polling ON request_connections (device_id)
    WHERE disconnected_at IS NULL AND connection_type = 'polling';
SELECT secure_device_table('request_connections');

-- Document 001's shapes, in which a device goes by its name.
CREATE VIEW requests WITH (security_invoker = true) AS
SELECT r.id, d.name AS device_id, r.request_type, r.status, r.payload_hash, r.created_by, r.created_at, r.updated_at
FROM device_requests r JOIN devices d ON d.id = r.device_id;
CREATE VIEW device_connections WITH (security_invoker = true) AS
SELECT c.id, d.name AS device_id, c.user_id, c.connection_type, c.ip_address, c.connected_at, c.disconnected_at,
       extract(epoch FROM c.disconnected_at - c.connected_at)::integer AS session_duration_seconds, c.created_at
FROM request_connections c JOIN devices d ON d.id = c.device_id;
GRANT SELECT ON requests, device_connections TO fleetkeeper_app, fleetkeeper_whole_fleet, dashboard_readonly, analyst;

-- The built-in roles, as the list in the code has them.
INSERT INTO role_permissions (id, role_id, permission)
SELECT gen_random_uuid(), r.id, p.permission
FROM (VALUES
    ('admin', 'requests:read'), ('admin', 'requests:write'), ('admin', 'decisions:write'),
    ('manager', 'requests:read'), ('manager', 'requests:write'),
    ('operator', 'requests:read'), ('operator', 'requests:write'),
    ('analyst', 'requests:read'), ('viewer', 'requests:read')
) AS p(role, permission)
JOIN roles r ON r.name = p.role AND r.is_builtin;
