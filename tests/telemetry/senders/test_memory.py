"""What a web process remembers of series and places, and when that no longer holds."""

import json
from dataclasses import dataclass

import pytest
from google.protobuf import json_format
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest

from fleetkeeper.telemetry import device_parts
from tests.factories.senders import V2, WRITE, headers_of, now_ms, request_v2, series, snappy
from tests.fixtures.client import enroll

# A host, a metric, and a value.
Row = tuple[str, str, float]


@dataclass(frozen=True)
class Sender:
    """A protocol in which the same samples are sent."""

    protocol: str

    async def send(self, client, moment_ms: int, *rows: Row):
        path, body, headers = getattr(self, self.protocol)(moment_ms, rows)
        return await client.post(path, content=body, headers=headers)

    @staticmethod
    def remote_write(moment_ms, rows):
        body = b"".join(
            series({"__name__": name, "instance": host}, [(moment_ms, value)]) for host, name, value in rows
        )
        return WRITE, snappy(body), headers_of()

    @staticmethod
    def remote_write_2(moment_ms, rows):
        written = [({"__name__": name, "instance": host}, [(moment_ms, value)]) for host, name, value in rows]
        return WRITE, snappy(request_v2(written)), headers_of(V2)

    @staticmethod
    def influx(moment_ms, rows):
        lines = [f"{name},host={host} value={value} {moment_ms}000000" for host, name, value in rows]
        return "/influx/write", "\n".join(lines).encode(), {}

    @staticmethod
    def otlp_document(moment_ms, rows):
        resources = []
        for host, name, value in rows:
            point = {"timeUnixNano": str(moment_ms * 1_000_000), "asDouble": value}
            metrics = [{"name": name, "gauge": {"dataPoints": [point]}}]
            attributes = [{"key": "host.name", "value": {"stringValue": host}}]
            resources.append({"resource": {"attributes": attributes}, "scopeMetrics": [{"metrics": metrics}]})
        return {"resourceMetrics": resources}

    @classmethod
    def otlp_json(cls, moment_ms, rows):
        body = json.dumps(cls.otlp_document(moment_ms, rows), separators=(",", ":")).encode()
        return "/otlp/v1/metrics", body, {"Content-Type": "application/json"}

    @classmethod
    def otlp_protobuf(cls, moment_ms, rows):
        message = json_format.ParseDict(cls.otlp_document(moment_ms, rows), ExportMetricsServiceRequest())
        headers = {"Content-Type": "application/x-protobuf"}
        return "/otlp/v1/metrics", message.SerializeToString(), headers

    @staticmethod
    def collectd(moment_ms, rows):
        lists = [
            {"host": host, "plugin": name, "type": name, "time": moment_ms / 1000}
            | {"values": [value], "dsnames": ["value"], "dstypes": ["gauge"]}
            for host, name, value in rows
        ]
        return "/collectd", json.dumps(lists).encode(), {"Content-Type": "application/json"}


PROTOCOLS = (
    "remote_write", "remote_write_2", "influx", "otlp_json", "otlp_protobuf", "collectd",
)  # fmt: skip


@pytest.fixture(params=PROTOCOLS)
def sender(request) -> Sender:
    return Sender(request.param)


@pytest.fixture
def values_of(read_back):
    """The values of a device by metric, in the order of time. Protocols name one metric in their own ways."""

    def values(name: str) -> dict[str, list[float]]:
        found: dict[str, list[float]] = {}
        for key, samples in read_back(name).items():
            metric = next(word for word in ("alpha", "beta", "gamma") if word in key)
            found[metric] = [value for _, value in samples]
        return found

    return values


async def learn(sender: Sender, client, *rows: Row) -> int:
    """Send the rows thrice, so that they are known together; returns the moment after."""
    start = now_ms() - 60_000
    for step in range(3):
        answer = await sender.send(client, start + step * 1000, *rows)
        assert answer.status_code < 300, answer.text
    return start + 3000


async def was_refused(answer) -> bool:
    """Whether no sample was stored, as the protocol says it."""
    return answer.status_code == 400 or b"unknown host" in answer.content


class TestRequestsThatRepeat:
    async def test_order_omissions_and_repetitions(self, sender, admin, device, values_of):
        rows = [("web-01", name, 1.0) for name in ("alpha", "beta", "gamma")]
        moment = await learn(sender, admin, *rows)
        for number, names in enumerate((("gamma", "alpha"), ("beta", "gamma", "alpha"), ("alpha", "alpha"))):
            later = [("web-01", name, 10.0 * number + place) for place, name in enumerate(names)]
            assert (await sender.send(admin, moment + number * 1000, *later)).status_code < 300
        assert values_of("web-01") == {
            "alpha": [1.0, 1.0, 1.0, 1.0, 12.0, 20.0],
            "beta": [1.0, 1.0, 1.0, 10.0],
            "gamma": [1.0, 1.0, 1.0, 0.0, 11.0],
        }

    async def test_what_is_too_old_is_refused_among_what_is_known(
        self, sender, app, admin, device, values_of
    ):
        rows = [("web-01", "alpha", 1.0), ("web-01", "beta", 2.0)]
        await learn(sender, admin, *rows)
        answer = await sender.send(admin, now_ms() - 400 * 86_400_000, *rows)
        assert b"older than the server accepts" in answer.content
        assert values_of("web-01") == {"alpha": [1.0] * 3, "beta": [2.0] * 3}


