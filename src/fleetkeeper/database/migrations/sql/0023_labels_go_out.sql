-- Stored labels have a mark (U+FFFC) in the place of the device's own name, so that machines of a kind share channels.
-- Who joins `channels` puts the name back by this.
CREATE FUNCTION labels_with_host(labels jsonb, device uuid) RETURNS jsonb
LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN strpos(labels::text, U&'\FFFC') = 0 THEN labels ELSE (
        SELECT jsonb_object_agg(l.key, replace(l.value, U&'\FFFC', coalesce(
            (SELECT h.host FROM telemetry_hosts h WHERE h.device_id = device AND h.is_primary),
            (SELECT d.name FROM devices d WHERE d.id = device), '')))
        FROM jsonb_each_text(labels) l
    ) END
$$;
COMMENT ON FUNCTION labels_with_host(jsonb, uuid) IS
'The labels of a channel as a device has them: its own name in the place of the mark U+FFFC.';

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
    CASE WHEN strpos(c.key, U&'\FFFC') = 0 THEN c.labels ELSE labels_with_host(c.labels, f.device_id) END AS metadata,
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
    CASE WHEN strpos(c.key, U&'\FFFC') = 0 THEN c.labels ELSE labels_with_host(c.labels, s.device_id) END,
    s.ts
FROM states s
JOIN channels c ON c.id = s.channel_id
JOIN metrics m ON m.id = c.metric_id;

CREATE FUNCTION snapshot_of_frame(device uuid, layout integer, numbers double precision[], moment timestamptz, wanted text)
RETURNS jsonb
LANGUAGE sql STABLE PARALLEL SAFE AS $$
    WITH points AS (
        SELECT s.section, s.collection, s.field,
               CASE WHEN strpos(c.key, U&'\FFFC') = 0 THEN c.labels ->> s.label
                    ELSE labels_with_host(c.labels, device) ->> s.label END AS item,
               to_jsonb(numbers[lc.position]) AS number
        FROM layout_channels lc
        JOIN channels c ON c.id = lc.channel_id
        JOIN metrics m ON m.id = c.metric_id
        JOIN snapshot_fields s ON s.metric_name = m.name
        WHERE lc.layout_id = layout
          AND (wanted = 'aggregated' OR s.section = wanted)
          AND numbers[lc.position] > '-Infinity' AND numbers[lc.position] < 'Infinity'
    ),
    parts AS (
        SELECT section, jsonb_object_agg(field, number) AS part FROM points WHERE collection IS NULL GROUP BY section
        UNION ALL
        SELECT section, jsonb_build_object(
                   collection, jsonb_agg(number ORDER BY lpad(item, 10, '0')))
        FROM points WHERE collection = 'per_core' GROUP BY section, collection
        UNION ALL
        SELECT section, jsonb_build_object(collection, jsonb_object_agg(item, numbers_of_item))
        FROM (
            SELECT section, collection, item, jsonb_object_agg(field, number) AS numbers_of_item
            FROM points WHERE collection <> 'per_core' AND item IS NOT NULL GROUP BY section, collection, item
        ) items GROUP BY section, collection
    ),
    pairs AS (
        SELECT section, key, value FROM parts, jsonb_each(part)
    ),
    sections AS (
        SELECT section, jsonb_object_agg(key, value) AS content FROM pairs GROUP BY section
    )
    SELECT coalesce(jsonb_object_agg(section, content), '{}')
        || jsonb_build_object('timestamp', to_char(moment AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'))
    FROM sections
$$;

CREATE OR REPLACE VIEW metrics_snapshot WITH (security_invoker = true) AS
SELECT
    ('x' || substr(md5(f.device_id::text || f.ts::text || kind.metric_type), 1, 15))::bit(60)::bigint AS id,
    f.ts AS "timestamp",
    kind.metric_type::varchar(50) AS metric_type,
    snapshot_of_frame(f.device_id, f.layout_id, f."values", f.ts, kind.metric_type) AS metric_data,
    f.device_id
FROM frames f
JOIN (
    SELECT l.id AS layout_id, 'aggregated' AS metric_type FROM layouts l
    UNION ALL
    SELECT DISTINCT lc.layout_id, s.section
    FROM layout_channels lc
    JOIN channels c ON c.id = lc.channel_id
    JOIN metrics m ON m.id = c.metric_id
    JOIN snapshot_fields s ON s.metric_name = m.name
) kind ON kind.layout_id = f.layout_id;
DROP FUNCTION snapshot_of_frame(integer, double precision[], timestamptz, text);
