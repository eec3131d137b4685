"""Agents' series have the labels that exporters' have, and `up` beside them, though none of that is stored."""

import asyncio
import time
from datetime import UTC, datetime

import numpy as np
import pytest

from fleetkeeper.telemetry.chunks import jobs as chunks
from fleetkeeper.telemetry.own_series import UP_STEP_US, Known, up_samples
from tests.attacks.conftest import add_person
from tests.factories.senders import WRITE, headers_of, now_ms, series, snappy
from tests.fixtures.client import enroll

API = "/prometheus/api/v1"
AGENT = 'job="fleetkeeper-agent"'
SECOND = 1_000_000


def frame(age: float, now: float) -> tuple[float, dict[str, float]]:
    return now - age, {"agent_memory_bytes": 1e7, "cpu_usage_percent": 5.0}


@pytest.fixture
async def fleet(app, admin, connection):
    """An agent in a department that reports, one that stopped over five minutes ago, and a host of a Prometheus."""
    now = time.time()
    north = (await admin.post("/api/v1/departments", json={"name": "North"})).json()["id"]
    here, gone = await enroll(app, admin, "here-01"), await enroll(app, admin, "gone-01")
    await admin.patch(f"/api/v1/devices/{here.id}", json={"department_id": north, "device_type": "vm"})
    await here.send(*(frame(age, now) for age in range(0, 900, 10)))
    await gone.send(*(frame(age, now) for age in range(330, 900, 10)))
    # In a thread: the application may be about to say when they were seen.
    await asyncio.to_thread(
        connection.execute, "UPDATE devices SET first_seen = now() - interval '15 minutes'"
    )
    body = series({"__name__": "up", "instance": "web-01:9100", "job": "node"}, [(now_ms(), 1.0)])
    assert (await admin.post(WRITE, content=snappy(body), headers=headers_of())).status_code == 204
    yield {"here": here, "gone": gone, "north": north}
    for device in (here, gone):
        await device.client.aclose()


async def ask(client, path: str, **parameters) -> list:
    answer = await client.get(f"{API}/{path}", params=parameters)
    assert answer.status_code == 200, answer.text
    return answer.json()["data"]


async def instant(client, query: str) -> dict[str, float]:
    """Values by instance."""
    found = (await ask(client, "query", query=query))["result"]
    return {one["metric"].get("instance", ""): float(one["value"][1]) for one in found}


class TestLabels:
    async def test_they_are_those_of_exporters(self, admin, fleet):
        (here,) = (await ask(admin, "query", query='cpu_usage_percent{instance="here-01"}'))["result"]
        assert here["metric"] == {
            "__name__": "cpu_usage_percent",
            "instance": "here-01",
            "device_id": fleet["here"].id,
            "job": "fleetkeeper-agent",
            "device_type": "vm",
            "department": "North",
        }

    @pytest.mark.parametrize(
        ("selector", "instances"),
        [
            (f"cpu_usage_percent{{{AGENT}}}", {"here-01"}),
            ('cpu_usage_percent{department="North"}', {"here-01"}),
            ('cpu_usage_percent{department=""}', set()),
            ('cpu_usage_percent{device_type=~"v.*",job!="node"}', {"here-01"}),
            ('{job="fleetkeeper-agent",__name__=~"agent_.+"}', {"here-01"}),
            ('up{job="node"}', {"web-01:9100"}),
        ],
    )
    async def test_series_are_found_by_them(self, admin, fleet, selector, instances):
        assert set(await instant(admin, f"sum by (instance) ({selector})")) == instances

    async def test_they_are_listed(self, admin, fleet):
        assert {"job", "device_type", "department"} <= {*await ask(admin, "labels")}
        assert await ask(admin, "label/job/values") == ["fleetkeeper-agent", "node"]
        assert await ask(admin, "label/department/values") == ["North"]
        assert "vm" in await ask(admin, "label/device_type/values")
        assert await ask(admin, "label/job/values", **{"match[]": 'up{department="North"}'}) == [
            "fleetkeeper-agent"
        ]

    async def test_what_a_sender_says_goes_first(self, app, admin, device):
        """A device's own key may send series with a job of their own, and ones that no agent sends."""
        lines = "load,job=mine value=1\nplain value=2"
        assert (await device.client.post("/influx/write", content=lines)).status_code == 204
        (load,) = (await ask(admin, "query", query="load"))["result"]
        assert (load["metric"]["job"], load["metric"]["instance"]) == ("mine", "web-01")
        (plain,) = (await ask(admin, "query", query="plain"))["result"]
        assert "job" not in plain["metric"]
        assert await instant(admin, f"up{{{AGENT}}}") == {}

    async def test_series_that_name_their_host_have_the_labels_of_their_sender_alone(self, admin):
        """The guide to PromQL shows this line."""
        line = "greenhouse,host=gh1,zone=a temperature=21.5"
        assert (await admin.post("/influx/write", content=line)).status_code == 204
        (found,) = (await ask(admin, "query", query="greenhouse_temperature"))["result"]
        assert found["metric"] == {"__name__": "greenhouse_temperature", "host": "gh1", "zone": "a"}