class TestWhatChangesBetweenRequests:
    async def test_a_rule(self, sender, app, admin, device, values_of):
        moment = await learn(sender, admin, ("web-01", "alpha", 1.0))
        labels = {"influx": ["host"], "otlp_json": ["host.name"], "otlp_protobuf": ["host.name"]}
        wanted = {"labels": labels.get(sender.protocol, ["instance"]), "pattern": "^(web)-01$", "position": 1}
        made = await admin.post("/api/v1/telemetry/sender-rules", json=wanted)
        assert made.status_code == 201, made.text
        await app.state.senders.directory.refresh()
        assert (await sender.send(admin, moment, ("web-01", "alpha", 2.0))).status_code < 300
        assert values_of("web-01") == {"alpha": [1.0] * 3}
        assert values_of("web") == {"alpha": [2.0]}

    async def test_which_device_a_host_is(self, sender, app, admin, device, values_of):
        other = await enroll(app, admin, "other-01")
        moment = await learn(sender, admin, ("web-01", "alpha", 1.0))
        moved = await admin.patch("/api/v1/telemetry/hosts/web-01", json={"device_id": other.id})
        assert moved.status_code == 200, moved.text
        await app.state.senders.directory.refresh()
        assert (await sender.send(admin, moment, ("web-01", "alpha", 2.0))).status_code < 300
        assert values_of("web-01") == {"alpha": [1.0] * 3}
        assert values_of("other-01") == {"alpha": [2.0]}
        await other.client.aclose()

    async def test_the_device_is_deleted(self, sender, app, admin, device, values_of, connection):
        moment = await learn(sender, admin, ("web-01", "alpha", 1.0))
        assert (
            await admin.delete(f"/api/v1/devices/{device.id}", headers={"X-Change-Reason": "Sold"})
        ).status_code in {200, 202, 204}
        await app.state.senders.directory.refresh()
        assert (await sender.send(admin, moment, ("web-01", "alpha", 2.0))).status_code < 300
        newest = connection.execute(
            "SELECT device_id FROM frames WHERE ts = to_timestamp(%s)", (moment / 1000,)
        ).fetchall()
        assert [str(row[0]) for row in newest] != [device.id]
        assert values_of("web-01").get("alpha", [])[-1:] == [2.0]


class TestOtherCallers:
    async def test_a_token_of_another_department_gets_nothing_from_what_others_taught(
        self, sender, app, admin, device, values_of
    ):
        place = (await admin.post("/api/v1/departments", json={"name": "Berlin"})).json()["id"]
        limited = {"name": "t", "permissions": ["telemetry:write", "devices:read"], "departments": [place]}
        token = (await admin.post("/api/v1/tokens", json=limited)).json()["token"]
        moment = await learn(sender, admin, ("web-01", "alpha", 1.0))
        async with app.client(token) as client:
            for step in range(3):
                answer = await sender.send(client, moment + step * 1000, ("web-01", "alpha", 9.0))
                assert await was_refused(answer)
        assert values_of("web-01") == {"alpha": [1.0] * 3}

    async def test_a_devices_key_does_not_write_for_the_device_that_others_taught(
        self, sender, app, admin, device, values_of
    ):
        other = await enroll(app, admin, "other-01")
        moment = await learn(sender, admin, ("web-01", "alpha", 1.0))
        answer = await sender.send(other.client, moment, ("web-01", "alpha", 9.0))
        assert answer.status_code == 400 or b"own device" in answer.content
        # And what a key taught holds for nobody else.
        await learn(sender, other.client, ("nobody-knows", "beta", 3.0))
        assert (values_of("web-01"), values_of("other-01")) == ({"alpha": [1.0] * 3}, {"beta": [3.0] * 3})
        assert (await sender.send(admin, moment, ("other-01", "beta", 4.0))).status_code < 300
        assert (await sender.send(admin, moment, ("web-01", "beta", 5.0))).status_code < 300
        assert values_of("web-01")["beta"] == [5.0]
        await other.client.aclose()


class TestBounds:
    async def test_ever_new_series_do_not_fill_the_memory(self, sender, app, admin, device, values_of):
        senders = app.state.senders
        senders.limits.max_known_series = 12
        start = now_ms() - 60_000
        for step in range(12):
            rows = [("web-01", f"alpha_{step // 2}_{number}", float(step)) for number in range(4)]
            assert (await sender.send(admin, start + step * 1000, *rows)).status_code < 300
            known = list(senders._known.values())
            assert sum(map(len, known)) <= 12
            assert sum(run.weight for one in known for run in one.runs.values()) <= 12
        # All of it is stored in spite of that.
        rows = [("web-01", "beta", 1.0), ("web-01", "gamma", 2.0)]
        await learn(sender, admin, *rows)
        found = values_of("web-01")
        assert (found["beta"], found["gamma"]) == ([1.0] * 3, [2.0] * 3)

    async def test_places_that_were_forgotten_are_found_again(
        self, sender, app, admin, device, values_of, monkeypatch
    ):
        other = await enroll(app, admin, "other-01")
        monkeypatch.setattr(device_parts, "MAX_PARTS", 0)
        moment = await learn(sender, admin, ("web-01", "alpha", 1.0))
        for step in range(3):
            rows = [("other-01", "beta", 5.0 + step), ("web-01", "alpha", 2.0 + step)]
            assert (await sender.send(admin, moment + step * 1000, *rows[step % 2 :])).status_code < 300
        assert values_of("web-01") == {"alpha": [1.0] * 3 + [2.0, 3.0, 4.0]}
        assert values_of("other-01") == {"beta": [5.0, 7.0]}
        assert len(app.state.door.samples.parts._parts) <= 2
        await other.client.aclose()
