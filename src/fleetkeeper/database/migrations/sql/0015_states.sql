-- Texts and truth values of devices, a row each time that one changes.
CREATE TABLE states (
    device_id uuid NOT NULL,
    channel_id integer NOT NULL,
    ts timestamptz NOT NULL,
    value text NOT NULL,
    is_boolean boolean NOT NULL,
    CONSTRAINT pk_states PRIMARY KEY (device_id, channel_id, ts)
);
ALTER TABLE states ENABLE ROW LEVEL SECURITY;
CREATE POLICY whole_fleet ON states TO fleetkeeper_whole_fleet USING (true) WITH CHECK (true);
CREATE POLICY device_read ON states FOR SELECT TO fleetkeeper_app, dashboard_readonly, analyst
    USING (device_id IN (SELECT id FROM devices));
GRANT SELECT ON states TO fleetkeeper_app, dashboard_readonly, analyst;
GRANT SELECT, INSERT, DELETE ON states TO fleetkeeper_whole_fleet;

-- Document 000's rows of texts and truth values come from states.
CREATE OR REPLACE VIEW telemetry WITH (security_invoker = true) AS
SELECT
    md5(f.device_id::text || f.ts::text || c.id::text)::uuid AS id,
    f.device_id,
    f.ts AS "timestamp",
    m.metric_type,
    m.name AS metric_name,
    f."values"[lc.position]::numeric AS value_numeric,
    NULL::text AS value_text,
    NULL::boolean AS value_boolean,
    m.unit,
    c.labels AS metadata,
    f.ts AS created_at
FROM frames f
JOIN layout_channels lc ON lc.layout_id = f.layout_id
JOIN channels c ON c.id = lc.channel_id
JOIN metrics m ON m.id = c.metric_id
WHERE f."values"[lc.position] IS NOT NULL
UNION ALL
SELECT
    md5(s.device_id::text || s.ts::text || c.id::text)::uuid,
    s.device_id,
    s.ts,
    m.metric_type,
    m.name,
    NULL::numeric,
    CASE WHEN s.is_boolean THEN NULL ELSE s.value END,
    CASE WHEN s.is_boolean THEN s.value::boolean END,
    m.unit,
    c.labels,
    s.ts
FROM states s
JOIN channels c ON c.id = s.channel_id
JOIN metrics m ON m.id = c.metric_id;
COMMENT ON VIEW telemetry IS
'One row per value, as document 000 has it; metadata holds the labels. Numbers are those not sealed yet, texts and truth values those that changed. Read-only: values arrive by POST /api/v1/telemetry.';
