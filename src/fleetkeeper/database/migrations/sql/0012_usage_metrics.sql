-- Document 002's fact table as a view: one row per frame that has any of its metrics. It sees frames that are not sealed
-- yet; the API and exports read the whole past.

-- Growth of a counter per second since the frame before, in MB (2^20 bytes); NULL after a reset or a gap of ten minutes.
CREATE FUNCTION counter_mb_per_second(
    device uuid, moment timestamptz, layout integer, kind integer, place integer, number double precision
) RETURNS double precision
LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN number >= b."values"[place]
                THEN (number - b."values"[place]) / 1048576 / extract(epoch FROM moment - b.ts)::double precision END
    FROM frames b
    WHERE place IS NOT NULL AND b.device_id = device AND b.ts < moment
      AND b.ts >= moment - interval '10 minutes'
      AND b.part = kind AND b.layout_id = layout AND b."values"[place] IS NOT NULL
    ORDER BY b.ts DESC LIMIT 1
$$;

CREATE VIEW usage_metrics WITH (security_invoker = true) AS
SELECT
    f.device_id AS system_id,
    f.ts AS "timestamp",
    f."values"[p.cpu] AS cpu_percent,
    (SELECT jsonb_agg(f."values"[core.place] ORDER BY core.ordinality)
     FROM unnest(p.cores) WITH ORDINALITY AS core (place, ordinality)) AS cpu_per_core,
    f."values"[p.cpu_temperature] AS cpu_temp,
    f."values"[p.memory] AS ram_percent,
    f."values"[p.swap] AS swap_percent,
    (SELECT avg(f."values"[place]) FROM unnest(p.gpus) AS place) AS gpu_utilization,
    (SELECT max(f."values"[place]) FROM unnest(p.gpu_temperatures) AS place) AS gpu_temp,
    counter_mb_per_second(f.device_id, f.ts, f.layout_id, f.part, p.disk_read, f."values"[p.disk_read])
        AS disk_read_mb_s,
    counter_mb_per_second(f.device_id, f.ts, f.layout_id, f.part, p.disk_write, f."values"[p.disk_write])
        AS disk_write_mb_s,
    f."values"[p.io_wait] AS disk_io_wait_percent,
    counter_mb_per_second(f.device_id, f.ts, f.layout_id, f.part, p.net_sent, f."values"[p.net_sent]) AS net_sent_mb_s,
    counter_mb_per_second(f.device_id, f.ts, f.layout_id, f.part, p.net_received, f."values"[p.net_received])
        AS net_recv_mb_s
FROM frames f
JOIN (
    SELECT l.layout_id,
           max(l.position) FILTER (WHERE c.key = 'cpu_usage_percent') AS cpu,
           array_agg(l.position ORDER BY lpad(c.labels ->> 'core', 10, '0'))
               FILTER (WHERE m.name = 'cpu_core_usage_percent') AS cores,
           max(l.position) FILTER (WHERE c.key = 'cpu_temperature_celsius') AS cpu_temperature,
           max(l.position) FILTER (WHERE c.key = 'memory_usage_percent') AS memory,
           max(l.position) FILTER (WHERE c.key = 'swap_usage_percent') AS swap,
           array_agg(l.position) FILTER (WHERE m.name = 'gpu_utilization_percent') AS gpus,
           array_agg(l.position) FILTER (WHERE m.name = 'gpu_temperature_celsius') AS gpu_temperatures,
           max(l.position) FILTER (WHERE c.key = 'disk_read_bytes_total') AS disk_read,
           max(l.position) FILTER (WHERE c.key = 'disk_write_bytes_total') AS disk_write,
           max(l.position) FILTER (WHERE c.key = 'cpu_iowait_percent') AS io_wait,
           max(l.position) FILTER (WHERE c.key = 'network_transmit_bytes_total') AS net_sent,
           max(l.position) FILTER (WHERE c.key = 'network_receive_bytes_total') AS net_received
    FROM layout_channels l JOIN channels c ON c.id = l.channel_id JOIN metrics m ON m.id = c.metric_id
    WHERE m.name IN ('cpu_usage_percent', 'cpu_core_usage_percent', 'cpu_temperature_celsius', 'memory_usage_percent',
                     'swap_usage_percent', 'gpu_utilization_percent', 'gpu_temperature_celsius',
                     'disk_read_bytes_total', 'disk_write_bytes_total', 'cpu_iowait_percent',
                     'network_transmit_bytes_total', 'network_receive_bytes_total')
    GROUP BY l.layout_id
) p ON p.layout_id = f.layout_id;
COMMENT ON VIEW usage_metrics IS
'Document 002''s measurements, one row per frame that is not sealed yet. Read-only; MB are 2^20 bytes.';
GRANT SELECT ON usage_metrics TO fleetkeeper_app, fleetkeeper_whole_fleet, dashboard_readonly, analyst;

-- What TimescaleDB calls it, for queries written for it; buckets begin on a Monday. Where TimescaleDB is, its own stays.
DO $$
BEGIN
    IF to_regprocedure('time_bucket(interval, timestamptz)') IS NULL THEN
        CREATE FUNCTION time_bucket(width interval, moment timestamptz) RETURNS timestamptz
        LANGUAGE sql IMMUTABLE PARALLEL SAFE
        AS 'SELECT date_bin(width, moment, timestamptz ''2000-01-03 00:00:00+00'')';
    END IF;
END
$$;
