-- Document 000: one row per value. Filters on device_id and timestamp reach the partitions' keys, and a filter on
-- metric_type or metric_name reads only those channels of each frame.
CREATE VIEW telemetry AS
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

-- Where each metric stands in document 004's nested document. A metric with a collection stands once per label:
-- as an object under the label's value, or, in per_core, as an element in the label's order.
CREATE TABLE snapshot_fields (
    metric_name varchar(200) PRIMARY KEY,
    section varchar(50) NOT NULL,
    collection varchar(50),
    label varchar(100),
    field varchar(50) NOT NULL
);

INSERT INTO snapshot_fields (metric_name, section, collection, label, field) VALUES
('cpu_usage_percent', 'cpu', NULL, NULL, 'usage_percent'),
('cpu_core_usage_percent', 'cpu', 'per_core', 'core', 'usage_percent'),
('cpu_user_percent', 'cpu', NULL, NULL, 'user_percent'),
('cpu_system_percent', 'cpu', NULL, NULL, 'system_percent'),
('cpu_idle_percent', 'cpu', NULL, NULL, 'idle_percent'),
('cpu_iowait_percent', 'cpu', NULL, NULL, 'iowait_percent'),
('cpu_steal_percent', 'cpu', NULL, NULL, 'steal_percent'),
('cpu_frequency_megahertz', 'cpu', NULL, NULL, 'frequency_mhz'),
('cpu_temperature_celsius', 'cpu', NULL, NULL, 'temperature_celsius'),
('load_average_1m', 'cpu', NULL, NULL, 'load_avg_1m'),
('load_average_5m', 'cpu', NULL, NULL, 'load_avg_5m'),
('load_average_15m', 'cpu', NULL, NULL, 'load_avg_15m'),
('memory_total_bytes', 'memory', NULL, NULL, 'total_bytes'),
('memory_available_bytes', 'memory', NULL, NULL, 'available_bytes'),
('memory_used_bytes', 'memory', NULL, NULL, 'used_bytes'),
('memory_usage_percent', 'memory', NULL, NULL, 'percent'),
('memory_buffers_bytes', 'memory', NULL, NULL, 'buffers_bytes'),
('memory_cached_bytes', 'memory', NULL, NULL, 'cached_bytes'),
('swap_total_bytes', 'memory', NULL, NULL, 'swap_total_bytes'),
('swap_used_bytes', 'memory', NULL, NULL, 'swap_used_bytes'),
('swap_usage_percent', 'memory', NULL, NULL, 'swap_percent'),
('network_transmit_bytes_total', 'network', NULL, NULL, 'bytes_sent'),
('network_receive_bytes_total', 'network', NULL, NULL, 'bytes_recv'),
('network_transmit_packets_total', 'network', NULL, NULL, 'packets_sent'),
('network_receive_packets_total', 'network', NULL, NULL, 'packets_recv'),
('network_receive_errors_total', 'network', NULL, NULL, 'errin'),
('network_transmit_errors_total', 'network', NULL, NULL, 'errout'),
('network_receive_drops_total', 'network', NULL, NULL, 'dropin'),
('network_transmit_drops_total', 'network', NULL, NULL, 'dropout'),
('network_interface_transmit_bytes_total', 'network', 'interfaces', 'interface', 'bytes_sent'),
('network_interface_receive_bytes_total', 'network', 'interfaces', 'interface', 'bytes_recv'),
('network_interface_transmit_packets_total', 'network', 'interfaces', 'interface', 'packets_sent'),
('network_interface_receive_packets_total', 'network', 'interfaces', 'interface', 'packets_recv'),
('network_interface_receive_errors_total', 'network', 'interfaces', 'interface', 'errin'),
('network_interface_transmit_errors_total', 'network', 'interfaces', 'interface', 'errout'),
('network_interface_receive_drops_total', 'network', 'interfaces', 'interface', 'dropin'),
('network_interface_transmit_drops_total', 'network', 'interfaces', 'interface', 'dropout'),
('disk_partition_total_bytes', 'disk', 'partitions', 'mountpoint', 'total_bytes'),
('disk_partition_used_bytes', 'disk', 'partitions', 'mountpoint', 'used_bytes'),
('disk_partition_free_bytes', 'disk', 'partitions', 'mountpoint', 'free_bytes'),
('disk_partition_usage_percent', 'disk', 'partitions', 'mountpoint', 'percent'),
('disk_read_bytes_total', 'disk', NULL, NULL, 'read_bytes'),
('disk_write_bytes_total', 'disk', NULL, NULL, 'write_bytes'),
('disk_reads_total', 'disk', NULL, NULL, 'read_count'),
('disk_writes_total', 'disk', NULL, NULL, 'write_count'),
('disk_device_read_bytes_total', 'disk', 'devices', 'device', 'read_bytes'),
('disk_device_write_bytes_total', 'disk', 'devices', 'device', 'write_bytes'),
('disk_device_reads_total', 'disk', 'devices', 'device', 'read_count'),
('disk_device_writes_total', 'disk', 'devices', 'device', 'write_count'),
('disk_device_busy_percent', 'disk', 'devices', 'device', 'busy_percent'),
('perf_cycles_total', 'perf_events', NULL, NULL, 'cycles'),
('perf_instructions_total', 'perf_events', NULL, NULL, 'instructions'),
('perf_instructions_per_cycle', 'perf_events', NULL, NULL, 'ipc'),
('perf_cache_references_total', 'perf_events', NULL, NULL, 'cache_references'),
('perf_cache_misses_total', 'perf_events', NULL, NULL, 'cache_misses'),
('perf_cache_miss_percent', 'perf_events', NULL, NULL, 'cache_miss_percent'),
('perf_branch_instructions_total', 'perf_events', NULL, NULL, 'branch_instructions'),
('perf_branch_misses_total', 'perf_events', NULL, NULL, 'branch_misses'),
('perf_branch_miss_percent', 'perf_events', NULL, NULL, 'branch_miss_percent'),
('perf_dtlb_load_misses_total', 'perf_events', NULL, NULL, 'dtlb_load_misses'),
('vmstat_pgpgin_per_second', 'memory_bandwidth', NULL, NULL, 'pgpgin_per_sec'),
('vmstat_pgpgout_per_second', 'memory_bandwidth', NULL, NULL, 'pgpgout_per_sec'),
('vmstat_pswpin_per_second', 'memory_bandwidth', NULL, NULL, 'pswpin_per_sec'),
('vmstat_pswpout_per_second', 'memory_bandwidth', NULL, NULL, 'pswpout_per_sec'),
('vmstat_pgfault_per_second', 'memory_bandwidth', NULL, NULL, 'pgfault_per_sec'),
('vmstat_pgmajfault_per_second', 'memory_bandwidth', NULL, NULL, 'pgmajfault_per_sec'),
('gpu_utilization_percent', 'gpu', 'gpus', 'gpu', 'utilization_percent'),
('gpu_memory_total_bytes', 'gpu', 'gpus', 'gpu', 'memory_total_bytes'),
('gpu_memory_used_bytes', 'gpu', 'gpus', 'gpu', 'memory_used_bytes'),
('gpu_temperature_celsius', 'gpu', 'gpus', 'gpu', 'temperature_celsius'),
('gpu_power_watts', 'gpu', 'gpus', 'gpu', 'power_watts');

-- Document 004's nested document of one frame: all sections, or the wanted one. Values that JSON cannot hold (NaN, infinities) are left out.
CREATE FUNCTION snapshot_of_frame(layout integer, numbers double precision[], moment timestamptz, wanted text)
RETURNS jsonb
LANGUAGE sql STABLE PARALLEL SAFE AS $$
    WITH points AS (
        SELECT s.section, s.collection, s.field, c.labels ->> s.label AS item, to_jsonb(numbers[lc.position]) AS number
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

-- Document 004: one row of type 'aggregated' per frame with all sections, and one row per section with that section
-- alone, so that its queries by metric_type find what they ask for.
CREATE VIEW metrics_snapshot AS
SELECT
    ('x' || substr(md5(f.device_id::text || f.ts::text || kind.metric_type), 1, 15))::bit(60)::bigint AS id,
    f.ts AS "timestamp",
    kind.metric_type::varchar(50) AS metric_type,
    snapshot_of_frame(f.layout_id, f."values", f.ts, kind.metric_type) AS metric_data,
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

COMMENT ON VIEW metrics_snapshot IS
'Document 004''s snapshots. Filter metric_type = ''aggregated'' for one row per frame; device_id is this product''s addition.';
