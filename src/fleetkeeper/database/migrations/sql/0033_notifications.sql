-- What happened, written in the transaction in which it did; the worker takes it from here.
CREATE TABLE notification_events (
    id uuid NOT NULL CONSTRAINT pk_notification_events PRIMARY KEY,
    name varchar(80) NOT NULL,
    severity varchar(10) NOT NULL,
    title varchar(300) NOT NULL,
    body text NOT NULL,
    subject jsonb NOT NULL DEFAULT '{}',
    fields jsonb NOT NULL DEFAULT '{}',
    department_id uuid
        CONSTRAINT fk_notification_events_department_id_departments REFERENCES departments ON DELETE SET NULL,
    to_users uuid[] NOT NULL DEFAULT '{}',
    occurred_at timestamptz NOT NULL,
    dispatched_at timestamptz
);
CREATE INDEX ix_notification_events_waiting ON notification_events (id) WHERE dispatched_at IS NULL;
CREATE INDEX ix_notification_events_occurred_at ON notification_events (occurred_at);
CREATE INDEX ix_notification_events_department_id ON notification_events (department_id);

CREATE TABLE notification_channels (
    id uuid NOT NULL CONSTRAINT pk_notification_channels PRIMARY KEY,
    name varchar(100) NOT NULL,
    kind varchar(10) NOT NULL,
    department_id uuid
        CONSTRAINT fk_notification_channels_department_id_departments REFERENCES departments ON DELETE CASCADE,
    enabled boolean NOT NULL DEFAULT true,
    per_minute integer NOT NULL DEFAULT 60,
    url varchar(2000),
    host varchar(255),
    port integer,
    security varchar(10),
    username varchar(255),
    sender varchar(255),
    service varchar(50),
    secret_sealed bytea,
    previous_secret_sealed bytea,
    previous_secret_until timestamptz,
    version integer NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT ck_notification_channels_kind CHECK (kind IN ('email', 'webhook', 'chat')),
    CONSTRAINT uq_notification_channels_department_id_name UNIQUE NULLS NOT DISTINCT (department_id, name)
);

CREATE TABLE notification_rules (
    id uuid NOT NULL CONSTRAINT pk_notification_rules PRIMARY KEY,
    name varchar(100) NOT NULL,
    enabled boolean NOT NULL DEFAULT true,
    events varchar(80)[] NOT NULL,
    minimum_severity varchar(10) NOT NULL DEFAULT 'info',
    department_id uuid
        CONSTRAINT fk_notification_rules_department_id_departments REFERENCES departments ON DELETE CASCADE,
    channel_id uuid NOT NULL
        CONSTRAINT fk_notification_rules_channel_id_notification_channels REFERENCES notification_channels ON DELETE CASCADE,
    user_ids uuid[] NOT NULL DEFAULT '{}',
    group_ids uuid[] NOT NULL DEFAULT '{}',
    addresses varchar(255)[] NOT NULL DEFAULT '{}',
    version integer NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT ck_notification_rules_minimum_severity CHECK (minimum_severity IN ('info', 'warning', 'critical'))
);
CREATE INDEX ix_notification_rules_channel_id ON notification_rules (channel_id);
CREATE INDEX ix_notification_rules_department_id ON notification_rules (department_id);

CREATE TABLE notification_deliveries (
    id uuid NOT NULL CONSTRAINT pk_notification_deliveries PRIMARY KEY,
    event_id uuid NOT NULL
        CONSTRAINT fk_notification_deliveries_event_id_notification_events REFERENCES notification_events ON DELETE CASCADE,
    channel_id uuid NOT NULL
        CONSTRAINT fk_notification_deliveries_channel_id_notification_channels REFERENCES notification_channels ON DELETE CASCADE,
    recipient varchar(255) NOT NULL DEFAULT '',
    state varchar(10) NOT NULL DEFAULT 'pending',
    attempts integer NOT NULL DEFAULT 0,
    next_attempt_at timestamptz NOT NULL,
    last_attempt_at timestamptz,
    response_status integer,
    last_error varchar(500) NOT NULL DEFAULT '',
    is_digest boolean NOT NULL DEFAULT false,
    replay_of uuid,
    created_at timestamptz NOT NULL DEFAULT now(),
    finished_at timestamptz,
    CONSTRAINT ck_notification_deliveries_state CHECK (state IN ('pending', 'sending', 'retrying', 'delivered', 'dead'))
);
CREATE UNIQUE INDEX uq_notification_deliveries_event_id_channel_id_recipient
    ON notification_deliveries (event_id, channel_id, recipient) WHERE replay_of IS NULL;
CREATE INDEX ix_notification_deliveries_due ON notification_deliveries (next_attempt_at)
    WHERE state IN ('pending', 'retrying', 'sending');
