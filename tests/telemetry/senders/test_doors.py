"""What each protocol's door stores, and how it answers."""

import gzip
import json

import pytest

from fleetkeeper.telemetry.host_mark import HOST_MARK
from tests.factories.senders import (
    V2,
    WRITE,
    field,
    headers_of,
    metadata,
    now_ms,
    request_v2,
    series,
    snappy,
)


class TestRemoteWrite:
    async def test_samples_are_stored_under_a_new_device(self, admin, read_back):
        now = now_ms()
        labels = {"__name__": "up", "instance": "web9:9100", "job": "node"}
        body = series(labels, [(now - 1000, 1.0), (now, 0.0)])
        answer = await admin.post(WRITE, content=snappy(body), headers=headers_of())
        assert (answer.status_code, answer.text) == (204, "")
        assert answer.headers["X-Prometheus-Remote-Write-Samples-Written"] == "2"
        key = f'up{{instance="{HOST_MARK}:9100",job="node"}}'
        assert read_back("web9") == {key: [(now - 1000, 1.0), (now, 0.0)]}

    async def test_a_known_device_is_found_by_its_name(self, admin, device, read_back):
        now = now_ms()
        labels = {"__name__": "up", "instance": "web-01:9100"}
        body = series(labels, [(now, 1.0)])
        for _ in range(2):
            answer = await admin.post(WRITE, content=snappy(body), headers=headers_of())
            assert answer.status_code == 204
        assert list(read_back("web-01").values()) == [[(now, 1.0)]]
        page = (await admin.get("/api/v1/devices")).json()
        assert page["count"] == 1

    async def test_metadata_describes_metrics_that_have_no_meaning_yet(self, admin, device, connection):
        body = series({"__name__": "x_total", "instance": "web-01"}, [(now_ms(), 1.0)])
        body += metadata("x_total", 1, "What x did", "bytes")
        assert (await admin.post(WRITE, content=snappy(body), headers=headers_of())).status_code == 204
        row = connection.execute(
            "SELECT unit, kind, description FROM metrics WHERE name = 'x_total'"
        ).fetchone()
        assert row == ("bytes", "counter", "What x did")

    async def test_version_two(self, admin, device, read_back, connection):
        now = now_ms()
        body = request_v2(
            [({"__name__": "y", "instance": "web-01:1"}, [(now, 2.5)])], meaning=(2, "What y is", "volts")
        )
        answer = await admin.post(WRITE, content=snappy(body), headers=headers_of(V2))
        assert answer.status_code == 204
        assert answer.headers["X-Prometheus-Remote-Write-Samples-Written"] == "1"
        assert answer.headers["X-Prometheus-Remote-Write-Histograms-Written"] == "0"
        assert answer.headers["X-Prometheus-Remote-Write-Exemplars-Written"] == "0"
        assert read_back("web-01") == {f'y{{instance="{HOST_MARK}:1"}}': [(now, 2.5)]}
        row = connection.execute("SELECT unit, kind, description FROM metrics WHERE name = 'y'").fetchone()
        assert row == ("volts", "gauge", "What y is")

    async def test_good_samples_beside_bad_ones_are_kept(self, admin, device, read_back):
        now = now_ms()
        body = (
            series({"__name__": "good", "instance": "web-01"}, [(now, 1.0)])
            + series({"__name__": "bad\nname", "instance": "web-01"}, [(now, 1.0)])
            + series({"__name__": "old", "instance": "web-01"}, [(1000, 1.0)])
            + series({"__name__": "homeless"}, [(now, 1.0)])
        )
        answer = await admin.post(WRITE, content=snappy(body), headers=headers_of())
        assert answer.status_code == 400
        assert "3 samples were not stored" in answer.text
        assert answer.headers["X-Prometheus-Remote-Write-Samples-Written"] == "1"
        assert len(read_back("web-01")) == 1
        counters = (await admin.get("/metrics")).text
        assert 'samples_rejected_total{protocol="prometheus",reason="bad_name"} 1' in counters
        assert 'samples_rejected_total{protocol="prometheus",reason="no_host"} 1' in counters
        assert 'samples_accepted_total{protocol="prometheus"} 1' in counters

    @pytest.mark.parametrize(
        "headers",
        [
            headers_of("application/x-protobuf;proto=io.prometheus.write.v3.Request"),
            headers_of("application/json"),
            {"Content-Type": "application/x-protobuf", "Content-Encoding": "zstd"},
        ],
    )
    async def test_unknown_kinds_answer_415(self, admin, headers):
        answer = await admin.post(WRITE, content=b"", headers=headers)
        assert answer.status_code == 415
        assert answer.headers["content-type"].startswith("text/plain")

    @pytest.mark.parametrize(
        "body", [b"", b"\xff\xff\xff\xff\x0f", b"\x64abc", snappy(b"\x0a\xff\xff\xff\x7f")]
    )
    async def test_bodies_that_lie_answer_400_or_413(self, admin, body):
        answer = await admin.post(WRITE, content=body, headers=headers_of())
        assert answer.status_code in {400, 413}

    async def test_a_gap_in_the_wire_stores_nothing(self, admin, device, read_back):
        body = series({"__name__": "a", "instance": "web-01"}, [(now_ms(), 1.0)]) + b"\x0a\x7f"
        answer = await admin.post(WRITE, content=snappy(body), headers=headers_of())
        assert answer.status_code == 400
        assert read_back("web-01") == {}

    async def test_one_with_many_samples_answers_413(self, app, admin):
        app.state.settings.telemetry.max_samples_per_request = 3
        body = series({"__name__": "a", "instance": "web-01"}, [(now_ms() + n, 1.0) for n in range(4)])
        answer = await admin.post(WRITE, content=snappy(body), headers=headers_of())
        assert answer.status_code == 413

    async def test_native_histograms_are_reported(self, admin, device):
        body = series({"__name__": "h", "instance": "web-01"}, [], more=field(4, b""))
        answer = await admin.post(WRITE, content=snappy(body), headers=headers_of())
        assert answer.status_code == 400
        assert "native histograms" in answer.text


