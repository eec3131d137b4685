"""Range queries over the API."""

import math
from datetime import UTC, datetime

import pytest

PATH = "/api/v1/telemetry/range"
STRANGER = "0198f6a0-0000-7000-8000-000000000001"


@pytest.fixture
async def minute(app, admin, device):
    """A minute of samples each ten seconds, from a full minute on: 0, 10, …, 50 on core 0, twice that on core 1."""
    start = math.floor(datetime.now(UTC).timestamp() / 60) * 60 - 600
    frames = [
        (
            start + n,
            {
                'cpu_core_usage_percent{core="0"}': float(n),
                'cpu_core_usage_percent{core="1"}': 2.0 * n,
                "disk_read_bytes_total": 100.0 * n,
            },
        )
        for n in range(0, 60, 10)
    ]
    assert (await device.send(*frames)).json()["accepted"] == 6

    async def ask(status=200, **parameters):
        values = {
            "device": device.id,
            "metric": 'cpu_core_usage_percent{core="0"}',
            "from": start,
            "to": start + 60,
        }
        values |= {name.rstrip("_"): value for name, value in parameters.items()}
        answer = await admin.get(PATH, params=values)
        assert answer.status_code == status, answer.text
        return answer.json()

    ask.start = start
    return ask


def values_of(series) -> list[float | None]:
    return [value for _, value in series["points"]]


class TestAggregates:
    @pytest.mark.parametrize(
        ("agg", "expected"),
        [
            ("avg", [5.0, 25.0, 45.0]),
            ("min", [0.0, 20.0, 40.0]),
            ("max", [10.0, 30.0, 50.0]),
            ("last", [10.0, 30.0, 50.0]),
            ("sum", [10.0, 50.0, 90.0]),
            ("count", [2.0, 2.0, 2.0]),
        ],
    )
    async def test_each(self, minute, agg, expected):
        answer = await minute(step=20, agg=agg)
        (series,) = answer["series"]
        assert [ts - minute.start for ts, _ in series["points"]] == [0, 20, 40]
        assert values_of(series) == expected
        assert (series["agg"], series["unit"], series["kind"]) == (agg, "percent", "gauge")
        assert series["labels"] == {"core": "0"}
        assert (answer["from"], answer["to"], answer["step"]) == (minute.start, minute.start + 60, 20)

    async def test_rate_of_a_counter(self, minute):
        (series,) = (await minute(metric="disk_read_bytes_total", agg="rate", step=20))["series"]
        assert series["kind"] == "counter"
        assert values_of(series) == [pytest.approx(100.0)] * 3

    async def test_several_at_once(self, minute):
        answer = await minute(metric="cpu_core_usage_percent", agg=["min", "max"], step=60)
        found = {(item["labels"]["core"], item["agg"]): values_of(item) for item in answer["series"]}
        assert found == {
            ("0", "min"): [0.0],
            ("0", "max"): [50.0],
            ("1", "min"): [0.0],
            ("1", "max"): [100.0],
        }

    async def test_raw(self, minute):
        answer = await minute(agg="raw")
        assert answer["step"] is None
        assert answer["series"][0]["points"] == [[minute.start + n, float(n)] for n in range(0, 60, 10)]

    async def test_raw_is_thinned_out_and_keeps_the_peak(self, minute, device):
        frames = [(minute.start - 400 + n * 0.1, {"spiky": 1.0 + (n == 1234) * 99}) for n in range(2000)]
        await device.send(*frames)
        answer = await minute(metric="spiky", agg="raw", points=100, from_=minute.start - 400)
        values = values_of(answer["series"][0])
        assert len(values) <= 100
        assert max(values) == 100.0


class TestSteps:
    async def test_chosen_step_is_no_finer_than_the_samples(self, minute):
        answer = await minute()
        assert answer["step"] == 10
        assert values_of(answer["series"][0]) == [0, 10, 20, 30, 40, 50]

    async def test_chosen_step_fits_the_points(self, minute):
        answer = await minute(points=3)
        assert answer["step"] == 20

    async def test_steps_before_and_after_the_samples_are_empty(self, minute):
        answer = await minute(step=30, from_=minute.start - 60, to=minute.start + 120)
        assert values_of(answer["series"][0]) == [None, None, 10.0, 40.0, None, None]

    async def test_end_is_left_out(self, minute):
        answer = await minute(agg="raw", to=minute.start + 50)
        assert len(answer["series"][0]["points"]) == 5

    @pytest.mark.parametrize("zone", ["Z", "+00:00"])
    async def test_times_as_rfc_3339(self, minute, zone):
        def text(ts):
            return datetime.fromtimestamp(ts, UTC).isoformat().replace("+00:00", zone)

        answer = await minute(from_=text(minute.start), to=text(minute.start + 60), agg="count", step=60)
        assert values_of(answer["series"][0]) == [6.0]


