"""Questions over the fleet against sums over plain Python lists, from samples, rollups and both."""

import math
from collections import defaultdict
from datetime import UTC, datetime
from itertools import pairwise, product

import numpy as np
import pytest

from fleetkeeper.database.context import product_context
from fleetkeeper.errors import InvalidInputError
from fleetkeeper.identity.actor import EVERYWHERE, Actor
from fleetkeeper.identity.permissions import Permission
from fleetkeeper.settings.telemetry import TelemetrySettings
from fleetkeeper.telemetry.chunks import jobs as sealing
from fleetkeeper.telemetry.chunks import service as chunks
from fleetkeeper.telemetry.chunks.blocks import DAY
from fleetkeeper.telemetry.explore import service
from fleetkeeper.telemetry.explore.service import FleetQuery, query_fleet
from fleetkeeper.telemetry.rollups import jobs as rollups
from fleetkeeper.telemetry.rollups.periods import HOUR
from tests.factories.telemetry import add_frames, make_channels, make_device, make_layout, moment

ALL = Actor("user", "all", {Permission.TELEMETRY_READ: EVERYWHERE})
# A Wednesday.
START = round(datetime(2026, 9, 30, tzinfo=UTC).timestamp() * 1e6)
EVERY = 10 * 60 * 1_000_000
NAMES = ("alpha", "beta", "gamma")