CREATE INDEX ix_notification_deliveries_channel_id ON notification_deliveries (channel_id, last_attempt_at);
CREATE INDEX ix_notification_deliveries_created_at ON notification_deliveries (created_at, id);

CREATE TABLE notification_inbox (
    id uuid NOT NULL CONSTRAINT pk_notification_inbox PRIMARY KEY,
    user_id uuid NOT NULL CONSTRAINT fk_notification_inbox_user_id_users REFERENCES users ON DELETE CASCADE,
    event_id uuid NOT NULL
        CONSTRAINT fk_notification_inbox_event_id_notification_events REFERENCES notification_events ON DELETE CASCADE,
    name varchar(80) NOT NULL,
    severity varchar(10) NOT NULL,
    title varchar(300) NOT NULL,
    body text NOT NULL,
    href varchar(500) NOT NULL DEFAULT '',
    created_at timestamptz NOT NULL,
    read_at timestamptz,
    CONSTRAINT uq_notification_inbox_user_id_event_id UNIQUE (user_id, event_id)
);
CREATE INDEX ix_notification_inbox_user_id ON notification_inbox (user_id, created_at, id);
CREATE INDEX ix_notification_inbox_unread ON notification_inbox (user_id) WHERE read_at IS NULL;
CREATE INDEX ix_notification_inbox_event_id ON notification_inbox (event_id);

CREATE TABLE notification_preferences (
    user_id uuid NOT NULL CONSTRAINT pk_notification_preferences PRIMARY KEY
        CONSTRAINT fk_notification_preferences_user_id_users REFERENCES users ON DELETE CASCADE,
    email boolean NOT NULL DEFAULT true,
    muted_events varchar(80)[] NOT NULL DEFAULT '{}',
    quiet_from time,
    quiet_until time,
    digest varchar(10) NOT NULL DEFAULT 'none',
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT ck_notification_preferences_digest CHECK (digest IN ('none', 'hourly', 'daily'))
);

-- Channels and rules are seen, and changed, with their department; what belongs to none only without such limits. The
-- room's services ask for the permission besides.
DO $$
DECLARE
    target text;
BEGIN
    FOREACH target IN ARRAY ARRAY['notification_events', 'notification_channels', 'notification_rules',
                                  'notification_deliveries', 'notification_inbox', 'notification_preferences'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', target);
        EXECUTE format('CREATE POLICY whole_fleet ON %I TO fleetkeeper_whole_fleet USING (true) WITH CHECK (true)',
                       target);
    END LOOP;
    FOREACH target IN ARRAY ARRAY['notification_channels', 'notification_rules'] LOOP
        EXECUTE format('CREATE POLICY department ON %I TO fleetkeeper_app '
                       'USING (department_id = ANY ((SELECT visible_departments())::uuid[])) '
                       'WITH CHECK (department_id = ANY ((SELECT visible_departments())::uuid[]))', target);
    END LOOP;
    FOREACH target IN ARRAY ARRAY['notification_inbox', 'notification_preferences'] LOOP
        EXECUTE format('CREATE POLICY own ON %I TO fleetkeeper_app USING (user_id = '
                       '(SELECT (nullif(current_setting(''fleetkeeper.audit'', true), '''')::jsonb ->> ''user'')::uuid))',
                       target);
    END LOOP;
END
$$;
-- Whoever does something may tell of it, wherever it happened.
CREATE POLICY anybody_emits ON notification_events FOR INSERT TO fleetkeeper_app WITH CHECK (true);
CREATE POLICY department ON notification_events FOR SELECT TO fleetkeeper_app
    USING (department_id = ANY ((SELECT visible_departments())::uuid[]));
CREATE POLICY channel ON notification_deliveries TO fleetkeeper_app
    USING (channel_id IN (SELECT id FROM notification_channels))
    WITH CHECK (channel_id IN (SELECT id FROM notification_channels));

GRANT SELECT, INSERT, UPDATE, DELETE ON notification_events, notification_channels, notification_rules,
    notification_deliveries, notification_inbox, notification_preferences TO fleetkeeper_app, fleetkeeper_whole_fleet;

SELECT audit_table('notification_channels', '{id}', 'name', NULL, '{updated_at,created_at,version}',
                   '{secret_sealed,previous_secret_sealed}');
SELECT audit_table('notification_rules', '{id}', 'name', NULL, '{updated_at,created_at,version}');
SELECT audit_table('notification_preferences', '{user_id}', NULL, NULL, '{updated_at}');

-- The built-in roles, as the list in the code has them.
INSERT INTO role_permissions (id, role_id, permission)
SELECT gen_random_uuid(), r.id, p.permission
FROM (VALUES
    ('admin', 'notifications:read'), ('admin', 'notifications:write'),
    ('manager', 'notifications:read'), ('manager', 'notifications:write')
) AS p(role, permission)
JOIN roles r ON r.name = p.role AND r.is_builtin;
