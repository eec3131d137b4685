"""The ingest door: what it takes, what it refuses and with which words, and that it counts each frame once."""

import asyncio
import gzip
import json
import time
import zlib

import pytest
import zstandard

from fleetkeeper.telemetry import frame_bodies, layouts
from fleetkeeper.telemetry.channels import channels_of


def count(connection, sql="SELECT count(*) FROM frames"):
    return connection.execute(sql).fetchone()[0]


class TestAccepted:
    async def test_frame_is_durable_and_readable(self, device, admin):
        now = time.time()
        answer = await device.send(
            (now, {"cpu_usage_percent": 45.25, 'cpu_core_usage_percent{core="0"}': 40.125})
        )
        assert answer.status_code == 200
        assert answer.json() == {"accepted": 1, "duplicates": 0}
        latest = (await admin.get("/api/v1/telemetry/latest", params={"device": device.id})).json()
        assert latest["ts"] == pytest.approx(now, abs=1e-6)
        assert {(item["metric"], json.dumps(item["labels"]), item["value"]) for item in latest["values"]} == {
            ("cpu_usage_percent", "{}", 45.25),
            ("cpu_core_usage_percent", '{"core": "0"}', 40.125),
        }

    async def test_same_frame_again_is_a_duplicate(self, device, connection):
        frame = (time.time(), {"cpu_usage_percent": 1.0})
        await device.send(frame)
        answer = await device.send(frame, (frame[0] - 1, {"cpu_usage_percent": 2.0}))
        assert answer.json() == {"accepted": 1, "duplicates": 1}
        assert count(connection) == 2

    async def test_same_frame_twice_in_one_request(self, device, connection):
        frame = (time.time(), {"cpu_usage_percent": 1.0})
        answer = await device.send(frame, frame)
        assert answer.json() == {"accepted": 1, "duplicates": 1}
        assert count(connection) == 1

    async def test_concurrent_replays_count_each_frame_once(self, device, connection):
        now = time.time()
        frames = [(now - n, {"cpu_usage_percent": float(n)}) for n in range(50)]
        answers = await asyncio.gather(*(device.send(*frames) for _ in range(8)))
        assert {answer.status_code for answer in answers} == {200}
        assert sum(answer.json()["accepted"] for answer in answers) == 50
        assert sum(answer.json()["duplicates"] for answer in answers) == 350
        assert count(connection) == 50

    async def test_late_frame_gets_its_partition(self, device, connection):
        answer = await device.send((time.time() - 7 * 86_400, {"cpu_usage_percent": 1.0}))
        assert answer.json()["accepted"] == 1
        assert count(connection) == 1

    async def test_partition_dropped_meanwhile(self, device, connection):
        late = time.time() - 5 * 86_400
        await device.send((late, {"cpu_usage_percent": 1.0}))
        name = time.strftime("frames_%Y_%m_%d", time.gmtime(late))
        connection.execute(f"DROP TABLE {name}")
        answer = await device.send((late, {"cpu_usage_percent": 1.0}))
        assert answer.json() == {"accepted": 1, "duplicates": 0}

    @pytest.mark.parametrize(
        ("encoding", "pack"),
        [
            ("gzip", gzip.compress),
            ("zstd", lambda data: zstandard.ZstdCompressor().compress(data)),
            ("identity", bytes),
        ],
    )
    async def test_compressed_body(self, device, encoding, pack):
        body = json.dumps({"frames": [{"ts": time.time(), "values": {"load_average_1m": 0.5}}]}).encode()
        answer = await device.client.post(
            "/api/v1/telemetry", content=pack(body), headers={"Content-Encoding": encoding}
        )
        assert answer.json() == {"accepted": 1, "duplicates": 0}

    async def test_missing_values_keep_the_layout(self, device, connection, admin):
        now = time.time()
        full = {f"metric_{n}": float(n) for n in range(10)}
        await device.send((now - 10, full))
        partial = {key: value for key, value in full.items() if key not in {"metric_3", "metric_7"}}
        await device.send((now, partial))
        assert count(connection, "SELECT count(*) FROM layouts") == 1
        latest = (await admin.get("/api/v1/telemetry/latest", params={"device": device.id})).json()
        assert {item["metric"]: item["value"] for item in latest["values"]} == partial

    async def test_order_of_channels_does_not_make_a_layout(self, device, connection, admin):
        now = time.time()
        await device.send((now - 10, {"a": 1.0, "b": 2.0, "c": 3.0}))
        await device.send((now, {"c": 30.0, "a": 10.0, "b": 20.0}))
        assert count(connection, "SELECT count(*) FROM layouts") == 1
        latest = (await admin.get("/api/v1/telemetry/latest", params={"device": device.id})).json()
        assert {item["metric"]: item["value"] for item in latest["values"]} == {
            "a": 10.0,
            "b": 20.0,
            "c": 30.0,
        }

    async def test_answer_names_the_newest_configuration(self, app, device):
        config = await device.client.get("/api/v1/agent/config")
        app.asgi.config_tag = config.headers["etag"].encode()
        answer = await device.send((time.time(), {"a": 1.0}))
        assert answer.headers["fleetkeeper-config"] == config.headers["etag"]


