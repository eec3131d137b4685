"""The real senders write to the running product, and all that they sent is found there."""

import json
import struct
import uuid
from pathlib import Path

import httpx
import psycopg
import pytest

from fleetkeeper.telemetry.host_mark import HOST_MARK
from fleetkeeper_protocol.metrics import parse_channel
from tests.fixtures.peers import LIBRARIES, find_peer, peers_folder, running_peer
from tests.fixtures.product import Product, free_port, wait_for

Samples = dict[str, dict[int, float]]


def stored(product: Product, name: str) -> Samples:
    """All samples of a device by channel and microsecond, straight from the frames."""
    with psycopg.connect(product.database_url) as connection:
        rows = connection.execute(
            """
            SELECT c.key, (extract(epoch FROM f.ts) * 1000000)::bigint, v.value
            FROM frames f JOIN devices d ON d.id = f.device_id
            CROSS JOIN LATERAL unnest(f.values) WITH ORDINALITY AS v (value, position)
            JOIN layout_channels l ON l.layout_id = f.layout_id AND l.position = v.position
            JOIN channels c ON c.id = l.channel_id
            WHERE d.name = %s AND v.value IS NOT NULL
            """,
            (name,),
        ).fetchall()
    found: Samples = {}
    for key, moment, value in rows:
        found.setdefault(key, {})[moment] = value
    return found


def bits(value: float) -> bytes:
    return struct.pack("<d", value)


class TestPrometheus:
    def test_all_that_it_scraped_arrives(self, product, tmp_path):
        host = f"node-{uuid.uuid4().hex[:8]}"
        exporter_port, port = free_port(), free_port()
        token = product.api_token()
        config = {
            "global": {"scrape_interval": "500ms", "scrape_timeout": "500ms"},
            "scrape_configs": [
                {
                    "job_name": "node",
                    "static_configs": [
                        {"targets": [f"127.0.0.1:{exporter_port}"], "labels": {"instance": f"{host}:9100"}}
                    ],
                }
            ],
            "remote_write": [
                {
                    "url": f"{product.url}/prometheus/api/v1/write",
                    "authorization": {"credentials": token},
                    "metadata_config": {"send_interval": "1s"},
                    "queue_config": {"batch_send_deadline": "200ms"},
                }
            ],
        }
        file = tmp_path / "prometheus.yml"
        # JSON is YAML.
        file.write_text(json.dumps(config))
        exporter = [find_peer("prometheus-node-exporter"), f"--web.listen-address=127.0.0.1:{exporter_port}"]
        prometheus = [
            find_peer("prometheus"),
            f"--config.file={file}",
            f"--storage.tsdb.path={tmp_path / 'data'}",
            f"--web.listen-address=127.0.0.1:{port}",
        ]
        with running_peer(exporter, tmp_path / "exporter.log"), running_peer(prometheus, tmp_path / "log"):

            def scraped() -> Samples:
                return prometheus_samples(port, '{job="node"}')

            wait_for(
                "five scrapes",
                lambda: len(_try(scraped).get(f'up{{instance="{host}:9100",job="node"}}', ())) >= 5,
            )
            expected = scraped()
            wanted = {
                (key.replace(f"{host}:9100", f"{HOST_MARK}:9100"), moment): bits(value)
                for key, samples in expected.items()
                for moment, value in samples.items()
            }

            def missing() -> int:
                found = stored(product, host)
                return sum(
                    bits(found.get(key, {}).get(at, 0.5)) != value for (key, at), value in wanted.items()
                )

            wait_for("all samples", lambda: not missing(), 60)
            described = wait_for("help texts", lambda: described_metrics(product, "node_%"))
        assert len(wanted) > 1000
        assert len(expected) > 200
        assert described > 100
        print(f"prometheus: {len(wanted)} samples of {len(expected)} series sent and read back")


def _try(read) -> Samples:
    try:
        return read()
    except httpx.HTTPError:
        return {}


def prometheus_samples(port: int, selector: str) -> Samples:
    """What a Prometheus has itself, without what ended it."""
    with httpx.Client(trust_env=False, timeout=30) as client:
        answer = client.get(f"http://127.0.0.1:{port}/api/v1/query", params={"query": f"{selector}[10m]"})
        answer.raise_for_status()
    found: Samples = {}
    for item in answer.json()["data"]["result"]:
        name = item["metric"].pop("__name__")
        labels = ",".join(f'{key}="{_escaped(value)}"' for key, value in sorted(item["metric"].items()))
        found[f"{name}{{{labels}}}"] = {round(at * 1000) * 1000: float(value) for at, value in item["values"]}
    return found


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def described_metrics(product: Product, pattern: str) -> int:
    with psycopg.connect(product.database_url) as connection:
        row = connection.execute(
            "SELECT count(*) FROM metrics WHERE name LIKE %s AND description <> ''", (pattern,)
        ).fetchone()
    return row[0]