class TestInflux:
    async def test_lines_are_stored(self, admin, read_back):
        now = now_ms() // 1000
        lines = f'cpu,host=tele1,cpu=cpu0 usage_idle=98.5,note="x",n=3i {now}\nmem,host=tele1 value=5 {now}\n'
        answer = await admin.post(
            "/influx/api/v2/write?org=o&bucket=b&precision=s",
            content=gzip.compress(lines.encode()),
            headers={"Content-Encoding": "gzip"},
        )
        assert (answer.status_code, answer.text) == (204, "")
        stored = read_back("tele1")
        assert stored == {
            f'cpu_n{{cpu="cpu0",host="{HOST_MARK}"}}': [(now * 1000, 3.0)],
            f'cpu_usage_idle{{cpu="cpu0",host="{HOST_MARK}"}}': [(now * 1000, 98.5)],
            f'mem{{host="{HOST_MARK}"}}': [(now * 1000, 5.0)],
        }

    async def test_partial_write_names_the_line(self, admin, device, read_back):
        answer = await admin.post("/influx/write?db=x", content="a,host=web-01 v=1\nnonsense\n")
        assert answer.status_code == 400
        assert answer.json()["code"] == "invalid"
        assert answer.json()["message"].startswith("partial write: line 2")
        assert len(read_back("web-01")) == 1

    async def test_credentials_of_every_kind(self, app, admin_token, device):
        async with app.client() as client:
            line = "a,host=web-01 v=1"
            for number, headers in enumerate(
                (
                    {"Authorization": f"Token {admin_token}"},
                    {"Authorization": f"Bearer {admin_token}"},
                    {"Authorization": f"Token user:{admin_token}"},
                )
            ):
                answer = await client.post(
                    "/influx/write", content=f"{line} {now_ms()}00000{number}", headers=headers
                )
                assert answer.status_code == 204
            answer = await client.post("/influx/write", content=line, auth=("u", admin_token))
            assert answer.status_code == 204
            answer = await client.post("/influx/write", content=line)
            assert answer.status_code == 401
            assert answer.json()["code"] == "unauthorized"
            answer = await client.post(f"/influx/write?u=x&p={admin_token}", content=line)
            assert answer.status_code == 400

    async def test_ping_health_and_making_a_database(self, admin, anonymous):
        assert (await anonymous.get("/influx/ping")).status_code == 204
        assert (await anonymous.get("/influx/health")).json()["status"] == "pass"
        answer = await admin.post("/influx/query", params={"q": "CREATE DATABASE telegraf"})
        assert answer.json() == {"results": [{"statement_id": 0}]}
        assert (await admin.post("/influx/query", params={"q": "DROP DATABASE x"})).status_code == 400