class TestRejectedFrames:
    @pytest.mark.parametrize(
        ("frame", "field", "words"),
        [
            (
                {"ts": 4070908800, "values": {"a": 1}},
                "frames[1].ts",
                "2099-01-01T00:00:00Z lies in the future",
            ),
            ({"ts": 1000000000, "values": {"a": 1}}, "frames[1].ts", "older than the server accepts"),
            ({"ts": -1e300, "values": {"a": 1}}, "frames[1].ts", "no time in epoch seconds"),
            ({"ts": "now", "values": {"a": 1}}, "frames[1].ts", "Expected `float`, got `str`"),
            ({"values": {"a": 1}}, "frames[1]", "missing required field `ts`"),
            ({"ts": None, "values": {"x": 1, "a": "45.2"}}, "frames[1].ts", "Expected `float`, got `null`"),
            (
                {"ts": "NOW", "values": {"x": 1, "a": "45.2"}},
                "frames[1].values.a",
                "Expected `float`, got `str`",
            ),
            (
                {"ts": "NOW", "values": {"x": 1, "a": None}},
                "frames[1].values.a",
                "Expected `float`, got `null`",
            ),
            ({"ts": "NOW", "values": {"a": True}}, "frames[1].values.a", "Expected `float`, got `bool`"),
            ({"ts": "NOW", "values": {}}, "frames[1].values", "has 1 to"),
            ({"ts": "NOW", "values": {"1bad": 1}}, "frames[1].values.1bad", "a metric name has letters"),
            ({"ts": "NOW", "values": {'a{b="c"': 1}}, 'frames[1].values.a{b="c"', "closing brace"),
            ({"ts": "NOW", "values": {"a" * 300: 1}}, "frames[1].values." + "a" * 80, "at most 200"),
            ("text", "frames[1]", "Expected `object`, got `str`"),
        ],
    )
    async def test_bad_frame_is_named_and_the_good_one_kept(self, device, connection, frame, field, words):
        now = time.time()
        if isinstance(frame, dict) and frame.get("ts") == "NOW":
            frame = frame | {"ts": now}
        body = {"frames": [{"ts": now - 5, "values": {"a": 1.0}}, frame]}
        answer = await device.client.post("/api/v1/telemetry", json=body)
        assert answer.status_code == 200
        (rejected,) = answer.json()["rejected"]
        assert rejected["index"] == 1
        assert rejected["field"] == field
        assert words in rejected["error"]
        assert answer.json()["accepted"] == 1
        assert count(connection) == 1

    async def test_nothing_stored_answers_422_with_fields(self, device, connection):
        answer = await device.send((4070908800, {"a": 1.0}))
        assert answer.status_code == 422
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["errors"][0]["field"] == "frames[0].ts"
        assert count(connection) == 0

    async def test_number_beyond_float_is_refused(self, device):
        body = b'{"frames":[{"ts":%d,"values":{"a":1e999}}]}' % time.time()
        answer = await device.client.post("/api/v1/telemetry", content=body)
        assert answer.status_code == 422
        assert answer.json()["errors"][0]["message"] == "Number out of range"

    async def test_channel_limit_of_one_device(self, app, device, connection):
        app.state.door.layouts.max_channels_per_device = 20
        now = time.time()
        labels = {f'a{{n="{n}"}}': 1.0 for n in range(20)}
        assert (await device.send((now - 1, labels))).json()["accepted"] == 1
        answer = await device.send((now, {'a{n="other"}': 1.0}))
        assert answer.status_code == 422
        assert "limit is 20" in answer.json()["errors"][0]["message"]
        assert count(connection, "SELECT count(*) FROM channels") == 20

    async def test_channels_that_are_gone_count_no_more(self, app, device, connection):
        app.state.door.layouts.max_channels_per_device = 20
        now = time.time()
        assert (await device.send((now - 1, {f'a{{n="{n}"}}': 1.0 for n in range(20)}))).status_code == 200
        connection.execute("DELETE FROM device_layouts")
        assert (await device.send((now, {'a{n="other"}': 1.0}))).status_code == 200

    async def test_a_device_s_channels_are_counted_once(self, device, monkeypatch):
        """However many layouts it shows: counting all of them for each took a minute for 450."""
        asked = []

        async def noted(connection, device_id):
            asked.append(device_id)
            return await channels_of(connection, device_id)

        monkeypatch.setattr(layouts, "channels_of", noted)
        now = time.time() - 60
        frames = [(now + n, {f'a{{n="{n}"}}': 1.0, "b": 2.0}) for n in range(30)]
        assert (await device.send(*frames)).json()["accepted"] == 30
        assert len(asked) == 1