class TestUp:
    async def test_one_reports_and_the_other_does_not(self, admin, fleet):
        assert await instant(admin, f"up{{{AGENT}}}") == {"here-01": 1.0, "gone-01": 0.0}
        assert await instant(admin, "up == 0") == {"gone-01": 0.0}
        assert set(await instant(admin, "up")) == {"here-01", "gone-01", "web-01:9100"}
        assert await instant(admin, f"count(up{{{AGENT}}} == 1)") == {"": 1.0}

    async def test_the_fleets_dashboard_counts_those_that_report(self, admin, fleet):
        definition = (await admin.get("/api/v1/dashboards/built-in-fleet")).json()["definition"]
        panels = (one for row in definition["rows"] for one in row["panels"])
        query = next(one for one in panels if one["title"] == "Reporting")["queries"][0]["query"]
        assert await instant(admin, query) == {"": 2.0}

    async def test_over_time(self, admin, fleet):
        share = await instant(admin, f"avg_over_time(up{{{AGENT}}}[10m])")
        assert share["here-01"] == 1.0
        # Five minutes and the silence after which a device is offline.
        assert share["gone-01"] == pytest.approx(0.55, abs=0.1)
        now = int(time.time())
        found = await ask(
            admin, "query_range", query=f'up{{{AGENT},instance="gone-01"}}', start=now - 600, end=now, step=15
        )
        ((*values,),) = [[float(value) for _, value in one["values"]] for one in found["result"]]
        assert values == sorted(values, reverse=True)
        assert {0.0, 1.0} == {*values}

    async def test_it_is_listed_and_described(self, admin, fleet):
        assert "up" in await ask(admin, "label/__name__/values")
        found = await ask(admin, "series", **{"match[]": f"up{{{AGENT}}}"})
        assert {one["instance"] for one in found} == {"gone-01", "here-01"}
        assert (await ask(admin, "metadata", metric="up"))["up"][0]["type"] == "gauge"

    async def test_sealed_frames_tell_it_too(self, app, admin, fleet, settings):
        settings.telemetry.seal_after_minutes = 1
        await chunks.seal_frames(app.state.database.url, settings.telemetry)
        share = await instant(admin, f"min_over_time(up{{{AGENT}}}[5m] offset 6m)")
        assert share == {"here-01": 1.0, "gone-01": 1.0}

    async def test_only_of_devices_that_one_may_see(self, app, fleet, connection):
        async with app.client(add_person(connection, "norma", "viewer", fleet["north"])) as norma:
            assert await instant(norma, "up") == {"here-01": 1.0}
            assert await ask(norma, "label/department/values") == ["North"]

    async def test_retired_devices_are_not_down(self, admin, fleet, connection):
        connection.execute(
            "UPDATE devices SET lifecycle = 'retired', last_seen = now() - interval '10 minutes' WHERE name = 'gone-01'"
        )
        assert await instant(admin, f"up{{{AGENT}}}") == {"here-01": 1.0}

    async def test_nothing_is_said_of_what_is_not_known(self, admin, fleet, connection):
        """Before a device was first seen, and where its samples were removed."""
        share = f"count_over_time(up{{{AGENT}}}[1d])"
        assert (await instant(admin, share))["gone-01"] == pytest.approx(60, abs=2)
        connection.execute(
            "INSERT INTO raw_removed SELECT devices.id, metric_type, current_date + 1 FROM devices, metrics "
            "WHERE metrics.name = 'agent_memory_bytes'"
        )
        assert await instant(admin, share) == {}

    async def test_other_languages_do_not_take_it_for_the_channel_that_tells_it(self, admin, fleet):
        query = {"metric": "up", "by": "device", "from": time.time() - 600, "to": time.time()}
        answer = await admin.get("/api/v1/telemetry/query", params=query)
        assert {one["group"]["device_name"] for one in answer.json()["series"]} == {"web-01"}


class TestSteps:
    """Pure: at each step in the range a one or a zero, by the newest frame before it."""

    def times(self, *seconds: float) -> np.ndarray:
        return np.array([round(second * SECOND) for second in seconds], np.int64)

    def test_down_after_the_silence_and_up_again(self):
        known = Known(0, 10**18)
        times, values = up_samples(self.times(0, 100), known, 0, 130 * SECOND, 40 * SECOND)
        assert (times // UP_STEP_US).tolist() == list(range(9))
        assert values.tolist() == [1, 1, 1, 0, 0, 0, 0, 1, 1]

    def test_within_what_is_known(self):
        known = Known.of(datetime.fromtimestamp(31, UTC), datetime.fromtimestamp(60, UTC))
        times, values = up_samples(self.times(), known, 0, 1000 * SECOND, 40 * SECOND)
        assert (times // SECOND).tolist() == [45, 60]
        assert values.tolist() == [0, 0]

    def test_a_range_without_a_step(self):
        times, values = up_samples(self.times(1), Known(0, 10**18), SECOND, 14 * SECOND, 40 * SECOND)
        assert (len(times), len(values)) == (0, 0)
        times, _ = up_samples(self.times(), Known(10**17, 0), 0, SECOND, SECOND)
        assert len(times) == 0
