"""The Prometheus API over the product's own storage, as Grafana asks it."""

import asyncio
import os
import signal
import threading
from uuid import UUID

import numpy as np
import pytest

from fleetkeeper.telemetry.chunks import jobs
from fleetkeeper.telemetry.chunks import service as chunks
from fleetkeeper.telemetry.host_mark import HOST_MARK
from fleetkeeper.telemetry.promql import service
from fleetkeeper.telemetry.promql.samples import STALE_BITS
from fleetkeeper.telemetry.samples import SampleSeries
from tests.factories.telemetry import make_device
from tests.fixtures.began import began
from tests.telemetry.promql.until import until

API = "/prometheus/api/v1"
DAY = 86_400


def now() -> int:
    """The minute in which the test began."""
    return began() // 60 * 60


STALE = np.array([STALE_BITS], np.uint64).view(np.float64)[0]


def sampled(device: UUID, key: str, samples: list[tuple[float, float]]) -> SampleSeries:
    times = np.array([round(moment * 1_000_000) for moment, _ in samples], np.int64)
    return SampleSeries(device.bytes, key, times, np.array([value for _, value in samples], np.float64))


@pytest.fixture
async def fleet(app, connection):
    """Two scraped machines with a counter each, 15 s apart, and one that ended."""
    devices = {name: make_device(connection, name) for name in ("web1", "web2", "desk")}
    for number, name in enumerate(("web1", "web2"), 1):
        key = f'requests_total{{instance="{HOST_MARK}:9100",job="node"}}'
        samples = [(now() - 600 + 15 * index, 30.0 * number * index) for index in range(41)]
        await app.state.door.store_samples([sampled(devices[name], key, samples)])
    up = f'up{{instance="{HOST_MARK}:9100",job="node"}}'
    await app.state.door.store_samples(
        [sampled(devices["web1"], up, [(now() - 60, 1.0), (now() - 30, STALE)])]
    )
    await app.state.door.store_samples([sampled(devices["web2"], up, [(now() - 60, 1.0), (now() - 30, 1.0)])])
    frame = b'{"frames": [{"ts": %d, "values": {"cpu_usage_percent": 7.5}}]}' % (now() - 20)
    await app.state.door.receive_for(devices["desk"].bytes, "", frame)
    return devices


async def ask(client, path, status=200, **parameters):
    answer = await client.get(
        f"{API}/{path}", params={key.replace("match", "match[]"): value for key, value in parameters.items()}
    )
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/json"
    body = answer.json()
    assert body["status"] == ("success" if status == 200 else "error")
    return body["data"] if status == 200 else body


async def test_others_go_on_while_a_long_text_is_read(shared, monkeypatch):
    begun, went_on = threading.Event(), threading.Event()

    def read(text: str) -> None:
        begun.set()
        assert went_on.wait(30)

    monkeypatch.setattr(service, "parse_query", read)
    asked = asyncio.create_task(ask(shared.viewer, "query_exemplars", query="up" + 3000 * " "))
    assert await asyncio.to_thread(begun.wait, 30)
    went_on.set()
    assert await asked == []


