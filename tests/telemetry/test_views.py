"""The documents' own queries, as they are written, on data that came by the door."""

import json
import re
import time

import pytest

# Document 004's example of `metric_data`, with the channels by which an agent sends it.
DOCUMENT = {
    "cpu": {
        "usage_percent": 45.2,
        "per_core": [40.1, 50.3, 42.8, 48.1],
        "user_percent": 30.5,
        "load_avg_1m": 1.5,
        "temperature_celsius": 65.0,
    },
    "memory": {"total_bytes": 17179869184, "percent": 53.1, "swap_used_bytes": 0},
    "network": {
        "bytes_sent": 1024000,
        "errin": 0,
        "interfaces": {"eth0": {"bytes_sent": 1024000, "bytes_recv": 4096000}},
    },
    "disk": {"partitions": {"/": {"total_bytes": 107374182400, "percent": 50.0}}, "read_count": 500},
    "perf_events": {"cycles": 5000000000, "ipc": 1.8},
    "memory_bandwidth": {"pgpgin_per_sec": 100.0},
}
VALUES = {
    "cpu_usage_percent": 45.2,
    'cpu_core_usage_percent{core="0"}': 40.1,
    'cpu_core_usage_percent{core="1"}': 50.3,
    'cpu_core_usage_percent{core="2"}': 42.8,
    'cpu_core_usage_percent{core="3"}': 48.1,
    "cpu_user_percent": 30.5,
    "load_average_1m": 1.5,
    "cpu_temperature_celsius": 65.0,
    "memory_total_bytes": 17179869184.0,
    "memory_usage_percent": 53.1,
    "swap_used_bytes": 0.0,
    "network_transmit_bytes_total": 1024000.0,
    "network_receive_errors_total": 0.0,
    'network_interface_transmit_bytes_total{interface="eth0"}': 1024000.0,
    'network_interface_receive_bytes_total{interface="eth0"}': 4096000.0,
    'disk_partition_total_bytes{mountpoint="/"}': 107374182400.0,
    'disk_partition_usage_percent{mountpoint="/"}': 50.0,
    "disk_reads_total": 500.0,
    "perf_cycles_total": 5e9,
    "perf_instructions_per_cycle": 1.8,
    "vmstat_pgpgin_per_second": 100.0,
}
# As in the documents; $1 and so on are the driver's own.
ROWS_OF_A_TYPE = """
SELECT * FROM telemetry
WHERE device_id = %s
  AND timestamp >= %s
  AND timestamp < %s
  AND metric_type = %s
ORDER BY timestamp DESC
LIMIT 1000;
"""
DAILY_STATISTICS = """
WITH daily_stats AS (
    SELECT
        device_id,
        DATE(timestamp) as date,
        AVG(value_numeric) as avg_value,
        MAX(value_numeric) as max_value,
        MIN(value_numeric) as min_value
    FROM telemetry
    WHERE metric_type = 'cpu'
        AND timestamp >= CURRENT_DATE - INTERVAL '30 days'
    GROUP BY device_id, DATE(timestamp)
)
SELECT * FROM daily_stats
ORDER BY date DESC, device_id;
"""
CPU_OF_THE_LAST_HOUR = """
SELECT
  timestamp,
  (metric_data->'cpu'->>'usage_percent')::float AS cpu_usage
FROM metrics_snapshot
WHERE timestamp >= NOW() - INTERVAL '1 hour'
ORDER BY timestamp;
"""


@pytest.fixture
async def sent(device, connection):
    now = time.time() - 5
    assert (await device.send((now, VALUES))).json()["accepted"] == 1
    connection.execute("SET timezone = 'UTC'")
    return connection


class TestTelemetry:
    """Document 000."""

    async def test_rows_of_a_type(self, sent, device):
        rows = sent.execute(ROWS_OF_A_TYPE, (device.id, "2020-01-01", "2100-01-01", "memory"))
        columns = [column.name for column in rows.description]
        assert columns == ["id", "device_id", "timestamp", "metric_type", "metric_name", "value_numeric",
                           "value_text", "value_boolean", "unit", "metadata", "created_at"]  # fmt: skip
        found = {row[4]: (float(row[5]), row[8]) for row in rows}
        assert found == {
            "memory_total_bytes": (17179869184.0, "bytes"),
            "memory_usage_percent": (53.1, "percent"),
            "swap_used_bytes": (0.0, "bytes"),
        }

    async def test_labels_stand_in_metadata(self, sent):
        rows = sent.execute(
            "SELECT metadata ->> 'core', value_numeric FROM telemetry WHERE metadata ? 'core'"
        )
        assert {core: float(value) for core, value in rows} == {"0": 40.1, "1": 50.3, "2": 42.8, "3": 48.1}

    async def test_daily_statistics(self, sent, device):
        ((key, _, average, most, least),) = sent.execute(DAILY_STATISTICS).fetchall()
        assert str(key) == device.id
        assert (float(least), float(most)) == (1.5, 65.0)
        assert least <= average <= most

    async def test_ids_are_unique_and_stay(self, sent):
        first = sent.execute("SELECT id FROM telemetry ORDER BY id").fetchall()
        assert len(set(first)) == len(VALUES)
        assert sent.execute("SELECT id FROM telemetry ORDER BY id").fetchall() == first

    async def test_plan_reads_the_key_of_one_partition(self, sent, device):
        day = time.strftime("%Y-%m-%d", time.gmtime())
        text = sent.execute(
            "EXPLAIN " + ROWS_OF_A_TYPE, (device.id, f"{day} 00:00:00+00", f"{day} 23:59:59+00", "cpu")
        ).fetchall()
        plan = "\n".join(row[0] for row in text)
        assert set(re.findall(r"frames_\d{4}_\d{2}_\d{2}", plan)) == {"frames_" + day.replace("-", "_")}
        assert re.search(r"Index Scan.* using frames_\w+_pkey|Bitmap Index Scan on frames_\w+_pkey", plan), (
            plan
        )


