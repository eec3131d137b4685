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
WHERE f."values"[lc.position] IS NOT NULL;

COMMENT ON VIEW telemetry IS
'One row per value, as document 000 has it; metadata holds the labels. Read-only: values arrive by POST /api/v1/telemetry.';
DROP TABLE states;