class TestQueries:
    async def test_instant_query(self, fleet, viewer):
        data = await ask(viewer, "query", query="sum by (instance) (rate(requests_total[5m]))", time=now())
        assert data["resultType"] == "vector"
        assert sorted((item["metric"]["instance"], item["value"]) for item in data["result"]) == [
            ("web1:9100", [now(), "2"]),
            ("web2:9100", [now(), "4"]),
        ]

    async def test_range_query(self, fleet, viewer):
        data = await ask(
            viewer,
            "query_range",
            query='requests_total{instance="web2:9100"}',
            start=now() - 60,
            end=now(),
            step="30s",
        )
        assert data["resultType"] == "matrix"
        (series,) = data["result"]
        assert series["metric"] == {"__name__": "requests_total", "instance": "web2:9100", "job": "node"}
        assert series["values"] == [[now() - 60, "2160"], [now() - 30, "2280"], [now(), "2400"]]

    async def test_form_is_read_as_the_address_is(self, fleet, viewer):
        form = {"query": "count(requests_total)", "time": str(now())}
        answer = await viewer.post(f"{API}/query", data=form)
        assert answer.json()["data"]["result"] == [{"metric": {}, "value": [now(), "2"]}]

    async def test_stale_marker_ends_a_series(self, fleet, viewer):
        data = await ask(viewer, "query", query="up", time=now())
        assert [item["metric"]["instance"] for item in data["result"]] == ["web2:9100"]
        data = await ask(viewer, "query", query="count_over_time(up[5m])", time=now())
        assert sorted(item["value"][1] for item in data["result"]) == ["1", "2"]

    async def test_agents_series_are_there_with_their_device(self, fleet, viewer):
        data = await ask(viewer, "query", query="cpu_usage_percent > 7", time=now())
        assert data["result"] == [
            {
                "metric": {
                    "__name__": "cpu_usage_percent",
                    "instance": "desk",
                    "device_id": str(fleet["desk"]),
                    "device_type": "server",
                    "job": "fleetkeeper-agent",
                },
                "value": [now(), "7.5"],
            }
        ]

    @pytest.mark.parametrize(
        ("query", "kind", "result"),
        [
            ("1 + 1", "scalar", [1000, "2"]),
            ('"text"', "string", [1000, "text"]),
            ("vector(1) / 0", "vector", [{"metric": {}, "value": [1000, "+Inf"]}]),
            ("nothing", "vector", []),
        ],
    )
    async def test_kinds_of_results(self, fleet, viewer, query, kind, result):
        assert await ask(viewer, "query", query=query, time=1000) == {"resultType": kind, "result": result}

    @pytest.mark.parametrize(
        ("path", "parameters", "status", "kind", "words"),
        [
            ("query", {"query": "up{"}, 400, "bad_data", 'invalid parameter "query": parse error'),
            ("query", {}, 400, "bad_data", 'invalid parameter "query"'),
            (
                "query",
                {"query": "up", "time": "soon"},
                400,
                "bad_data",
                'cannot parse "soon" to a valid timestamp',
            ),
            ("query", {"query": "up", "timeout": "soon"}, 400, "bad_data", 'invalid parameter "timeout"'),
            (
                "query_range",
                {"query": "up", "start": 0, "end": 20_000, "step": 1},
                400,
                "bad_data",
                "11,000 points",
            ),
            (
                "query_range",
                {"query": "up", "start": 5, "end": 1, "step": 1},
                400,
                "bad_data",
                "before start",
            ),
            (
                "query_range",
                {"query": "up", "start": 1, "end": 5, "step": 0},
                400,
                "bad_data",
                "zero or negative",
            ),
            (
                "query_range",
                {"query": "up[1m]", "start": 1, "end": 5, "step": 1},
                400,
                "bad_data",
                "range vector",
            ),
            (
                "query",
                {"query": "up + on () up", "time": lambda: now() - 45},
                422,
                "execution",
                "many-to-many",
            ),
            ("query", {"query": "up", "time": now, "timeout": "0"}, 503, "timeout", "timed out"),
            ("series", {}, 400, "bad_data", "no match[] parameter provided"),
            ("series", {"match": "rate(up[5m])"}, 400, "bad_data", "no series selector"),
            ("label/0bad/values", {}, 400, "bad_data", 'invalid label name: "0bad"'),
            ("labels", {"start": "x"}, 400, "bad_data", 'invalid parameter "start"'),
            ("query", {"query": 'up{a="\\x00"}'}, 400, "bad_data", "characters"),
            ("query", {"query": "(" * 5000}, 400, "bad_data", "nests"),
        ],
    )
    async def test_errors_have_prometheus_shape(self, fleet, viewer, path, parameters, status, kind, words):
        given = {name: value() if callable(value) else value for name, value in parameters.items()}
        body = await ask(viewer, path, status, **given)
        assert body["errorType"] == kind
        assert words in body["error"]