class TestSnapshots:
    """Document 004."""

    async def test_nested_document(self, sent):
        ((kind, document),) = sent.execute(
            "SELECT metric_type, metric_data FROM metrics_snapshot WHERE metric_type = 'aggregated'"
        ).fetchall()
        assert kind == "aggregated"
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", document.pop("timestamp"))
        assert document == DOCUMENT

    async def test_cpu_of_the_last_hour(self, sent):
        rows = sent.execute(CPU_OF_THE_LAST_HOUR).fetchall()
        assert {row[1] for row in rows} == {45.2, None}
        condition = "WHERE metric_type = 'aggregated' AND timestamp"
        (row,) = sent.execute(CPU_OF_THE_LAST_HOUR.replace("WHERE timestamp", condition)).fetchall()
        assert row[1] == 45.2

    @pytest.mark.parametrize("section", sorted(DOCUMENT))
    async def test_one_section(self, sent, section):
        query = "SELECT metric_data FROM metrics_snapshot WHERE metric_type = %s AND timestamp >= '2026-01-21 00:00:00'"
        ((document,),) = sent.execute(query, (section,)).fetchall()
        del document["timestamp"]
        assert document == {section: DOCUMENT[section]}

    async def test_whole_day(self, sent):
        day = time.strftime("%Y-%m-%d", time.gmtime())
        query = f"SELECT * FROM metrics_snapshot WHERE timestamp >= '{day} 00:00:00' AND timestamp < '{day} 23:59:59.9'"
        rows = sent.execute(query).fetchall()
        assert len(rows) == 1 + len(DOCUMENT)
        assert len({row[0] for row in rows}) == len(rows)
        assert json.dumps(rows[0][3])

    async def test_eleven_cores_stand_in_their_order(self, device, connection):
        values = {f'cpu_core_usage_percent{{core="{n}"}}': float(n) for n in range(11)}
        await device.send((time.time(), values))
        ((cores,),) = connection.execute(
            "SELECT metric_data->'cpu'->'per_core' FROM metrics_snapshot WHERE metric_type = 'cpu'"
        ).fetchall()
        assert cores == [float(n) for n in range(11)]


# Document 002's continuous aggregate, as it is written.
HOURLY_STATISTICS = """
SELECT
    time_bucket('1 hour', timestamp),
    system_id,
    AVG(cpu_percent), MAX(cpu_percent),
    PERCENTILE_CONT(0.95) WITHIN GROUP (ORDER BY cpu_percent)
FROM usage_metrics
GROUP BY time_bucket, system_id;
"""


class TestUsageMetrics:
    """Document 002."""

    async def test_a_row_per_frame(self, device, connection):
        now = time.time() // 10 * 10 - 20
        more = {
            "swap_usage_percent": 2.5,
            "cpu_iowait_percent": 1.5,
            'gpu_utilization_percent{gpu="0"}': 20.0,
            'gpu_utilization_percent{gpu="1"}': 40.0,
            'gpu_temperature_celsius{gpu="0"}': 50.0,
            'gpu_temperature_celsius{gpu="1"}': 61.0,
        }
        counters = (
            "disk_read_bytes_total",
            "disk_write_bytes_total",
            "network_transmit_bytes_total",
            "network_receive_bytes_total",
        )
        for moment, base in ((now - 10, 0), (now, 2**20)):
            grown = {name: float(base * 10 * number) for number, name in enumerate(counters, 1)}
            assert (await device.send((moment, VALUES | more | grown))).status_code == 200
        rows = connection.execute("SELECT * FROM usage_metrics ORDER BY timestamp")
        columns = [column.name for column in rows.description]
        first, second = (dict(zip(columns, row, strict=True)) for row in rows)
        assert (str(second.pop("system_id")), second.pop("timestamp").timestamp()) == (device.id, now)
        assert second == {
            "cpu_percent": 45.2,
            "cpu_per_core": [40.1, 50.3, 42.8, 48.1],
            "cpu_temp": 65.0,
            "ram_percent": 53.1,
            "swap_percent": 2.5,
            "gpu_utilization": 30.0,
            "gpu_temp": 61.0,
            "disk_read_mb_s": 1.0,
            "disk_write_mb_s": 2.0,
            "disk_io_wait_percent": 1.5,
            "net_sent_mb_s": 3.0,
            "net_recv_mb_s": 4.0,
        }
        assert first["disk_read_mb_s"] is None
        ((bucket, system, average, most, percentile),) = connection.execute(HOURLY_STATISTICS).fetchall()
        assert (bucket.minute, str(system), average, most, percentile) == (0, device.id, 45.2, 45.2, 45.2)

    async def test_a_counter_that_was_reset_has_no_rate(self, device, connection):
        now = time.time() - 20
        await device.send((now - 10, {"disk_read_bytes_total": 5.0}), (now, {"disk_read_bytes_total": 1.0}))
        assert connection.execute("SELECT disk_read_mb_s FROM usage_metrics").fetchall() == [(None,), (None,)]

    @pytest.mark.parametrize("role", ["dashboard_readonly", "analyst"])
    async def test_readers_may(self, connection, role):
        statement = "SELECT has_table_privilege(%s, 'usage_metrics', 'SELECT')"
        assert connection.execute(statement, (role,)).fetchone()[0]
        row = connection.execute("SELECT reloptions FROM pg_class WHERE relname = 'usage_metrics'").fetchone()
        assert row[0] == ["security_invoker=true"]