class TestSelection:
    async def test_all_labels_of_a_metric(self, minute):
        answer = await minute(metric="cpu_core_usage_percent", step=60)
        assert [item["labels"] for item in answer["series"]] == [{"core": "0"}, {"core": "1"}]

    @pytest.mark.parametrize("metric", ["nothing_of_the_kind", 'cpu_core_usage_percent{core="7"}'])
    async def test_what_the_device_has_not(self, minute, metric):
        assert (await minute(metric=metric))["series"] == []

    async def test_several_devices(self, app, admin, minute, device):
        from tests.fixtures.client import enroll

        other = await enroll(app, admin, "web-02")
        await other.send((minute.start, {'cpu_core_usage_percent{core="0"}': 7.0}))
        await other.client.aclose()
        for given in ([device.id, other.id], f"{device.id},{other.id}"):
            answer = await minute(device=given, agg="max", step=60)
            assert {item["device"]: values_of(item) for item in answer["series"]} == {
                device.id: [50.0],
                other.id: [7.0],
            }

    async def test_device_that_is_not_there(self, minute):
        assert (await minute(404, device=STRANGER))["title"] == "Not found"

    async def test_layout_that_changed_meanwhile(self, minute, device):
        await device.send((minute.start + 55, {"other": 1.0, 'cpu_core_usage_percent{core="0"}': 60.0}))
        answer = await minute(agg="raw")
        assert values_of(answer["series"][0]) == [0, 10, 20, 30, 40, 50, 60]


class TestRefusals:
    @pytest.mark.parametrize(
        ("parameters", "field"),
        [
            ({"device": "no-uuid"}, "device"),
            ({"device": ""}, "device"),
            ({"device": [f"0198f6a0-0000-7000-8000-{n:012d}" for n in range(21)]}, "device"),
            ({"metric": "1bad"}, "metric"),
            ({"metric": 'a{b="c"'}, "metric"),
            ({"metric": "a\x00b"}, "metric"),
            ({"metric": [f"a{n}" for n in range(201)]}, "metric"),
            ({"from_": "yesterday"}, "from"),
            ({"from_": "nan"}, "from"),
            ({"to": "2026-11-21T10:00:00"}, "to"),
            ({"to": 0}, "to"),
            ({"step": 0}, "step"),
            ({"step": -1}, "step"),
            ({"step": "nan"}, "step"),
            ({"step": "inf"}, "step"),
            ({"step": 0.001}, "step"),
            ({"step": 1e300}, "step"),
            ({"points": 0}, "query.points"),
            ({"points": 11_001}, "query.points"),
            ({"agg": "median"}, "agg"),
        ],
    )
    async def test_field_is_named(self, minute, parameters, field):
        problem = await minute(422, **parameters)
        assert field in {item["field"] for item in problem["errors"]} | {
            item["field"].removeprefix("query.") for item in problem["errors"]
        }

    async def test_too_many_points_in_one_answer(self, app, minute):
        app.state.settings.telemetry.max_points_per_answer = 100
        assert len((await minute(metric="cpu_core_usage_percent", step=10))["series"]) == 2
        answer = await minute(422, metric="cpu_core_usage_percent", step=1)
        assert answer["errors"][0]["message"].startswith("Gives more than 100 points in all")

    @pytest.mark.parametrize("door", ["range", "query", "export", "states"])
    async def test_every_wrong_time_is_named_at_once(self, admin, device, door):
        answer = await admin.get(
            f"/api/v1/telemetry/{door}", params={"device": device.id, "metric": "a", "from": "yesterday"}
        )
        assert answer.status_code == 422
        told = {item["field"].removeprefix("query."): item["message"] for item in answer.json()["errors"]}
        assert told["to"] == "Required"
        assert "such as 2026-" in told["from"]

    async def test_too_many_samples(self, app, minute):
        app.state.settings.telemetry.max_samples_per_query = 5
        problem = await minute(422)
        assert problem["errors"][0]["field"] == "from"

    async def test_step_of_the_whole_of_time(self, minute):
        answer = await minute(from_=0, to=253_402_300_799)
        assert len(answer["series"][0]["points"]) <= 11_000