class TestRefusedRequests:
    @pytest.mark.parametrize(
        "body", [b"", b"{", b'{"frames":[{"ts":1,"values":{"a":NaN}}]}', b"\xff\xfe", b"[" * 100_000]
    )
    async def test_malformed_json(self, device, body):
        answer = await device.client.post("/api/v1/telemetry", content=body)
        assert answer.status_code in {400, 422}
        assert answer.json()["errors"][0]["field"] == "body"

    @pytest.mark.parametrize("body", [{}, {"frames": 1}, {"frames": {}}, []])
    async def test_wrong_shape(self, device, body):
        answer = await device.client.post("/api/v1/telemetry", json=body)
        assert answer.status_code == 422
        assert answer.json()["errors"][0]["field"]

    async def test_body_over_the_limit(self, app, device):
        app.asgi._max_body_bytes = 1000
        answer = await device.client.post("/api/v1/telemetry", content=b"x" * 1001)
        assert answer.status_code == 413
        assert answer.json()["errors"] == [{"field": "body", "message": "has at most 1000 bytes"}]

    @pytest.mark.parametrize("encoding", ["gzip", "zstd"])
    async def test_bomb(self, device, encoding):
        zeros = b"0" * 40_000_000
        packed = gzip.compress(zeros) if encoding == "gzip" else zstandard.ZstdCompressor().compress(zeros)
        assert len(packed) < 100_000
        answer = await device.client.post(
            "/api/v1/telemetry", content=packed, headers={"Content-Encoding": encoding}
        )
        assert answer.status_code == 413
        assert "once decompressed" in answer.json()["detail"]

    @pytest.mark.parametrize(
        ("encoding", "body"),
        [
            ("gzip", b"not gzip"),
            ("gzip", gzip.compress(b'{"frames":[]}', mtime=0)[:-6]),
            ("zstd", b"not zstd"),
            ("zstd", zstandard.ZstdCompressor().compress(b'{"frames":[]}')[:-3]),
            ("deflate", zlib.compress(b"{}")),
            ("br", b"{}"),
        ],
    )
    async def test_damaged_or_unknown_encoding(self, device, encoding, body):
        answer = await device.client.post(
            "/api/v1/telemetry", content=body, headers={"Content-Encoding": encoding}
        )
        assert answer.status_code == 400
        assert answer.json()["errors"][0]["field"] in {"Content-Encoding", "body"}

    @pytest.mark.parametrize(
        "key", ["", "Bearer", "Bearer fkd_wrong", "Bearer \x00", "Basic fkd_x", "Bearer fkd_" + "x" * 5000]
    )
    async def test_wrong_key(self, app, key, connection):
        async with app.client() as client:
            answer = await client.post(
                "/api/v1/telemetry", json={"frames": []}, headers={"Authorization": key}
            )
        assert answer.status_code == 401
        assert answer.headers["www-authenticate"] == "Bearer"

    async def test_api_token_is_no_device_key(self, admin):
        answer = await admin.post(
            "/api/v1/telemetry", json={"frames": [{"ts": time.time(), "values": {"a": 1}}]}
        )
        assert answer.status_code == 401

    async def test_revoked_key(self, app, device, admin):
        assert (await device.send((time.time(), {"a": 1.0}))).status_code == 200
        assert (await admin.delete(f"/api/v1/agents/{device.id}/keys")).status_code == 204
        await app.state.door.keys.verify()  # what happens every VERIFY_SECONDS
        assert (await device.send((time.time(), {"a": 1.0}))).status_code == 401

    async def test_too_many_frames(self, app, device, connection):
        app.state.door.settings.telemetry.max_frames_per_request = 3
        answer = await device.send(*((time.time() - n, {"a": 1.0}) for n in range(4)))
        assert answer.status_code == 413
        assert count(connection) == 0

    async def test_overload_answers_429_with_retry_after(self, app, device, connection):
        app.state.door.writer._max_pending = 2
        answer = await device.send(*((time.time() - n, {"a": 1.0}) for n in range(3)))
        assert answer.status_code == 429
        assert int(answer.headers["retry-after"]) >= 1
        assert count(connection) == 0

    async def test_too_many_requests_at_once(self, app, device, connection):
        app.asgi._places.total = 0
        answer = await device.send((time.time(), {"a": 1.0}))
        assert answer.status_code == 429
        assert int(answer.headers["retry-after"]) >= 1
        assert count(connection) == 0

    async def test_host_not_on_the_list(self, device):
        answer = await device.client.post(
            "/api/v1/telemetry", json={"frames": []}, headers={"Host": "evil.example"}
        )
        assert answer.status_code == 400
        assert answer.json()["errors"][0]["field"] == "Host"