class TestCollectd:
    async def test_values_are_stored(self, admin, read_back):
        now = now_ms() / 1000
        body = [
            {
                "values": [5, None],
                "dstypes": ["derive", "gauge"],
                "dsnames": ["rx", "tx"],
                "time": now,
                "interval": 10,
                "host": "coll1",
                "plugin": "interface",
                "plugin_instance": "eth0",
                "type": "if_octets",
                "type_instance": "",
            },
            {"message": "x", "severity": "FAILURE", "time": now},
        ]
        answer = await admin.post("/collectd", json=body)
        assert answer.status_code == 200
        key = f'collectd_interface_if_octets_rx_total{{instance="{HOST_MARK}",interface="eth0"}}'
        assert list(read_back("coll1")) == [key]

    async def test_other_json_is_refused(self, admin):
        for body in (b"{}", b'[{"values": [1]}]', b"[" * 100_000, b"\xff"):
            assert (await admin.post("/collectd", content=body)).status_code == 400


class TestOtlp:
    def _body(self, host: str, value: float) -> dict:
        point = {
            "timeUnixNano": str(now_ms() * 1_000_000),
            "asDouble": value,
            "attributes": [{"key": "cpu.id", "value": {"intValue": "3"}}],
        }
        metric = {
            "name": "system.cpu.time",
            "unit": "s",
            "sum": {"isMonotonic": True, "aggregationTemporality": 2, "dataPoints": [point]},
        }
        attributes = [{"key": "host.name", "value": {"stringValue": host}}] if host else []
        return {
            "resourceMetrics": [
                {"resource": {"attributes": attributes}, "scopeMetrics": [{"metrics": [metric]}]}
            ]
        }

    async def test_json_is_stored_and_answered_in_json(self, admin, read_back):
        answer = await admin.post("/otlp/v1/metrics", json=self._body("otel1", 4.5))
        assert (answer.status_code, answer.json()) == (200, {})
        assert list(read_back("otel1")) == ['system_cpu_time_seconds_total{cpu_id="3"}']

    async def test_partial_success_says_how_many_and_why(self, admin):
        answer = await admin.post("/otlp/v1/metrics", json=self._body("", 4.5))
        assert answer.status_code == 200
        assert answer.json()["partialSuccess"]["rejectedDataPoints"] == "1"
        assert "no rule finds a host" in answer.json()["partialSuccess"]["errorMessage"]

    async def test_other_bodies_are_refused(self, admin):
        for body, kind, status in (
            (b"[]", "application/json", 400),
            (b"{" * 50_000, "application/json", 400),
            (b"\x0a\xff", "application/x-protobuf", 400),
            (b"", "text/plain", 415),
        ):
            answer = await admin.post("/otlp/v1/metrics", content=body, headers={"Content-Type": kind})
            assert answer.status_code == status
        assert (
            json.loads(
                (
                    await admin.post(
                        "/otlp/v1/metrics", content=b"[]", headers={"Content-Type": "application/json"}
                    )
                ).text
            )["code"]
            == 3
        )