class TestCatalogue:
    async def test_series(self, fleet, viewer):
        data = await ask(
            viewer, "series", match=['{job="node",__name__!="requests_total"}', "cpu_usage_percent"]
        )
        assert {item["__name__"] for item in data} == {"up", "cpu_usage_percent"}
        assert len(data) == 3

    async def test_labels_and_values(self, fleet, viewer):
        assert await ask(viewer, "labels") == ["__name__", "device_id", "device_type", "instance", "job"]
        assert await ask(viewer, "labels", match="up") == ["__name__", "instance", "job"]
        assert await ask(viewer, "label/__name__/values") == ["cpu_usage_percent", "requests_total", "up"]
        found = await ask(viewer, "label/instance/values", match='up{instance!~"web2.*"}')
        assert found == ["web1:9100"]

    async def test_narrowed_to_a_range_of_time(self, fleet, app_url, viewer):
        async def check() -> None:
            """What of the series, names and values each range of time has."""
            for start, end, names in (
                (now() - 700, now() - 300, {"requests_total"}),
                (now() - 600, now() - 600, {"requests_total"}),
                (now() - 700, now() - 601, set()),
                (now() - 50, now() - 25, {"requests_total", "up"}),
                (now() - 25, now(), {"requests_total", "cpu_usage_percent"}),
                (now() + 1, now() + 60, set()),
                (0, 1, set()),
            ):
                data = await ask(viewer, "series", match='{__name__!=""}', start=start, end=end)
                assert {item["__name__"] for item in data} == names
                found = await ask(viewer, "label/__name__/values", start=start, end=end)
                assert found == sorted(names)
                hosts = ["desk"] if "cpu_usage_percent" in names else []
                hosts += ["web1:9100", "web2:9100"] if names else []
                assert await ask(viewer, "label/instance/values", start=start, end=end) == hosts
                own = {"job"} if names else set()
                own |= {"device_id", "device_type"} if "cpu_usage_percent" in names else set()
                expected = sorted({"__name__", "instance", *own}) if names else []
                assert await ask(viewer, "labels", start=start, end=end) == expected
            assert await ask(viewer, "label/__name__/values", end=now() - 300) == ["requests_total"]
            one = await ask(viewer, "labels", match='up{instance="web1:9100"}', start=now() - 300)
            assert one == ["__name__", "instance", "job"]
            assert await ask(viewer, "labels", match='up{instance="web1:9100"}', end=now() - 300) == []

        await check()
        async with jobs.sealing_connection(app_url) as connection:
            for device in fleet.values():
                assert await chunks.seal_device(connection, device, (now() + 60) * 10**6)
        await check()

    async def test_an_archived_day_counts_as_a_whole(self, fleet, viewer, connection):
        where = {"match": "up", "start": now() - 40 * DAY, "end": now() - 20 * DAY}
        assert await ask(viewer, "series", **where) == []
        file = connection.execute(
            """
            INSERT INTO archive_files (id, day, store, path, state, channel_ids)
            SELECT uuidv7(), date '1970-01-01' + %s, 'local', 'x', 'live', array_agg(id) FROM channels
            WHERE key LIKE 'up%%' RETURNING id
            """,
            (now() // DAY - 30,),
        ).fetchone()
        connection.execute(
            "INSERT INTO archive_parts (device_id, day, file_id, first_row, rows, first_group, last_group) "
            "VALUES (%s, date '1970-01-01' + %s, %s, 0, 1, 0, 0)",
            (fleet["web2"], now() // DAY - 30, file[0]),
        )
        (found,) = await ask(viewer, "series", **where)
        assert found == {"__name__": "up", "instance": "web2:9100", "job": "node"}
        assert await ask(viewer, "label/__name__/values", start=where["start"], end=where["end"]) == ["up"]
        assert await ask(viewer, "label/__name__/values", end=now() - 31 * DAY) == []

    async def test_metadata_of_what_senders_described(self, fleet, viewer, connection):
        connection.execute("UPDATE metrics SET description = 'Whether it answers' WHERE name = 'up'")
        connection.execute(
            "INSERT INTO metrics (name, metric_type, description) VALUES ('elsewhere', 'test', 'Of nobody here')"
        )
        data = await ask(viewer, "metadata")
        assert data["up"] == [{"type": "gauge", "help": "Whether it answers", "unit": ""}]
        assert "cpu_usage_percent" in data
        assert "elsewhere" not in data

    async def test_what_grafana_asks_besides(self, viewer):
        assert (await ask(viewer, "status/buildinfo"))["version"] == "2.42.0"
        data = await ask(viewer, "metadata", metric="cpu_usage_percent")
        assert data["cpu_usage_percent"][0]["type"] == "gauge"
        assert await ask(viewer, "query_exemplars", query="up") == []
        assert await ask(viewer, "format_query", query="sum( up )by(job)") == "sum by (job) (up)"


class TestAccess:
    async def test_nobody_reads_without_a_credential(self, anonymous):
        for path in ("query?query=up", "labels", "status/buildinfo"):
            assert (await anonymous.get(f"{API}/{path}")).status_code == 401

    async def test_a_department_sees_its_own_devices(self, fleet, app, admin, connection):
        department = (await admin.post("/api/v1/departments", json={"name": "North"})).json()
        connection.execute(
            "UPDATE devices SET department_id = %s WHERE id = %s", (department["id"], fleet["web1"])
        )
        body = {
            "name": "grafana",
            "permissions": ["telemetry:read", "devices:read"],
            "departments": [department["id"]],
        }
        token = (await admin.post("/api/v1/tokens", json=body)).json()["token"]
        async with app.client(token) as client:
            data = await ask(client, "query", query="requests_total", time=now())
            assert [item["metric"]["instance"] for item in data["result"]] == ["web1:9100"]
            assert await ask(client, "label/instance/values") == ["web1:9100"]
            assert await ask(client, "label/instance/values", start=now() - 300) == ["web1:9100"]
            assert await ask(client, "label/__name__/values", start=now() - 25) == ["requests_total"]


class TestLimits:
    async def test_too_many_samples(self, fleet, app, viewer):
        promql = app.state.promql
        promql.engine.limits = type(promql.engine.limits)(max_samples=50)
        body = await ask(viewer, "query", 422, query="requests_total[10m]", time=now())
        assert body["errorType"] == "execution"
        assert "too many samples" in body["error"]

    async def test_query_stops_when_nobody_waits(self, fleet, app, viewer):
        promql = app.state.promql
        endless = {"query": "count_over_time(vector(1)[3h:1ms]) * " * 20 + "1", "time": now()}
        asking = asyncio.ensure_future(viewer.get(f"{API}/query", params=endless))
        await until(lambda: promql.workers.busy)
        asking.cancel()
        await until(lambda: not promql.places.held)
        assert not promql.workers.busy
        assert len(await ask(viewer, "query", query="requests_total", time=now())) == 2

    async def test_a_query_whose_worker_dies_gets_an_error_and_the_next_one_an_answer(
        self, fleet, app, viewer
    ):
        promql = app.state.promql
        endless = {"query": "count_over_time(vector(1)[3h:1ms]) * " * 20 + "1", "time": now()}
        asking = asyncio.ensure_future(viewer.get(f"{API}/query", params=endless))
        await until(lambda: promql.workers.busy)
        for pid in promql.workers.busy:
            os.kill(pid, signal.SIGKILL)
        answer = await asking
        assert answer.status_code == 422
        assert answer.json()["errorType"] == "execution"
        assert "worker process died" in answer.json()["error"]
        assert len(await ask(viewer, "query", query="requests_total", time=now())) == 2

    async def test_too_many_that_wait_are_refused(self, app, viewer):
        places = app.state.promql.places
        places.most_waiting_of_one = 0
        async with places.place("somebody", 1), places.place("somebody", 1):
            body = await ask(viewer, "query", query="1")
            assert body["resultType"] == "scalar"
            places.most = 2
            body = await ask(viewer, "query", 503, query="1")
        assert body["errorType"] == "unavailable"
        assert "too many queries wait" in body["error"]

    @pytest.mark.parametrize(
        "call", ["query", "query_range?start=0&end=60&step=60", "format_query", "query_exemplars", "series"]
    )
    @pytest.mark.parametrize(
        "text", ["(" * 65_000, "# \r" + "(" * 30_000, "-" * 65_000 + "1", "{a=~`" + "[" * 60_000 + "`}"]
    )
    async def test_hostile_texts_are_bad_data_on_every_path(self, shared, call, text):
        name = "match[]" if call == "series" else "query"
        path, _, rest = call.partition("?")
        answer = await shared.viewer.post(
            f"{API}/{path}", data={name: text, **dict(item.split("=") for item in rest.split("&") if item)}
        )
        assert answer.status_code == 400
        assert answer.json()["errorType"] == "bad_data"