class TestOthersHaveTheirTurn:
    """While one request's body is read, the event loop serves others."""

    async def test_too_many_frames_are_refused_before_each_is_looked_into(self, device, monkeypatch):
        monkeypatch.setattr(frame_bodies, "_frame_decoder", None)
        answer = await device.client.post("/api/v1/telemetry", json={"frames": [1] * 100_000})
        assert answer.status_code == 413
        assert answer.json()["errors"][0]["field"] == "frames"

    @pytest.mark.parametrize("bad", [{}, {"ts": "x"}])
    async def test_frame_by_frame(self, device, monkeypatch, bad):
        """Both where one frame is bad and where the body is large."""
        monkeypatch.setattr("fleetkeeper.kit.turns.LONGEST_SECONDS", 0.0)
        turns = 0

        async def others() -> None:
            nonlocal turns
            while True:
                await asyncio.sleep(0)
                turns += 1

        now = time.time()
        values = {f"a{n}": 1.0 for n in range(10)}
        frames = [{"ts": now - n, "values": values} | (bad if n == 7 else {}) for n in range(900)]
        waiting = asyncio.ensure_future(others())
        try:
            answer = await device.client.post("/api/v1/telemetry", json={"frames": frames})
        finally:
            waiting.cancel()
        assert answer.json()["accepted"] == (899 if bad else 900)
        assert turns > 1800