class TestCollectd:
    def test_its_values_arrive(self, product, tmp_path):
        host = f"coll-{uuid.uuid4().hex[:8]}"
        program = find_peer("collectd")
        root = Path(program).parents[2]
        config = tmp_path / "collectd.conf"
        config.write_text(
            f"""
            Hostname "{host}"
            FQDNLookup false
            Interval 1
            BaseDir "{tmp_path}"
            PIDFile "{tmp_path}/pid"
            PluginDir "{root}/usr/lib/collectd"
            TypesDB "{root}/usr/share/collectd/types.db"
            LoadPlugin logfile
            <Plugin logfile>
              LogLevel info
              File "{tmp_path}/own.log"
            </Plugin>
            LoadPlugin cpu
            LoadPlugin memory
            LoadPlugin load
            LoadPlugin interface
            LoadPlugin write_http
            <Plugin write_http>
              <Node "fleetkeeper">
                URL "{product.url}/collectd"
                User "collectd"
                Password "{product.api_token()}"
                Format "JSON"
                BufferSize 65536
              </Node>
            </Plugin>
            LoadPlugin csv
            <Plugin csv>
              DataDir "{tmp_path}/csv"
              StoreRates false
            </Plugin>
            """
        )
        environment = {"LD_LIBRARY_PATH": str(peers_folder() / LIBRARIES), "PATH": "/usr/bin:/bin"}
        with running_peer([program, "-f", "-C", str(config)], tmp_path / "log", env=environment):
            wait_for("values", lambda: len(stored(product, host)) > 10, 60)
            expected = wait_for("its own record of three loads", lambda: load_record(tmp_path / "csv", 3), 60)
            found = wait_for("the same loads", lambda: _all_there(product, host, expected), 60)
        assert found
        total = sum(len(samples) for samples in stored(product, host).values())
        print(f"collectd: {total} samples of {len(stored(product, host))} series")


def load_record(folder: Path, number: int) -> dict[int, float]:
    """What collectd's csv plugin has written of the load: millisecond -> value."""
    rows = {}
    for file in folder.glob("*/load/load-*"):
        for line in file.read_text().splitlines()[1:]:
            parts = line.split(",")
            if len(parts) == 4:
                rows[round(float(parts[0]) * 1000)] = float(parts[1])
    return rows if len(rows) >= number else {}


def _all_there(product: Product, host: str, expected: dict[int, float]) -> bool:
    found = stored(product, host).get(f'collectd_load_shortterm{{instance="{HOST_MARK}"}}', {})
    by_millisecond = {round(at / 1000): value for at, value in found.items()}
    return all(
        any(abs(by_millisecond.get(at + shift, -1) - value) < 1e-5 for shift in (-1, 0, 1))
        for at, value in expected.items()
    )


class TestOpenTelemetry:
    @pytest.mark.parametrize("encoding", ["gzip", "none"])
    def test_its_sdk_exports(self, product, encoding):
        from opentelemetry.exporter.otlp.proto.http import Compression
        from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
        from opentelemetry.sdk.metrics import MeterProvider
        from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
        from opentelemetry.sdk.resources import Resource

        host = f"otel-{uuid.uuid4().hex[:8]}"
        exporter = OTLPMetricExporter(
            endpoint=f"{product.url}/otlp/v1/metrics",
            headers={"Authorization": f"Bearer {product.api_token()}"},
            compression=Compression.Gzip if encoding == "gzip" else Compression.NoCompression,
        )
        reader = PeriodicExportingMetricReader(exporter, export_interval_millis=3_600_000)
        resource = Resource.create(
            {
                "host.name": host,
                "service.name": "shop",
                "service.namespace": "web",
                "service.instance.id": f"{host}:8080",
            }
        )
        provider = MeterProvider([reader], resource=resource)
        meter = provider.get_meter("test")
        meter.create_counter("requests", unit="1", description="Requests served").add(3, {"http.route": "/"})
        meter.create_up_down_counter("queue.length").add(2)
        meter.create_histogram("latency", unit="ms").record(7)
        meter.create_observable_gauge("temperature", [_observe], unit="Cel")
        assert provider.force_flush(20_000)
        provider.shutdown()
        found = {key: next(iter(samples.values())) for key, samples in stored(product, host).items()}
        job = f'instance="{HOST_MARK}:8080",job="web/shop",otel_scope_name="test"'

        def bucket(bound: str) -> str:
            return job.replace(",otel", f',le="{bound}",otel')

        assert found[f'requests_total{{http_route="/",{job}}}'] == 3.0
        assert found[f"queue_length{{{job}}}"] == 2.0
        assert found[f"temperature_celsius{{{job}}}"] == 21.5
        assert found[f"latency_milliseconds_count{{{job}}}"] == 1.0
        assert found[f"latency_milliseconds_sum{{{job}}}"] == 7.0
        assert found[f"latency_milliseconds_bucket{{{bucket('5')}}}"] == 0.0
        assert found[f"latency_milliseconds_bucket{{{bucket('10')}}}"] == 1.0
        assert found[f"latency_milliseconds_bucket{{{bucket('+Inf')}}}"] == 1.0
        print(f"opentelemetry: {len(found)} samples")


def _observe(options):
    from opentelemetry.metrics import Observation

    return [Observation(21.5)]


class TestInfluxClient:
    def test_its_points_arrive(self, product):
        from influxdb_client import InfluxDBClient, Point, WritePrecision
        from influxdb_client.client.write_api import SYNCHRONOUS

        host = f"influx-{uuid.uuid4().hex[:8]}"
        with InfluxDBClient(f"{product.url}/influx", token=product.api_token(), org="o") as client:
            assert client.ping()
            writer = client.write_api(write_options=SYNCHRONOUS)
            start = wait_for("a time", now_us)
            points = [
                Point("room temp")
                .tag("host", host)
                .tag("room", "a, b=c")
                .field("celsius", 20.5 + n)
                .field("n", n)
                .time(start * 1000 + n * 1_000_000, WritePrecision.NS)
                for n in range(100)
            ]
            writer.write(bucket="b", record=points)
        found = stored(product, host)
        key = f'{{"room temp_celsius",host="{HOST_MARK}",room="a, b=c"}}'
        assert found[key] == {start + n * 1000: 20.5 + n for n in range(100)}
        name, labels = parse_channel(key)
        assert (name, labels["room"]) == ("room temp_celsius", "a, b=c")
        print(f"influxdb-client: {sum(map(len, found.values()))} samples")


def now_us() -> int:
    import time

    return time.time_ns() // 1_000_000_000 * 1_000_000 - 60_000_000