class Fleet:
    """Three machines with a gauge and a counter, measured for three days; the last hours are not sealed."""

    def __init__(self, connection, app_url):
        self.connection, self.app_url = connection, app_url
        self.devices = {name: make_device(connection, name) for name in NAMES}
        random = np.random.default_rng(3)
        self.samples = {}
        department = connection.execute(
            "INSERT INTO departments (id, name) VALUES (uuidv7(), 'North') RETURNING id"
        ).fetchone()[0]
        connection.execute(
            "UPDATE devices SET department_id = %s WHERE name IN ('alpha', 'beta')", (department,)
        )
        for n, (name, device) in enumerate(self.devices.items()):
            layout = make_layout(connection, device, make_channels(connection, "load", "sent_total"))
            count = 432 - n * 20
            times = [START + k * EVERY + n * 7 for k in range(count)]
            load = random.normal(50 * (n + 1), 5, count).round(2)
            sent = np.cumsum(random.integers(0, 100, count)).astype(float)
            sent[count // 2 :] -= sent[count // 2]
            add_frames(
                connection,
                device,
                layout,
                {at: [a, b] for at, a, b in zip(times, load.tolist(), sent.tolist(), strict=True)},
            )
            self.samples[name] = {
                "load": list(zip(times, load.tolist(), strict=True)),
                "sent_total": list(zip(times, sent.tolist(), strict=True)),
            }

    async def seal(self, until_us=2**51):
        for device in self.devices.values():
            async with sealing.sealing_connection(self.app_url) as connection:
                await chunks.seal_device(connection, device, until_us)
        await rollups.refresh_rollups(self.app_url)


@pytest.fixture
def fleet(connection, app_url):
    return Fleet(connection, app_url)


async def ask(app, start_us, end_us, limits=None, **wishes):
    query = FleetQuery(
        metrics=wishes.pop("metrics", ["load"]),
        start=moment(start_us),
        end=moment(end_us),
        explain=True,
        **wishes,
    )
    async with app.state.database.session(product_context("job", "test")) as session:
        return await query_fleet(session, ALL, query, limits or TelemetrySettings())


def expected(fleet, names, start_us, end_us, step_us, aggregate):
    """By step: the aggregate of all samples of these machines."""
    cells = defaultdict(list)
    for name in names:
        for at, value in fleet.samples[name]["load"]:
            if start_us <= at < end_us:
                cells[at // step_us * step_us].append(value)
    functions = {
        "avg": lambda values: sum(values) / len(values),
        "min": min,
        "max": max,
        "sum": sum,
        "count": len,
        "p90": lambda values: float(np.percentile(values, 90)),
    }
    return {at / 1e6: functions[aggregate](values) for at, values in cells.items()}


def points(series):
    return {at: value for at, value in series.points if value is not None}


class TestAggregates:
    @pytest.mark.parametrize("sealed_until", [None, START + 60 * HOUR, 2**51])
    @pytest.mark.parametrize("aggregate", ["avg", "min", "max", "sum", "count"])
    @pytest.mark.parametrize("step_us", [HOUR // 2, HOUR, 4 * HOUR, DAY])
    async def test_whole_fleet_and_each_machine(self, app, fleet, sealed_until, aggregate, step_us):
        if sealed_until:
            await fleet.seal(sealed_until)
        start, end = START + HOUR // 3, START + 71 * HOUR + 11
        step = str(step_us // 1_000_000)
        whole = await ask(app, start, end, aggregate=aggregate, by=(), step=step)
        assert points(whole.series[0]) == pytest.approx(
            expected(fleet, NAMES, start, end, step_us, aggregate), rel=1e-9
        )
        each = await ask(app, start, end, aggregate=aggregate, by=("device",), step=step)
        for series in each.series:
            name = series.group["device_name"]
            assert points(series) == pytest.approx(
                expected(fleet, [name], start, end, step_us, aggregate), rel=1e-9
            )
        sources = {part.source for part in whole.plan}
        if sealed_until == 2**51 and step_us >= HOUR:
            assert ("day" if step_us == DAY else "hour") in sources
        if sealed_until is None:
            assert sources == {"samples"}

    async def test_whole_steps_are_answered_without_samples(self, app, fleet):
        await fleet.seal()
        start, end = START + 5 * HOUR + 77, START + 17 * HOUR - 3
        answer = await ask(app, start, end, by=(), step="3600", whole=True)
        assert points(answer.series[0]) == pytest.approx(
            expected(fleet, NAMES, START + 5 * HOUR, START + 17 * HOUR, HOUR, "avg"), rel=1e-9
        )
        assert {part.source for part in answer.plan} == {"hour"}

    async def test_by_department(self, app, fleet):
        answer = await ask(app, START, START + DAY, by=("department",), step="day")
        assert {series.group["department"]: points(series)[START / 1e6] for series in answer.series} == {
            "North": pytest.approx(expected(fleet, NAMES[:2], START, START + DAY, DAY, "avg")[START / 1e6]),
            "": pytest.approx(expected(fleet, NAMES[2:], START, START + DAY, DAY, "avg")[START / 1e6]),
        }

    async def test_only_some_devices(self, app, fleet):
        by_type = await ask(app, START, START + DAY, where={"department": ["North"]}, step="day")
        assert [series.group["device_name"] for series in by_type.series] == ["alpha", "beta"]
        one = await ask(app, START, START + DAY, devices=[fleet.devices["gamma"]], step="day")
        assert [series.group["device_name"] for series in one.series] == ["gamma"]

    async def test_last_of_each_machine(self, app, fleet):
        await fleet.seal(START + 40 * HOUR)
        answer = await ask(app, START, START + 3 * DAY, aggregate="last", step="3600")
        for series in answer.series:
            samples = fleet.samples[series.group["device_name"]]["load"]
            assert points(series) == {at // HOUR * HOUR / 1e6: value for at, value in samples}


class TestPercentiles:
    async def test_of_samples_they_are_exact(self, app, fleet):
        answer = await ask(app, START, START + DAY, aggregate="p90", by=(), step="3600")
        assert points(answer.series[0]) == pytest.approx(
            expected(fleet, NAMES, START, START + DAY, HOUR, "p90"), rel=1e-9
        )

    @pytest.mark.parametrize("sealed_until", [START + 30 * HOUR, 2**51])
    async def test_of_sketches_they_are_within_a_percent(self, app, fleet, sealed_until):
        await fleet.seal(sealed_until)
        answer = await ask(app, START, START + 3 * DAY, aggregate="p90", by=(), step="day")
        assert "day" in {part.source for part in answer.plan}
        found = points(answer.series[0])
        wanted = expected(fleet, NAMES, START, START + 3 * DAY, DAY, "p90")
        assert found.keys() == wanted.keys()
        for at, value in wanted.items():
            # Two neighbors in rank may both be meant.
            assert found[at] == pytest.approx(value, rel=0.03)

    async def test_a_month_of_a_day_or_two(self, app, fleet):
        await fleet.seal()
        answer = await ask(app, START, START + 3 * DAY, aggregate="count", by=(), step="month")
        assert [value for _, value in answer.series[0].points] == [
            sum(START <= at < START + DAY for name in NAMES for at, _ in fleet.samples[name]["load"]),
            sum(
                START + DAY <= at < START + 3 * DAY for name in NAMES for at, _ in fleet.samples[name]["load"]
            ),
        ]


def counted(fleet, metric, start_us, end_us, step_us):
    """By machine and step: what was counted, and by second of the time that it took."""
    found = {}
    for name in NAMES:
        cells = defaultdict(lambda: [0.0, 0.0])
        for (before_us, before), (at, after) in pairwise(fleet.samples[name][metric]):
            if start_us <= at < end_us and before_us >= start_us - 300_000_000:
                cell = cells[at // step_us * step_us / 1e6]
                cell[0] += after - before if after >= before else after
                cell[1] += (at - before_us) / 1e6
        found[name] = {
            "increase": {at: cell[0] for at, cell in cells.items()},
            "rate": {at: cell[0] / cell[1] for at, cell in cells.items()},
        }
    return found


class TestCounters:
    @pytest.mark.parametrize("sealed_until", [None, START + 60 * HOUR, 2**51])
    @pytest.mark.parametrize("start_us", [START, START + 5 * HOUR, START + 7 * HOUR // 3])
    async def test_by_hours_as_by_samples(self, app, fleet, sealed_until, start_us):
        if sealed_until:
            await fleet.seal(sealed_until)
        end = START + 71 * HOUR + 11
        for aggregate, step_us in product(("rate", "increase"), (HOUR // 2, HOUR, 4 * HOUR, DAY)):
            sources = await self._check(app, fleet, start_us, end, step_us, aggregate)
            if step_us < HOUR:
                assert sources == {"samples"}
            elif sealed_until:
                assert "hour" in sources

    async def _check(self, app, fleet, start_us, end, step_us, aggregate):
        """Compare the answers for each machine and for all; returns where they came from."""
        wishes = {"metrics": ["sent_total"], "aggregate": aggregate, "step": str(step_us // 1_000_000)}
        each = await ask(app, start_us, end, by=("device",), **wishes)
        wanted = counted(fleet, "sent_total", start_us, end, step_us)
        for series in each.series:
            assert points(series) == pytest.approx(wanted[series.group["device_name"]][aggregate])
        whole = await ask(app, start_us, end, by=(), **wishes)
        total = defaultdict(float)
        for of_machine in wanted.values():
            for at, value in of_machine[aggregate].items():
                total[at] += value
        assert points(whole.series[0]) == pytest.approx(total)
        return {part.source for part in whole.plan}

    async def test_hours_of_before_they_were_counted_are_read_from_samples(self, app, fleet, connection):
        await fleet.seal()
        connection.execute(
            "UPDATE rollups SET counters = NULL WHERE device_id = %s AND start = '2026-10-01 00:00:00+00'",
            (fleet.devices["beta"],),
        )
        start, end = START + 5 * HOUR, START + 70 * HOUR
        answer = await ask(
            app, start, end, metrics=["sent_total"], aggregate="rate", step="3600", by=("device",)
        )
        wanted = counted(fleet, "sent_total", start, end, HOUR)
        assert {series.group["device_name"]: points(series) for series in answer.series} == {
            name: pytest.approx(of_machine["rate"]) for name, of_machine in wanted.items()
        }

    async def test_rates_of_what_is_no_counter_come_from_samples(self, app, fleet):
        await fleet.seal()
        answer = await ask(app, START, START + DAY, metrics=["load"], aggregate="increase", step="3600")
        wanted = counted(fleet, "load", START, START + DAY, HOUR)
        assert {part.source for part in answer.plan} == {"samples"}
        for series in answer.series:
            assert points(series) == pytest.approx(wanted[series.group["device_name"]]["increase"])

    async def test_increase_across_a_reset(self, app, fleet):
        answer = await ask(
            app, START, START + 3 * DAY, metrics=["sent_total"], aggregate="increase", step="day"
        )
        for series in answer.series:
            samples = fleet.samples[series.group["device_name"]]["sent_total"]
            wanted = 0.0
            for (_, before), (_, after) in pairwise(samples):
                wanted += after - before if after >= before else after
            assert sum(points(series).values()) == pytest.approx(wanted)

    async def test_rate_is_increase_by_time(self, app, fleet):
        wishes = {"metrics": ["sent_total"], "step": "3600", "by": ("device",)}
        rate = await ask(app, START + HOUR, START + 2 * HOUR, aggregate="rate", **wishes)
        increase = await ask(app, START + HOUR, START + 2 * HOUR, aggregate="increase", **wishes)
        for one, other in zip(rate.series, increase.series, strict=True):
            (value,), (total,) = points(one).values(), points(other).values()
            assert value > 0
            assert total / value == pytest.approx(3600, rel=0.2)


class TestAcross:
    @pytest.mark.parametrize("sealed", [False, True])
    async def test_each_device_counts_once(self, app, fleet, sealed):
        if sealed:
            await fleet.seal()
        means = [expected(fleet, [name], START, START + DAY, HOUR, "avg") for name in NAMES]
        wanted = {
            "avg": lambda values: sum(values) / len(values),
            "min": min,
            "max": max,
            "sum": sum,
            "count": len,
            "p50": lambda values: sorted(values)[1],
            "p25": lambda values: sum(sorted(values)[:2]) / 2,
        }
        for across, function in wanted.items():
            answer = await ask(app, START, START + DAY, by=(), across=across, step="3600")
            assert points(answer.series[0]) == pytest.approx(
                {at: function([of_one[at] for of_one in means]) for at in means[0]}
            )
            assert (answer.groups, answer.series[0].group, answer.series[0].across) == (1, {}, across)
            assert {part.source for part in answer.plan} == {"hour" if sealed else "samples"}

    async def test_within_groups(self, app, fleet):
        answer = await ask(
            app, START, START + DAY, aggregate="max", by=("department",), across="min", step="day"
        )
        highest = [expected(fleet, [name], START, START + DAY, DAY, "max")[START / 1e6] for name in NAMES]
        assert {series.group["department"]: points(series)[START / 1e6] for series in answer.series} == {
            "North": min(highest[:2]),
            "": highest[2],
        }

    async def test_only_devices_that_have_a_value_count(self, app, fleet):
        # The measurements of one end earlier than those of the other.
        start, end = START + 60 * HOUR, START + 76 * HOUR
        answer = await ask(app, start, end, by=(), aggregate="count", across="count", step="3600")
        wanted = {
            at: sum(at in expected(fleet, [name], start, end, HOUR, "count") for name in NAMES)
            for at in expected(fleet, NAMES, start, end, HOUR, "count")
        }
        assert points(answer.series[0]) == wanted
        assert len(set(wanted.values())) > 1
        assert answer.series[0].points[-1][1] is None

    async def test_compared_with_the_day_before(self, app, fleet):
        answer = await ask(app, START + DAY, START + 2 * DAY, across="max", compare="1d", by=(), step="day")
        means = [expected(fleet, [name], START, START + DAY, DAY, "avg")[START / 1e6] for name in NAMES]
        assert points(answer.series[1]) == {START / 1e6 + 86_400: pytest.approx(max(means))}


class TestRanking:
    async def test_top(self, app, fleet):
        answer = await ask(app, START, START + DAY, top=2, step="3600")
        assert [series.group["device_name"] for series in answer.series] == ["gamma", "beta"]
        assert answer.groups == 3

    async def test_compared_with_the_day_before(self, app, fleet):
        answer = await ask(app, START + DAY, START + 2 * DAY, compare="1d", by=(), step="3600")
        now, before = answer.series
        assert (now.compared, before.compared) == (False, True)
        yesterday = expected(fleet, NAMES, START, START + DAY, HOUR, "avg")
        assert points(before) == pytest.approx({at + 86_400: value for at, value in yesterday.items()})


class TestRefused:
    @pytest.mark.parametrize(
        ("wishes", "name"),
        [
            ({"metrics": []}, "metric"),
            ({"metrics": ["no name"]}, "metric"),
            ({"aggregate": "median"}, "agg"),
            ({"aggregate": "p101"}, "agg"),
            ({"by": ("colour",)}, "by"),
            ({"by": ("label:",)}, "by"),
            ({"across": "median", "by": ()}, "across"),
            ({"across": "rate", "by": ()}, "across"),
            ({"across": "p95", "by": ("device",)}, "across"),
            ({"top": 0}, "top"),
            ({"compare": "yesterday"}, "compare"),
            ({"step": "fortnight"}, "step"),
            ({"step": "0.5"}, "step"),
            ({"step": "nan"}, "step"),
            ({"where": {"colour": ["red"]}}, "colour"),
        ],
    )
    async def test_the_field_is_named(self, app, wishes, name):
        with pytest.raises(InvalidInputError) as caught:
            await ask(app, START, START + DAY, **wishes)
        assert [field.field for field in caught.value.fields] == [name]

    async def test_too_many_groups_before_anything_is_read(self, app, fleet, monkeypatch):
        monkeypatch.setattr(service, "MAX_GROUPS", 2)
        assert len((await ask(app, START, START + DAY, step="3600", top=2)).series) == 2
        monkeypatch.setattr(service, "fill", None)
        with pytest.raises(InvalidInputError, match="wrong") as caught:
            await ask(app, START, START + DAY, step="3600")
        assert [field.field for field in caught.value.fields] == ["by"]

    @pytest.mark.parametrize("wishes", [{}, {"top": 1, "step": "60"}, {"top": 1, "compare": "1d"}])
    async def test_too_many_points_before_anything_is_read(self, app, fleet, monkeypatch, wishes):
        few = TelemetrySettings().model_copy(update={"max_points_per_answer": 30})
        assert (await ask(app, START, START + DAY, step="3600", top=1, limits=few)).series
        monkeypatch.setattr(service, "fill", None)
        with pytest.raises(InvalidInputError) as caught:
            await ask(app, START, START + DAY, **{"step": "3600", "limits": few, **wishes})
        assert [field.field for field in caught.value.fields] == ["step"]


class TestDoors:
    async def test_query(self, admin, fleet):
        answer = await admin.get(
            "/api/v1/telemetry/query",
            params={
                "metric": "load", "from": START / 1e6, "to": (START + DAY) / 1e6, "agg": "max", "by": "device",
                "step": "day", "explain": "true",
            },
        )  # fmt: skip
        assert answer.status_code == 200
        body = answer.json()
        assert (body["step"], body["groups"], len(body["series"])) == ("day", 3, 3)
        assert body["plan"] == [
            {"source": "samples", "from": START / 1e6, "to": (START + DAY) / 1e6, "devices": 3}
        ]

    async def test_last_of_all(self, app, admin, device):
        now = datetime.now(UTC).timestamp()
        await device.send((now, {"cpu_usage_percent": 12.5, 'cpu_core_usage_percent{core="0"}': 40.0}))
        await app.state.door.freshness._try_flush()
        answer = await admin.get(
            "/api/v1/telemetry/last", params={"metric": ["cpu_usage_percent", "cpu_core_usage_percent"]}
        )
        (row,) = answer.json()["results"]
        assert row["device"] == device.id
        assert math.isclose(row["ts"], now, abs_tol=1e-5)
        assert row["values"] == {"cpu_usage_percent": 12.5, 'cpu_core_usage_percent{core="0"}': 40.0}

    async def test_last_of_a_page(self, admin):
        answer = await admin.get("/api/v1/telemetry/last", params={"metric": "load", "after": "nobody"})
        assert answer.status_code == 422
        assert answer.json()["errors"][0]["field"] == "after"
